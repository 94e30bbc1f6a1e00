"""One cart, one order; one key, one order."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, connection

from carts import checkout
from carts.checkout import IdempotencyKey, Placed, place_order
from carts.models import Cart
from orders.models import Order
from productbackend.errors import DomainError
from products import ledger
from tests import factories
from tests.concurrency.racing import at_once, carts, paused


def unlocked(**which: Any) -> Cart | None:
    return Cart.objects.filter(**which).first()


def click_20_times(key: IdempotencyKey | None = None) -> list[Any]:
    """The outcomes of checking out one cart from 20 connections."""
    [cart] = carts(1, (factories.product(quantity=100), 1))
    return at_once([partial(place_order, cart_id=cart.pk, actor=cart.user, key=key)] * 20)


def codes(outcomes: list[Any]) -> Counter[str]:
    return Counter(getattr(outcome, "code", type(outcome).__name__) for outcome in outcomes)


def test_one_cart_and_20_clicks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkout, "_locked_cart", paused(checkout._locked_cart))
    outcomes = click_20_times()
    assert codes(outcomes) == {"Placed": 1, "already-ordered": 19}
    number = Order.objects.get().number
    assert {outcome.extra["order"] for outcome in outcomes if isinstance(outcome, DomainError)} == {number}
    assert [(balance.quantity, balance.recorded) for balance in ledger.balances()] == [(99, 99)]


def test_control_without_the_lock_of_the_cart_clicks_collide(monkeypatch: pytest.MonkeyPatch) -> None:
    """The unique `cart_id` still lets one order through, but the others meet a database error."""
    monkeypatch.setattr(checkout, "_locked_cart", paused(unlocked))
    assert any(isinstance(outcome, IntegrityError) for outcome in click_20_times())
    assert Order.objects.count() == 1


def test_one_key_and_20_requests_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkout, "_locked_cart", paused(checkout._locked_cart))
    placed = click_20_times(IdempotencyKey("key", "the request"))
    assert Counter(outcome.replayed for outcome in placed) == {False: 1, True: 19}
    assert len({outcome.order.number for outcome in placed}) == 1
    assert [(balance.quantity, balance.recorded) for balance in ledger.balances()] == [(99, 99)]


def test_without_the_lock_of_the_cart_one_key_is_still_one_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """The unique key holds by itself; what the lock adds is that no request meets a cart just emptied by another."""
    monkeypatch.setattr(checkout, "_locked_cart", paused(unlocked))
    outcomes = click_20_times(IdempotencyKey("key", "the request"))
    assert set(codes(outcomes)) <= {"Placed", "empty-cart"}
    placed = [outcome for outcome in outcomes if isinstance(outcome, Placed)]
    assert [outcome.replayed for outcome in placed].count(False) == 1
    assert {outcome.order.number for outcome in placed} == {Order.objects.get().number}
    assert [(balance.quantity, balance.recorded) for balance in ledger.balances()] == [(99, 99)]


def one_key_for_20_carts() -> list[Any]:
    """What staff meet who send one key with requests for 20 carts, whose rows lock nothing of each other."""
    staff = factories.user("stella", is_staff=True)
    products = [factories.product(f"Shoe {number}") for number in range(20)]
    baskets = [carts_of(number, product) for number, product in enumerate(products)]
    return at_once(
        [
            partial(
                place_order,
                cart_id=cart.pk,
                actor=staff,
                any_owner=True,
                key=IdempotencyKey("key", f"the request for {cart.pk}"),
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
    """The table without its unique `(placed_by, idempotency_key)`."""
    [constraint] = [row for row in Order._meta.constraints if row.name == "order_key_once"]
    with connection.schema_editor() as editor:
        # MySQL wants an index for the foreign key to the user in the unique one's place.
        editor.execute("CREATE INDEX order_placed_by ON orders_order (placed_by_id)")
        editor.remove_constraint(Order, constraint)
    try:
        yield
    finally:
        Order.objects.all().delete()
        with connection.schema_editor() as editor:
            editor.add_constraint(Order, constraint)
            editor.execute("DROP INDEX order_placed_by ON orders_order")


def test_one_key_for_20_carts_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkout, "_items_at_todays_prices", paused(checkout._items_at_todays_prices))
    assert codes(one_key_for_20_carts()) == {"Placed": 1, "idempotency-key-reused": 19}
    assert Order.objects.count() == 1
    assert all(balance.holds for balance in ledger.balances())


def test_control_without_the_unique_key_one_key_makes_many_orders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkout, "_items_at_todays_prices", paused(checkout._items_at_todays_prices))
    with without_unique_keys():
        placed = [outcome for outcome in one_key_for_20_carts() if isinstance(outcome, Placed)]
    assert len(placed) > 1
