"""Imports while the shop sells, several workers on one import, and two imports of the same products."""

import threading
from collections.abc import Iterable
from functools import partial
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

from backoffice.imports import progress, running, starting, uploading
from backoffice.imports.models import Import
from products import catalogue
from products.inventory import ledger, stock
from products.models import Category, Product, StockMovement
from tests import factories
from tests.backoffice.imports.files import check, counts
from tests.concurrency.racing import paused
from tests.concurrently import run_concurrently

NUMBER = 24


@pytest.fixture(autouse=True)
def slices_of_three(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploading, "SLICE_ROWS", 3)
    monkeypatch.setattr(progress, "dispatch", lambda pk, expires=None: None)


@pytest.fixture
def products() -> list[Product]:
    return [factories.product(f"Shoe {number}", sku=f"S{number}", quantity=100) for number in range(NUMBER)]


def content(what: str) -> str:
    return "sku,name,quantity,category\n" + "".join(f"S{n},{what} {n},{what},Made > {n % 2}\n" for n in range(NUMBER))


def started(text: str, mode: str) -> Import:
    row = check(text, mode=mode)
    assert counts(row)[1] == NUMBER
    starting.start(import_id=row.pk, user_id=None, may=row.may)
    return row


def sell(product: Product, order: int) -> None:
    stock.sell(wanted=[stock.StockRequest(product.pk, product.name, 1)], order_number=str(order), user=None)


def work_while_selling(row: Import, products: list[Product]) -> None:
    """Three workers run the import, while four customers buy a piece of each product."""

    def sell_all(order: int) -> None:
        for product in products:
            sell(product, order)

    workers: list[Any] = [partial(progress.work, row.pk, seconds=60)] * 3
    outcomes = run_concurrently([*workers, *[partial(sell_all, order) for order in range(4)]])
    assert outcomes == [None] * 7


@pytest.mark.parametrize("mode", ["row_by_row", "all_or_nothing"])
def test_what_is_sold_during_an_import_is_kept(products: list[Product], mode: str) -> None:
    row = started(content("50"), mode)
    work_while_selling(row, products)
    done = Import.objects.get(pk=row.pk)
    assert (done.status, counts(done)) == ("done", (0, NUMBER, 0, 0))
    assert set(Product.objects.values_list("quantity", flat=True)) == {50 - 4}
    assert all(balance.is_correct for balance in ledger.balances())
    corrections = StockMovement.objects.filter(reason="correction")
    assert (corrections.count(), set(corrections.values_list("delta", flat=True))) == (NUMBER, {-50})


def test_control_without_the_lock_sales_are_lost(products: list[Product], monkeypatch: pytest.MonkeyPatch) -> None:
    def unlocked(skus: Iterable[str]) -> dict[str, Product]:
        return {product.sku: product for product in Product.objects.filter(sku__in=list(skus))}

    row = started(content("50"), "row_by_row")
    monkeypatch.setattr(catalogue, "lock_by_sku", paused(unlocked, 0.05))
    work_while_selling(row, products)
    assert not all(balance.is_correct for balance in ledger.balances())


def test_of_two_imports_each_product_has_the_values_of_one(products: list[Product]) -> None:
    rows = [started(content(what), "row_by_row") for what in ("40", "60")]
    outcomes = run_concurrently([partial(progress.work, row.pk, seconds=60) for row in rows])
    assert outcomes == [None, None]
    first, second = (Import.objects.get(pk=row.pk) for row in rows)
    assert (first.changed + second.changed, first.refused + second.refused) == (NUMBER, NUMBER)
    for product in Product.objects.all():
        assert product.name == f"{product.quantity} {product.sku[1:]}"
    assert Category.objects.count() == 3
    assert all(balance.is_correct for balance in ledger.balances())


def test_two_slices_are_done_at_once(products: list[Product], monkeypatch: pytest.MonkeyPatch) -> None:
    row = started(content("50"), "row_by_row")
    whole, threads, both = running.run, set[int](), threading.Event()

    def meet(*args: Any) -> None:
        threads.add(threading.get_ident())
        if len(threads) == 2:  # the first one waits in its slice
            both.set()
        both.wait(timeout=20)
        whole(*args)

    monkeypatch.setattr(running, "run", meet)
    progress.work(row.pk, seconds=60)
    assert both.is_set()
    done = Import.objects.get(pk=row.pk)
    assert (done.status, done.position, counts(done)) == ("done", NUMBER // 3, (0, NUMBER, 0, 0))
    assert all(balance.is_correct for balance in ledger.balances())


@pytest.mark.parametrize("is_known", [True, False], ids=["as it is", "control"])
def test_a_slice_that_is_done_before_an_earlier_one_is_not_done_again(products: list[Product], is_known: bool) -> None:
    """A worker is killed in the first slice, while another thread has done the others."""
    row = started(content("50"), "row_by_row")
    with transaction.atomic():
        row.parts.select_for_update().get(number=0)
        [outcome] = run_concurrently([partial(progress.work, row.pk, seconds=60)])
    assert outcome is None
    left = Import.objects.get(pk=row.pk)
    assert (left.status, left.position, left.claimed_at, counts(left)) == ("running", 0, None, (0, NUMBER, 0, 0))
    assert Product.objects.filter(quantity=50).count() == NUMBER - 3
    if not is_known:
        row.parts.update(passes=0)
    progress.work(row.pk, seconds=60)
    done = Import.objects.get(pk=row.pk)
    assert done.status == "done"
    assert (counts(done) == (0, NUMBER, 0, 0)) is is_known
    assert all(balance.is_correct for balance in ledger.balances())


def test_an_import_that_waited_too_long_for_a_lock_is_free_for_the_next_sweep(products: list[Product]) -> None:
    """Otherwise it would wait until the claim expires."""
    row = started(content("50"), "row_by_row")

    def work() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET SESSION innodb_lock_wait_timeout = 1")
        progress.work(row.pk)

    with transaction.atomic():
        Product.objects.select_for_update().get(pk=products[0].pk)
        [outcome] = run_concurrently([work])
    assert (type(outcome), outcome.args[0]) == (OperationalError, 1205)
    waiting = Import.objects.get(pk=row.pk)
    assert (waiting.status, waiting.claimed_at) == ("running", None)
    progress.work(row.pk)
    assert Import.objects.get(pk=row.pk).status == "done"
