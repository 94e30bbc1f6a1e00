"""The formats of files."""

import io
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from backoffice.exports import kinds, writing
from backoffice.exports.kinds import Row
from productbackend.errors import InvalidValue
from tests.backoffice.files import csv_rows, xlsx_cells

# Text, number, amount: a kind of two columns would do, but this is one that exists.
COLUMNS = list(kinds.STOCK.columns)


def as_csv(*batches: list[Row]) -> bytes:
    return b"".join(writing.csv_chunks(kinds.STOCK, batches))


def as_xlsx(*batches: list[Row], rows_max: int = 100, characters_max: int = 100_000) -> bytes:
    return b"".join(writing.xlsx_chunks(kinds.STOCK, batches, rows_max=rows_max, characters_max=characters_max))


def test_csv_is_what_excel_and_the_import_read() -> None:
    expected = '\ufeffsku,quantity\r\nL-1,7\r\n"a ""b"", c",0\r\n"two\r\nlines",1\r\n'
    assert as_csv([["L-1", 7], ['a "b", c', 0]], [["two\r\nlines", 1]]) == expected.encode()


def test_amounts_have_two_decimals_and_a_point() -> None:
    assert as_csv([["a", Decimal("1234567.5")], ["b", Decimal("0")]]).decode().split()[1:] == ["a,1234567.50", "b,0.00"]


@pytest.mark.parametrize("text", ["=HYPERLINK(A1)", "+1", "-1", "@x", "\tx", "\rx", "\nx", "'x"])
def test_no_text_is_a_formula(text: str) -> None:
    assert csv_rows(as_csv([[text, 1]])) == [{"sku": f"'{text}", "quantity": "1"}]
    [_, [cell, number]] = xlsx_cells(as_xlsx([[text, 1]]))
    # XML reads a carriage return as a line break, so that Excel's escape is in its place.
    assert (str(cell).replace("_x000D_", "\r"), number) == (f"'{text}", 1)


def test_the_first_piece_has_the_header_and_the_first_rows() -> None:
    read: list[int] = []

    def batches() -> Iterator[list[Row]]:
        for number in range(3):
            read.append(number)
            yield [[f"s{number}", number]]

    pieces = writing.csv_chunks(kinds.STOCK, batches())
    assert next(pieces).decode() == "\ufeffsku,quantity\r\ns0,0\r\n"
    assert read == [0]


@pytest.mark.parametrize("batches", [[], [[]]])
def test_a_file_without_rows_has_its_header(batches: list[list[Row]]) -> None:
    assert as_csv(*batches) == "\ufeffsku,quantity\r\n".encode()
    assert xlsx_cells(as_xlsx(*batches)) == [COLUMNS]


def test_no_piece_is_large() -> None:
    pieces = list(writing.csv_chunks(kinds.STOCK, [[["x" * 100_000, 1], ["y" * 100_000, 2]]]))
    assert [len(piece) <= writing.CHUNK for piece in pieces] == [True] * 4
    assert [len(row["sku"]) for row in csv_rows(b"".join(pieces))] == [100_000, 100_000]


def test_xlsx_has_texts_and_numbers() -> None:
    body = as_xlsx([["007", 7], ["", 0]], [["1e5", Decimal("99999999.99")], ["ä\u0001\uffff☃", Decimal("-0.50")]])
    cells = xlsx_cells(body)
    assert cells == [COLUMNS, ["007", 7], [None, 0], ["1e5", 99999999.99], ["ä_x0001_\ufffd☃", -0.5]]


def test_an_amount_that_a_cell_cannot_show_to_the_cent_is_a_text() -> None:
    amounts = [Decimal("9999999999999.99"), Decimal("10000000000000.01"), Decimal("999999999999999999.99")]
    cells = xlsx_cells(as_xlsx([["a", amount] for amount in amounts]))[1:]
    assert [cell for _, cell in cells] == [9999999999999.99, "10000000000000.01", "999999999999999999.99"]


@pytest.mark.parametrize("limits", [{"rows_max": 2}, {"characters_max": 5}])
def test_an_xlsx_file_that_would_be_too_large_is_refused(limits: dict[str, int]) -> None:
    assert len(xlsx_cells(as_xlsx([["ab", 1], ["cd", 2]], **limits))) == 3
    with pytest.raises(InvalidValue, match="narrow the filters, or take csv"):
        as_xlsx([["ab", 1], ["cd", 2]], [["ef", 3]], **limits)


def test_a_text_that_no_cell_holds_is_refused_and_not_left_out() -> None:
    assert len(str(xlsx_cells(as_xlsx([["x" * 32_767, 1]]))[1][0])) == 32_767
    with pytest.raises(InvalidValue, match=r"32,767 characters, and row 2 has a longer text"):
        as_xlsx([["x" * 32_768, 1]])


def test_more_rows_than_a_sheet_has_are_refused_and_not_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "SHEET_ROWS_MAX", 2)
    writing.write_xlsx(kinds.STOCK, [[["a", 1], ["b", 1]]], io.BytesIO())
    with pytest.raises(InvalidValue, match="A sheet of XLSX has 2 rows"):
        writing.write_xlsx(kinds.STOCK, [[["a", 1], ["b", 1]], [["c", 1]]], io.BytesIO())


def test_no_temporary_file_is_left(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def batches(fails: bool) -> Iterator[list[Any]]:
        yield [["a", 1]]
        if fails:
            raise KeyboardInterrupt

    for fails in (False, True):
        pieces = writing.xlsx_chunks(kinds.STOCK, batches(fails), rows_max=9, characters_max=9)
        if fails:
            with pytest.raises(KeyboardInterrupt):
                next(pieces)
        else:
            next(pieces)
            pieces.close()  # type: ignore[attr-defined]
        assert list(tmp_path.iterdir()) == []
