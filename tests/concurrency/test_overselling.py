"""Overselling, concurrent restocking, and locks in opposite order."""

import time
from collections import Counter
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models import F

from carts import checkout
from carts.checkout import Checkout, PlacedOrder, place_order
from carts.models import Cart, CartItem
from orders.customers import Customer
from orders.models import Order
from productbackend.database import transactions
from products.inventory import ledger, stock
from products.inventory.stock import InsufficientStock
from products.models import Product
from tests import factories
from tests.concurrency.racing import GAP, carts, paused, unlocked_products
from tests.concurrently import run_concurrently


def buy(cart: Cart) -> Any:
    return partial(place_order, Checkout(cart_id=cart.pk, customer=Customer(user=cart.user)))


def kinds(outcomes: list[Any]) -> Counter[type]:
    return Counter(type(outcome) for outcome in outcomes)


# --- 200 buyers of the last 50 --------------------------------------------------------------


def sell_the_last_50_to_200() -> tuple[Counter[type], int]:
    """The outcomes, and the number of ordered pieces."""
    product = factories.product(quantity=50)
    outcomes = run_concurrently([buy(cart) for cart in carts(200, (product, 1))])
    return kinds(outcomes), Order.objects.count()


def test_200_buyers_of_the_last_50(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkout, "locked_products", paused(checkout.locked_products))
    outcomes, sold = sell_the_last_50_to_200()
    assert outcomes == {PlacedOrder: 50, InsufficientStock: 150}
    assert sold == 50
    assert [(balance.quantity, balance.recorded) for balance in ledger.balances()] == [(0, 0)]
    assert Cart.objects.count() == 150


def test_without_the_products_lock_the_condition_still_prevents_overselling(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may refuse pieces that are in stock: MariaDB can miss a row that another sale has just changed."""
    monkeypatch.setattr(checkout, "locked_products", paused(unlocked_products))
    outcomes, sold = sell_the_last_50_to_200()
    assert outcomes == {PlacedOrder: sold, InsufficientStock: 200 - sold}
    assert 0 < sold <= 50
    assert [(balance.quantity, balance.recorded) for balance in ledger.balances()] == [(50 - sold, 50 - sold)]


def test_control_without_the_condition_buyers_get_database_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    def sell(product_id: int, quantity: int, now: Any) -> bool:
        return bool(Product.objects.filter(pk=product_id).update(quantity=F("quantity") - quantity))

    monkeypatch.setattr(stock, "subtract", sell)
    outcomes, _ = sell_the_last_50_to_200()
    assert outcomes[IntegrityError] + outcomes[OperationalError] == 150


def test_control_reading_checking_and_writing_oversells(monkeypatch: pytest.MonkeyPatch) -> None:
    def sell(product_id: int, quantity: int, now: Any) -> bool:
        available = paused(Product.objects.values_list("quantity", flat=True).get)(pk=product_id)
        return available >= quantity and bool(
            Product.objects.filter(pk=product_id).update(quantity=available - quantity)
        )

    monkeypatch.setattr(checkout, "locked_products", unlocked_products)
    monkeypatch.setattr(stock, "subtract", sell)
    _, sold = sell_the_last_50_to_200()
    assert sold > 50


# --- Restocking while selling ---------------------------------------------------------------


def restock_while_selling() -> tuple[int, list[Any]]:
    """20 pieces and 20 deliveries of one piece for 60 buyers: the number sold, and the balances."""
    product = factories.product(quantity=20)
    deliveries = [partial(stock.adjust, product_id=product.pk, delta=1, user=None) for _ in range(20)]
    buyers = [buy(cart) for cart in carts(60, (product, 1))]
    outcomes = run_concurrently(buyers[:40] + deliveries + buyers[40:])
    assert set(kinds(outcomes)) <= {PlacedOrder, InsufficientStock, type(None)}
    return Order.objects.count(), list(ledger.balances())


def test_restocking_while_selling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stock, "locked_product", paused(stock.locked_product))
    sold, [balance] = restock_while_selling()
    assert balance.is_correct
    assert balance.quantity == 20 + 20 - sold


def test_control_restocking_without_the_lock_loses_sales(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(product_id: int) -> tuple[str, int, int | None]:
        return Product.objects.values_list("sku", "quantity", "family_id").get(pk=product_id)

    monkeypatch.setattr(stock, "locked_product", paused(read))
    _, [balance] = restock_while_selling()
    assert not balance.is_correct


# --- Two products in opposite order ---------------------------------------------------------


def buy_two_products_in_opposite_order(buyers: int) -> Counter[type]:
    first, second = (factories.product(name, quantity=1_000) for name in ("Shoe", "Hat"))
    crossing = []
    for number, cart in enumerate(carts(buyers)):
        for product in (first, second) if number % 2 else (second, first):
            CartItem.objects.create(cart=cart, product=product, quantity=1)
        crossing.append(buy(cart))
    return kinds(run_concurrently(crossing))


def in_the_order_of_the_cart(ids: list[int]) -> dict[int, Product]:
    lock_one = paused(Product.objects.select_for_update().get, GAP * 10)
    return {pk: lock_one(pk=pk) for pk in ids}


def test_32_buyers_of_two_products_in_opposite_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """The order of the locks suffices: no transaction is retried."""
    monkeypatch.setattr(transactions, "ATTEMPTS", 1)
    assert buy_two_products_in_opposite_order(32) == {PlacedOrder: 32}
    assert all(balance.is_correct for balance in ledger.balances())


def test_control_without_an_order_of_locks_there_are_deadlocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transactions, "ATTEMPTS", 1)
    monkeypatch.setattr(checkout, "locked_products", in_the_order_of_the_cart)
    assert buy_two_products_in_opposite_order(32)[OperationalError] > 0


@pytest.mark.parametrize(("attempts", "deadlocks"), [(transactions.ATTEMPTS, 0), (1, 1)], ids=["as it is", "control"])
def test_a_deadlock_is_retried(monkeypatch: pytest.MonkeyPatch, attempts: int, deadlocks: int) -> None:
    """The retry is for deadlocks that the order of the locks cannot prevent."""
    monkeypatch.setattr(transactions, "ATTEMPTS", attempts)
    monkeypatch.setattr(checkout, "locked_products", in_the_order_of_the_cart)
    assert buy_two_products_in_opposite_order(2)[OperationalError] == deadlocks


# --- A lock that is not released ------------------------------------------------------------


def test_a_checkout_that_waits_too_long_for_a_lock_gives_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkout, "items_at_current_prices", impatient(checkout.items_at_current_prices))
    product = factories.product(quantity=5)
    [cart] = carts(1, (product, 1))
    with transaction.atomic():
        Product.objects.select_for_update().get(pk=product.pk)
        began = time.monotonic()
        [outcome] = run_concurrently([buy(cart)])
        assert time.monotonic() - began < 3
    assert (type(outcome), outcome.args[0]) == (OperationalError, 1205)
    assert Cart.objects.filter(pk=cart.pk).exists()
    assert not Order.objects.exists()


def impatient(function: Any) -> Any:
    """`function`, with a lock wait timeout of one second."""

    def wrapper(*args: Any) -> Any:
        with connection.cursor() as cursor:
            cursor.execute("SET SESSION innodb_lock_wait_timeout = 1")
        return function(*args)

    return wrapper
