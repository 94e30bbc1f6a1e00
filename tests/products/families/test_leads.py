"""The lead of a family: the first member that is active and in stock, else the first that is active, else the first."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from products import catalogue
from products.families import writing
from products.inventory import stock
from products.models import Family, Product
from tests import factories
from tests.rolling_back import rolled_back

pytestmark = pytest.mark.django_db


def leads(family: Family) -> str:
    """The values of the leads, of which there is one."""
    rows = Product.objects.filter(family=family.pk, is_lead=True).order_by("family_position")
    return " ".join(product.options["Size"] for product in rows)


@pytest.fixture
def sizes() -> dict[str, Any]:
    """A family with the members S, M and L, of which S leads."""
    family = factories.family()
    return {"family": family} | {size: factories.member(family, size, quantity=1) for size in "SML"}


def sell(*products: Product) -> Any:
    wanted = [stock.StockRequest(each.pk, each.name, 1) for each in products]
    stock.sell(wanted=wanted, order_number="N", user=None)


def hide(product: Product) -> Any:
    catalogue.change(product_id=product.pk, user=None, precondition=lambda _: None, is_active=False)


def order(row: dict[str, Any], sizes: str) -> Any:
    ids = [row[size].pk for size in sizes]
    writing.change(family_id=row["family"].pk, precondition=lambda _: None, order=ids)


def leave(product: Product) -> Any:
    catalogue.change(product_id=product.pk, user=None, precondition=lambda _: None, family=None)


def save_many(row: dict[str, Any]) -> None:
    found = catalogue.lock_by_sku([row["S"].sku])
    for product in found.values():
        product.is_active = False
    catalogue.save_many(list(found.values()), {"is_active"})


def save_hidden(row: dict[str, Any]) -> None:
    product = Product.objects.get(pk=row["S"].pk)
    product.is_active = False
    product.save()


def adjust_many(row: dict[str, Any]) -> None:
    stock.adjust_many(deltas=[(Product.objects.get(pk=row["S"].pk), -1)], user_id=None)


WRITES: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "nothing": (lambda row: None, "S"),
    "sold out": (lambda row: sell(row["S"]), "M"),
    "another is sold out": (lambda row: sell(row["M"]), "S"),
    "several are sold out": (lambda row: sell(row["S"], row["M"]), "L"),
    "all are sold out": (lambda row: sell(row["M"], row["S"], row["L"]), "S"),
    "sold out and restocked": (
        lambda row: (sell(row["S"]), stock.restock(quantities={row["S"].pk: 1}, order_number="N", user=None)),
        "S",
    ),
    "set to nothing": (lambda row: stock.set_quantity(product_id=row["S"].pk, quantity=0, user=None), "M"),
    "corrected": (lambda row: stock.adjust(product_id=row["S"].pk, delta=-1, user=None), "M"),
    "corrected with others": (adjust_many, "M"),
    "hidden": (lambda row: hide(row["S"]), "M"),
    "hidden by an import": (save_many, "M"),
    "hidden by saving": (save_hidden, "M"),
    "all are hidden": (lambda row: [hide(row[size]) for size in "SML"], "S"),
    "the first is hidden, the others are sold out": (lambda row: (hide(row["S"]), sell(row["M"], row["L"])), "M"),
    "deleted": (lambda row: row["S"].delete(), "M"),
    "deleted over HTTP": (lambda row: catalogue.delete(product_id=row["S"].pk, precondition=lambda _: None), "M"),
    "all are deleted": (lambda row: Product.objects.all().delete(), ""),
    "left": (lambda row: leave(row["S"]), "M"),
    "ordered": (lambda row: order(row, "LMS"), "L"),
    "ordered, the first sold out": (lambda row: (sell(row["L"]), order(row, "LMS")), "M"),
}


@pytest.mark.parametrize("write", WRITES)
def test_the_lead_follows_every_write(sizes: dict[str, Any], write: str) -> None:
    call, expected = WRITES[write]
    call(sizes)
    assert leads(sizes["family"]) == expected
    assert not Product.objects.filter(family=None, is_lead=False).exists()


def test_a_stale_instance_that_is_saved_brings_no_former_lead_back(sizes: dict[str, Any]) -> None:
    stale = Product.objects.get(pk=sizes["S"].pk)
    sell(sizes["S"])
    stale.description = "Of cotton."
    stale.save()
    assert leads(sizes["family"]) == "M"


def test_a_family_of_one_is_led_by_it(sizes: dict[str, Any]) -> None:
    family = factories.family("Hat")
    only = factories.member(family, "One", quantity=0)
    assert leads(family) == "One"
    hide(only)
    assert leads(family) == "One"
    factories.member(family, "Two")
    assert leads(family) == "Two"


def test_a_change_of_stock_that_crosses_nothing_costs_no_statement_more(sizes: dict[str, Any]) -> None:
    alone = factories.product("Alone", quantity=9)
    Product.objects.update(quantity=9)
    counts = []
    for product in (alone, sizes["S"]):
        for change in (lambda pk: stock.set_quantity(product_id=pk, quantity=5, user=None), lambda pk: sell(alone)):
            with rolled_back(), CaptureQueriesContext(connection) as captured:
                change(product.pk)
            counts.append(len(captured))
    assert counts[:2] == counts[2:]
    with CaptureQueriesContext(connection) as captured:
        stock.set_quantity(product_id=sizes["S"].pk, quantity=0, user=None)
    assert len(captured) == counts[0] + 3  # the family's lock, its members, and the lead
