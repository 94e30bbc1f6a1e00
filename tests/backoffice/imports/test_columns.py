"""What cells mean."""

from decimal import Decimal
from typing import Any

import pytest

from backoffice.imports import columns
from backoffice.imports.columns import Quantity


def value(column: str, cell: str, *, commas: bool = True) -> Any:
    wanted = columns.parse([2, "A", cell], ["sku", column], has_decimal_commas=commas)
    return " ".join(wanted.errors) or wanted.values.get(column)


@pytest.mark.parametrize(
    ("column", "cell", "expected"),
    [
        ("name", "", None),
        ("name", "  ", None),
        ("name", "Lamp", "Lamp"),
        ("name", "'=Lamp", "=Lamp"),
        ("name", "'-", "-"),
        ("name", "'Lamp'", "'Lamp'"),
        ("name", "''Lamp", "'Lamp"),
        ("brand", "-", ""),
        ("description", "-", ""),
        ("description", "a\r\n b ", "a\r\n b "),
        ("category", "-", []),
        ("category", r"Home >  Lamps\>5 W ", ["Home", "Lamps>5 W"]),
        ("price", "12", Decimal(12)),
        ("price", " 12.5 ", Decimal("12.50")),
        ("price", "12,50", Decimal("12.50")),
        ("quantity", "0", Quantity(0, False)),
        ("quantity", "+5", Quantity(5, True)),
        ("quantity", "'+5", Quantity(5, True)),
        ("is_active", "TRUE", True),
        ("is_active", "0", False),
        ("tax_class", "reduced", "reduced"),
    ],
)
def test_values(column: str, cell: str, expected: Any) -> None:
    assert value(column, cell) == expected


@pytest.mark.parametrize(
    ("column", "cell", "error"),
    [
        ("name", "-", "name: It cannot be empty."),
        ("quantity", "-", "quantity: It cannot be empty."),
        ("name", "x" * 201, "name: Ensure this value has at most 200 characters"),
        ("name", "\u200b", "at least one visible character"),
        ("brand", "x" * 101, "at most 100"),
        ("description", "x" * 20_001, "20,000 characters"),
        ("category", "Home > > Lamps", "empty"),
        ("price", "1.234,50", "is no price"),
        ("price", "1.999", "is no price"),
        ("price", "-1", "is no price"),
        ("price", "€5", "is no price"),
        ("price", "1e3", "is no price"),
        ("price", "123456789", "is no price"),
        ("price", "١٢", "is no price"),
        ("quantity", "-5", "no whole number"),
        ("quantity", "1.5", "no whole number"),
        ("quantity", "2147483648", "at most 2147483647"),
        ("is_active", "maybe", "neither true nor false"),
        ("name", "a\0b", "null character"),
        ("tax_class", "x" * 51, "at most 50"),
    ],
)
def test_what_has_no_value(column: str, cell: str, error: str) -> None:
    assert error in value(column, cell)


def test_a_decimal_comma_needs_another_separator() -> None:
    assert "is no price" in value("price", "12,50", commas=False)
    assert value("price", "12.50", commas=False) == Decimal("12.50")


@pytest.mark.parametrize(
    ("cells", "error"),
    [
        (["", "x"], "no SKU"),
        (["x" * 65, "x"], "64 characters"),
        (["A", "x", "y"], "more cells"),
    ],
)
def test_rows_that_cannot_be_read(cells: list[str], error: str) -> None:
    wanted = columns.parse([2, *cells], ["sku", "name"], has_decimal_commas=False)
    assert error in " ".join(wanted.errors)
    assert len(wanted.sku) <= 64


@pytest.mark.parametrize(
    ("sku", "is_rounded"), [("4,00638E+12", True), ("1E+05", True), ("12E5", False), ("10.5", False)]
)
def test_skus_that_a_spreadsheet_has_rounded(sku: str, is_rounded: bool) -> None:
    assert columns.parse([2, sku], ["sku"], has_decimal_commas=True).could_be_rounded is is_rounded
