"""Outcomes of single rows; the other cases are in the tests of the check and the run."""

from decimal import Decimal

import pytest

from backoffice.exports import kinds, reading, writing
from products.models import Product
from tests import factories
from tests.backoffice.imports.files import check, counts, lines

pytestmark = pytest.mark.django_db

ODD = ["=1+1", "-", "'quoted", "+5", "007", "1,5", "a\r\nb", ' "x"; y ', "a > b", "\ttab", "@x", "''", "true"]


@pytest.fixture
def odd_products() -> None:
    """Products whose texts a file could change, or a spreadsheet could run."""
    category = factories.category("a>b \\", parent=factories.category("-"))
    for number, text in enumerate(ODD):
        factories.product(text, sku=f"{text.strip()}{number}", brand=text, description=text, category=category)
    factories.product("Bare", sku="1E5", price=Decimal("0.10"), is_active=False)


@pytest.mark.parametrize("format", ["csv", "xlsx"])
def test_what_is_exported_and_imported_again_changes_nothing(odd_products: None, format: str) -> None:
    for kind in (kinds.PRODUCTS, kinds.STOCK):
        batches = reading.batches(kind, Product.objects.all())
        pieces = (
            writing.csv_chunks(kind, batches)
            if format == "csv"
            else writing.xlsx_chunks(kind, batches, rows_max=100, characters_max=10_000)
        )
        row = check(b"".join(pieces), kind=kind.name)
        assert [line for line in lines(row) if line[2] != "unchanged"] == []
        assert counts(row) == (0, 0, len(ODD) + 1, 0)


def test_category_names_are_compared_as_in_the_tree() -> None:
    lamps = factories.category("Lamps", parent=factories.category("Home"))
    factories.product(sku="A", category=lamps)
    assert counts(check("sku,category\nA,HOME>lamps\n")) == (0, 0, 1, 0)
    assert counts(check("sku,category\nA,-\n")) == (0, 1, 0, 0)
