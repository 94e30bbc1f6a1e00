"""Bulk work of several members of staff on the same products, while the shop sells."""

from decimal import Decimal
from functools import partial

import pytest

from backoffice.bulk import starting
from backoffice.bulk.models import BulkChange
from backoffice.bulk.operations import Kind, Operation
from backoffice.imports import progress, uploading
from products.inventory import ledger, stock
from products.models import Product
from tests import factories
from tests.backoffice.bulk.work import preview
from tests.concurrently import run_concurrently

NUMBER = 12


@pytest.fixture(autouse=True)
def slices_of_three(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploading, "SLICE_ROWS", 3)
    monkeypatch.setattr(progress, "dispatch", lambda pk, expires=None: None)


@pytest.fixture
def products() -> list[Product]:
    return [factories.product(f"Shoe {number}", price=Decimal("5"), quantity=100) for number in range(NUMBER)]


def run(row: BulkChange) -> None:
    starting.run(bulk_id=row.pk, user_id=None, may=row.may)
    progress.work(row.pk, seconds=60)


def sell(products: list[Product], order: int) -> None:
    for product in products:
        stock.sell(wanted=[stock.StockRequest(product.pk, "", 1)], order_number=str(order), user=None)


def test_of_two_previews_of_a_product_one_is_done(products: list[Product]) -> None:
    rows = [preview(Operation(Kind.PRICE_PERCENT, "10")) for _ in range(2)]
    outcomes = run_concurrently([*(partial(run, row) for row in rows), partial(sell, products, 1)])
    assert outcomes == [None] * 3
    first, second = (BulkChange.objects.get(pk=row.pk) for row in rows)
    assert (first.changed + second.changed, first.refused + second.refused) == (NUMBER, NUMBER)
    assert set(Product.objects.values_list("price", "quantity")) == {(Decimal("5.50"), 99)}


def test_a_preview_that_is_confirmed_twice_is_done_once(products: list[Product]) -> None:
    row = preview(Operation(Kind.RECEIVED, 7))
    assert run_concurrently([partial(run, row)] * 3 + [partial(sell, products, 1)]) == [None] * 4
    assert BulkChange.objects.get(pk=row.pk).changed == NUMBER
    assert set(Product.objects.values_list("quantity", flat=True)) == {106}
    assert all(balance.is_correct for balance in ledger.balances())
