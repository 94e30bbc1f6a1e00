"""Many buyers of few pieces, staff who restock meanwhile, and locks taken in opposite order."""

from collections import Counter
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError
from django.db.models import F

from carts import checkout
from carts.checkout import Placed, place_order
from carts.models import Cart, CartItem
from orders.models import Order
from productbackend import transactions
from products import ledger, stock
from products.models import Product
from products.stock import InsufficientStock
from tests import factories
from tests.concurrency.racing import GAP, at_once, carts, paused


def buy(cart: Cart) -> Any:
    return partial(place_order, cart_id=cart.pk, actor=cart.user)


def kinds(outcomes: list[Any]) -> Counter[type]:
    return Counter(type(outcome) for outcome in outcomes)


def unlocked(ids: list[int]) -> dict[int, Product]:
    return {row.pk: row for row in Product.objects.filter(pk__in=ids)}


# --- 200 buyers of the last 50 --------------------------------------------------------------


def sell_the_last_50_to_200() -> tuple[Counter[type], int]:
    """The outcomes, and how many pieces stand in the orders."""
    product = factories.product(quantity=50)
    outcomes = at_once([buy(cart) for cart in carts(200, (product, 1))])
    return kinds(outcomes), Order.objects.count()


def test_200_buyers_of_the_last_50(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkout, "_locked_products", paused(checkout._locked_products))
    outcomes, sold = sell_the_last_50_to_200()
    assert outcomes == {Placed: 50, InsufficientStock: 150}
    assert sold == 50
    assert [(balance.quantity, balance.recorded) for balance in ledger.balances()] == [(0, 0)]
    assert Cart.objects.count() == 150


def test_without_the_products_lock_the_condition_still_keeps_from_overselling(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may refuse pieces that are there: MariaDB passes over a row that another sale has just changed."""
    monkeypatch.setattr(checkout, "_locked_products", paused(unlocked))
    outcomes, sold = sell_the_last_50_to_200()
    assert outcomes == {Placed: sold, InsufficientStock: 200 - sold}
    assert 0 < sold <= 50
    assert [(balance.quantity, balance.recorded) for balance in ledger.balances()] == [(50 - sold, 50 - sold)]


def test_control_without_the_condition_buyers_meet_database_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    def sell(product_id: int, quantity: int, now: Any) -> bool:
        return bool(Product.objects.filter(pk=product_id).update(quantity=F("quantity") - quantity))

    monkeypatch.setattr(stock, "_sell", sell)
    outcomes, _ = sell_the_last_50_to_200()
    assert outcomes[IntegrityError] + outcomes[OperationalError] == 150


def test_control_reading_checking_and_writing_oversells(monkeypatch: pytest.MonkeyPatch) -> None:
    def sell(product_id: int, quantity: int, now: Any) -> bool:
        there = paused(Product.objects.values_list("quantity", flat=True).get)(pk=product_id)
        return there >= quantity and bool(Product.objects.filter(pk=product_id).update(quantity=there - quantity))

    monkeypatch.setattr(checkout, "_locked_products", unlocked)
    monkeypatch.setattr(stock, "_sell", sell)
    _, sold = sell_the_last_50_to_200()
    assert sold > 50


# --- Restocking while selling ---------------------------------------------------------------


def restock_while_selling() -> tuple[int, list[Any]]:
    """20 pieces and 20 deliveries of one for 60 buyers: what was sold, and the balance."""
    product = factories.product(quantity=20)
    deliveries = [partial(stock.adjust, product_id=product.pk, delta=1, user=None) for _ in range(20)]
    buyers = [buy(cart) for cart in carts(60, (product, 1))]
    outcomes = at_once(buyers[:40] + deliveries + buyers[40:])
    assert set(kinds(outcomes)) <= {Placed, InsufficientStock, type(None)}
    return Order.objects.count(), list(ledger.balances())


def test_restocking_while_selling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stock, "_locked", paused(stock._locked))
    sold, [balance] = restock_while_selling()
    assert balance.holds
    assert balance.quantity == 20 + 20 - sold


def test_control_restocking_without_the_lock_loses_sales(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(product_id: int) -> tuple[str, int]:
        return Product.objects.values_list("sku", "quantity").get(pk=product_id)

    monkeypatch.setattr(stock, "_locked", paused(read))
    _, [balance] = restock_while_selling()
    assert not balance.holds


# --- Two products in opposite order ---------------------------------------------------------


def buy_two_products_in_opposite_order(buyers: int) -> Counter[type]:
    first, second = (factories.product(name, quantity=1_000) for name in ("Shoe", "Hat"))
    crossing = []
    for number, cart in enumerate(carts(buyers)):
        for product in (first, second) if number % 2 else (second, first):
            CartItem.objects.create(cart=cart, product=product, quantity=1)
        crossing.append(buy(cart))
    return kinds(at_once(crossing))


def in_the_order_of_the_cart(ids: list[int]) -> dict[int, Product]:
    lock_one = paused(Product.objects.select_for_update().get, GAP * 10)
    return {pk: lock_one(pk=pk) for pk in ids}


def test_32_buyers_of_two_products_in_opposite_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """The order of the locks alone: nothing has to be tried again."""
    monkeypatch.setattr(transactions, "ATTEMPTS", 1)
    assert buy_two_products_in_opposite_order(32) == {Placed: 32}
    assert all(balance.holds for balance in ledger.balances())


def test_control_without_an_order_of_locks_there_are_deadlocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transactions, "ATTEMPTS", 1)
    monkeypatch.setattr(checkout, "_locked_products", in_the_order_of_the_cart)
    assert buy_two_products_in_opposite_order(32)[OperationalError] > 0


@pytest.mark.parametrize(("attempts", "deadlocks"), [(transactions.ATTEMPTS, 0), (1, 1)], ids=["as it is", "control"])
def test_a_deadlock_is_tried_again(monkeypatch: pytest.MonkeyPatch, attempts: int, deadlocks: int) -> None:
    """The second guard, for locks that no order can tame."""
    monkeypatch.setattr(transactions, "ATTEMPTS", attempts)
    monkeypatch.setattr(checkout, "_locked_products", in_the_order_of_the_cart)
    assert buy_two_products_in_opposite_order(2)[OperationalError] == deadlocks
