"""One cart gives one order; one idempotency key gives one order."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, connection

from carts import checkout
from carts.checkout import Checkout, IdempotencyKey, PlacedOrder, place_order
from carts.models import Cart
from orders.customers import Customer
from orders.models import Order
from productbackend.errors import DomainError
from products.inventory import ledger
from tests import factories
from tests.concurrency.racing import carts, paused, unlocked_cart
from tests.concurrently import run_concurrently


def click_20_times(key: IdempotencyKey | None = None) -> list[Any]:
    """The outcomes of checking out one cart from 20 connections."""
    [cart] = carts(1, (factories.product(quantity=100), 1))
    return run_concurrently(
        [partial(place_order, Checkout(cart_id=cart.pk, customer=Customer(user=cart.user), key=key))] * 20
    )


def codes(outcomes: list[Any]) -> Counter[str]:
    return Counter(getattr(outcome, "code", type(outcome).__name__) for outcome in outcomes)


def test_one_cart_and_20_clicks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkout, "locked_cart", paused(checkout.locked_cart))
    outcomes = click_20_times()
    assert codes(outcomes) == {"PlacedOrder": 1, "already-ordered": 19}
    number = Order.objects.get().number
    assert {outcome.extra["order"] for outcome in outcomes if isinstance(outcome, DomainError)} == {number}
    assert [(balance.quantity, balance.recorded) for balance in ledger.balances()] == [(99, 99)]


def test_control_without_the_lock_of_the_cart_clicks_collide(monkeypatch: pytest.MonkeyPatch) -> None:
    """The unique `cart_id` still allows only one order, but the others get a database error."""
    monkeypatch.setattr(checkout, "locked_cart", paused(unlocked_cart))
    assert any(isinstance(outcome, IntegrityError) for outcome in click_20_times())
    assert Order.objects.count() == 1


def test_one_key_and_20_concurrent_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkout, "locked_cart", paused(checkout.locked_cart))
    placed = click_20_times(IdempotencyKey("key", "the request"))
    assert Counter(outcome.replayed for outcome in placed) == {False: 1, True: 19}
    assert len({outcome.order.number for outcome in placed}) == 1
    assert [(balance.quantity, balance.recorded) for balance in ledger.balances()] == [(99, 99)]


def test_without_the_lock_of_the_cart_one_key_is_still_one_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """The unique key alone prevents a second order; without the lock, requests can find the cart already emptied."""
    monkeypatch.setattr(checkout, "locked_cart", paused(unlocked_cart))
    outcomes = click_20_times(IdempotencyKey("key", "the request"))
    assert set(codes(outcomes)) <= {"PlacedOrder", "empty-cart"}
    placed = [outcome for outcome in outcomes if isinstance(outcome, PlacedOrder)]
    assert [outcome.replayed for outcome in placed].count(False) == 1
    assert {outcome.order.number for outcome in placed} == {Order.objects.get().number}
    assert [(balance.quantity, balance.recorded) for balance in ledger.balances()] == [(99, 99)]


def one_key_for_20_carts() -> list[Any]:
    """The outcomes of one key with requests for 20 carts by staff; these carts share no locked rows."""
    staff = factories.user("stella", is_staff=True)
    products = [factories.product(f"Shoe {number}") for number in range(20)]
    baskets = [carts_of(number, product) for number, product in enumerate(products)]
    return run_concurrently(
        [
            partial(
                place_order,
                Checkout(
                    cart_id=cart.pk,
                    customer=Customer(user=staff),
                    any_owner=True,
                    key=IdempotencyKey("key", f"the request for {cart.pk}"),
                ),
            )
            for cart in baskets
        ]
    )


def carts_of(number: int, product: Any) -> Cart:
    cart = Cart.objects.create(user=factories.user(f"buyer{number}"))
    cart.items.create(product=product, quantity=1)
    return cart


@contextmanager
def without_unique_keys() -> Iterator[None]:
    """The table without its unique `(key_owner, idempotency_key)`."""
    [constraint] = [row for row in Order._meta.constraints if row.name == "order_owner_key_once"]
    with connection.schema_editor() as editor:
        editor.remove_constraint(Order, constraint)
    try:
        yield
    finally:
        Order.objects.all().delete()
        with connection.schema_editor() as editor:
            editor.add_constraint(Order, constraint)


def test_one_key_for_20_carts_concurrently(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkout, "items_at_current_prices", paused(checkout.items_at_current_prices))
    assert codes(one_key_for_20_carts()) == {"PlacedOrder": 1, "idempotency-key-reused": 19}
    assert Order.objects.count() == 1
    assert all(balance.is_correct for balance in ledger.balances())


def test_control_without_the_unique_key_one_key_makes_many_orders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkout, "items_at_current_prices", paused(checkout.items_at_current_prices))
    with without_unique_keys():
        placed = [outcome for outcome in one_key_for_20_carts() if isinstance(outcome, PlacedOrder)]
    assert len(placed) > 1
