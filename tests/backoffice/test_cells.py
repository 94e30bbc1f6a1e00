"""Texts in cells."""

import pytest

from backoffice.cells import category_path, guarded


@pytest.mark.parametrize("text", ["=1+1", "+49 30 1", "-5", "@SUM(A1)", "\t=1", "\n=1", "\r\n=1", "'=1", "'", "-"])
def test_what_a_spreadsheet_could_take_for_a_formula_is_quoted(text: str) -> None:
    assert guarded(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "Shoe", "1-2", " =1", "ä=", "＝1", "5", "a'b", "a\n=1"])
def test_other_texts_stay(text: str) -> None:
    assert guarded(text) == text


@pytest.mark.parametrize(
    ("names", "path"),
    [
        (["Home"], "Home"),
        (["Home", "Lamps"], "Home > Lamps"),
        (["A > B", "C>"], r"A \> B > C\>"),
        (["A\\", "B"], "A\\ > B"),
        ([], ""),
    ],
)
def test_the_path_of_a_category(names: list[str], path: str) -> None:
    assert category_path(names) == path
