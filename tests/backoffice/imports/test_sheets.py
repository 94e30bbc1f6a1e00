"""XLSX files, as spreadsheets write them."""

import io
from datetime import date

import pytest

from backoffice.imports import sheets
from productbackend.errors import InvalidValue
from tests.backoffice.imports.files import xlsx


def test_cells_are_texts_as_they_are_shown() -> None:
    values = ["007", 7, 4006381333931, 19.9, 0.1 + 0.2, True, 1.5e15, "ü\nx", ""]
    [header, row] = list(sheets.lines(io.BytesIO(xlsx([["sku", "name"], values]))))
    assert header[:2] == ["sku", "name"]
    assert row == ["007", "7", "4006381333931", "19.9", "0.3", "true", "1.5e+15", "ü\nx", ""][: len(row)]
    assert sheets.text_of(date(2026, 1, 2)) == "2026-01-02"


def test_rows_have_their_numbers_if_some_are_empty() -> None:
    assert list(sheets.lines(io.BytesIO(xlsx([[], ["sku"], [], ["A"]])))) == [[""], ["sku"], [""], ["A"]]


def test_a_cell_at_the_far_end_ends_the_reader_and_not_this_process() -> None:
    far = [["sku"], *[[]] * 99_998, [*[""] * 16_383, "x"]]
    with pytest.raises(InvalidValue, match="too large to unpack"):
        list(sheets.lines(io.BytesIO(xlsx(far))))
