"""What the cells of a row say: the value of each column, or why it is none.

The limits are those of the model's fields, as in the API and the admin.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from dataclasses import field as default
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError

from backoffice.cells import category_names, unguarded
from backoffice.imports.models import SKU_MAX, Import
from products.models import DESCRIPTION_MAX, OPTION_MAX, QUANTITY_MAX, Product
from products.naming import validate_visible

COLUMNS = {
    Import.Kind.PRODUCTS: (
        "sku", "name", "brand", "description", "category", "price", "quantity", "is_active", "tax_class", "family",
    ),
    Import.Kind.STOCK: ("sku", "quantity"),
}  # fmt: skip
FAMILY = "family"  # its slug
OPTION = "option:"  # begins the name of a column; the name of the axis follows
CLEAR = "-"
CLEARED: dict[str, Any] = {"brand": "", "description": "", "category": [], FAMILY: ""}  # what can be empty
TRUTHS = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}
POINT = re.compile(r"[0-9]{1,8}(\.[0-9]{1,2})?")
POINT_OR_COMMA = re.compile(r"[0-9]{1,8}([.,][0-9]{1,2})?")
WHOLE = re.compile(r"(\+?)([0-9]{1,10})")
# As a spreadsheet shows a long number: its last digits are lost.
ROUNDED = re.compile(r"[0-9]+([.,][0-9]+)?[eE]\+[0-9]+")
SHOWN_MAX = 40  # characters of a cell in a message


class Unreadable(Exception):
    """A cell has no value; the text says why."""


@dataclass(frozen=True)
class Quantity:
    """A quantity to be set, or one to be added."""

    pieces: int
    is_added: bool


@dataclass
class Wanted:
    """A row of the file: its SKU, the values of the cells that are not empty, and the errors of the others."""

    number: int
    sku: str
    values: dict[str, Any] = default(default_factory=dict)
    errors: list[str] = default(default_factory=list)

    @property
    def could_be_rounded(self) -> bool:
        return bool(ROUNDED.fullmatch(self.sku))


def parse(row: Sequence[Any], columns: Sequence[str], *, has_decimal_commas: bool) -> Wanted:
    """The row, which is a number and its cells as `tables.as_json` writes them."""
    number, *cells = row
    given = dict(zip(columns, cells, strict=False))
    wanted = Wanted(number, unguarded(given.pop("sku").strip()))
    _check_row(wanted, cells, len(columns))
    for column, cell in given.items():
        if not cell.strip():
            continue  # it leaves the value
        try:
            wanted.values[column] = _value(column, cell, has_decimal_commas=has_decimal_commas)
        except Unreadable as error:
            wanted.errors.append(f"{column}: {error}")
        except ValidationError as error:
            wanted.errors.append(f"{column}: {' '.join(error.messages)}")
    return wanted


def _check_row(wanted: Wanted, cells: Sequence[str], width: int) -> None:
    if len(cells) > width:
        wanted.errors.append("The row has more cells than there are columns: is a text without quotes?")
    if any("\0" in cell for cell in cells):
        wanted.errors.append("The row has a null character.")
        wanted.sku = wanted.sku.replace("\0", "")
    if not wanted.sku:
        wanted.errors.append("The row has no SKU.")
    elif len(wanted.sku) > SKU_MAX:
        wanted.errors.append(f"sku: It has {SKU_MAX} characters at most.")
        wanted.sku = wanted.sku[:SKU_MAX]


def _value(column: str, cell: str, *, has_decimal_commas: bool) -> Any:
    if cell.strip() == CLEAR:
        if column.startswith(OPTION):
            return None
        if column not in CLEARED:
            raise Unreadable("It cannot be empty.")
        return CLEARED[column]
    if column == "price":
        return _price(cell.strip(), POINT_OR_COMMA if has_decimal_commas else POINT)
    if column.startswith(OPTION):
        return _option(unguarded(cell))
    return READERS.get(column, _text(column))(unguarded(cell))


def _price(text: str, pattern: re.Pattern[str]) -> Decimal:
    if not pattern.fullmatch(text):
        separator = " or a comma" if pattern is POINT_OR_COMMA else ""
        raise Unreadable(f"{text[:SHOWN_MAX]!r} is no price: write 1234.50, with a point{separator} before the cents.")
    return Decimal(text.replace(",", "."))


def _quantity(text: str) -> Quantity:
    match = WHOLE.fullmatch(text.strip())
    if match is None:
        raise Unreadable(f"{text[:SHOWN_MAX]!r} is no whole number from 0; +5 adds 5.")
    pieces = int(match[2])
    if pieces > QUANTITY_MAX:
        raise Unreadable(f"It is at most {QUANTITY_MAX}.")
    return Quantity(pieces, is_added=bool(match[1]))


def _truth(text: str) -> bool:
    if (found := TRUTHS.get(text.strip().casefold())) is None:
        raise Unreadable(f"{text[:SHOWN_MAX]!r} is neither true nor false.")
    return found


def _category(text: str) -> list[str]:
    names = category_names(text)
    if not all(names):
        raise Unreadable("A name in the path is empty: write Home > Lamps.")
    return names


def _description(text: str) -> str:
    if len(text) > DESCRIPTION_MAX:
        raise Unreadable(f"It has {DESCRIPTION_MAX:,} characters at most.")
    return text


def _option(text: str) -> str:
    if len(text := text.strip()) > OPTION_MAX:
        raise Unreadable(f"It has {OPTION_MAX} characters at most.")
    validate_visible(text)
    return text


def _text(column: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        field: Any = Product._meta.get_field(column)
        cleaned: str = field.clean(text, None)
        return cleaned

    return read


READERS: dict[str, Callable[[str], Any]] = {
    "quantity": _quantity,
    "is_active": _truth,
    "category": _category,
    "description": _description,
    FAMILY: str.strip,
}
