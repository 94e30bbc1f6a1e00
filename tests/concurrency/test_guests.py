"""Merging a guest's cart against additions, checkouts and other merges; one key of a guest."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from accounts import guests
from accounts.models import Guest
from carts import items, merging
from carts.checkout import Checkout, IdempotencyKey, PlacedOrder, place_order
from carts.models import Cart, CartItem
from orders.customers import Customer
from orders.models import Order
from productbackend.errors import DomainError
from products.inventory import ledger
from products.models import Product
from tests import factories
from tests.concurrency.racing import paused
from tests.concurrently import run_concurrently

PIECES = 3


def guest_with(product: Product, quantity: int = PIECES) -> Guest:
    guest, _ = guests.create_guest()
    item, _ = items.add(customer=Customer(guest=guest), product_id=product.pk, quantity=quantity)
    Cart.objects.filter(pk=item.cart_id).update(email="gast@example.com")
    return guest


def refusals(outcomes: list[Any]) -> Counter[str]:
    return Counter(
        error.code if isinstance(error, DomainError) else repr(error)
        for error in outcomes
        if isinstance(error, Exception)
    )


def pieces() -> int:
    """The pieces in all carts and orders."""
    carts = sum(CartItem.objects.values_list("quantity", flat=True))
    return carts + sum(
        quantity for order in Order.objects.all() for quantity in order.lines.values_list("quantity", flat=True)
    )


def merge_16_times() -> tuple[list[Any], int]:
    """16 merges of one guest's cart into the carts of 4 users; the outcomes, and the pieces in all carts."""
    product, users = factories.product(quantity=1_000), [factories.user(f"user{number}") for number in range(4)]
    guest = guest_with(product)
    outcomes = run_concurrently([partial(merging.merge, user=user, guest=guest) for user in users * 4])
    return outcomes, pieces()


def test_16_merges_of_one_guest_add_its_pieces_once() -> None:
    outcomes, added = merge_16_times()
    assert refusals(outcomes) == {}
    assert added == PIECES
    assert not Cart.objects.filter(guest__isnull=False).exists()


class Unlocked:
    """In place of the model: its rows without a lock, read before a pause."""

    class objects:
        @staticmethod
        def select_for_update() -> Any:
            return Cart.objects.all()


def test_control_without_the_lock_of_the_guests_cart_pieces_are_doubled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merging, "Cart", Unlocked)
    monkeypatch.setattr(merging, "move", paused(merging.move, 0.05))
    assert merge_16_times()[1] > PIECES


def test_merges_additions_and_checkouts_lose_and_double_no_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(items, "locked_cart_of", paused(items.locked_cart_of))
    product, user = factories.product(quantity=10_000), factories.user()
    guest = guest_with(product)
    cart = Cart.objects.get(guest=guest)
    calls: list[Callable[[], Any]] = [
        *[partial(merging.merge, user=user, guest=guest)] * 8,
        *[partial(items.add, customer=Customer(guest=guest), product_id=product.pk, quantity=1)] * 8,
        *[partial(items.add, customer=Customer(user=user), product_id=product.pk, quantity=1)] * 8,
        *[partial(place_order, Checkout(cart_id=cart.pk, customer=Customer(guest=guest)))] * 8,
    ]
    outcomes = run_concurrently(calls)
    # The guest's cart was merged or ordered before; a cart that an addition made again has no address.
    assert refusals(outcomes).keys() <= {"not-found", "already-ordered", "empty-cart", "checkout-incomplete"}
    assert pieces() == PIECES + 16
    sold = sum(1 for outcome in outcomes if isinstance(outcome, PlacedOrder))
    assert Order.objects.count() == sold <= 1
    [balance] = ledger.balances()
    assert balance.quantity == balance.recorded


def test_one_key_of_a_guest_and_20_checkouts() -> None:
    guest = guest_with(factories.product(quantity=100))
    cart, key = Cart.objects.get(), IdempotencyKey("key", "the request")
    placed = run_concurrently(
        [partial(place_order, Checkout(cart_id=cart.pk, customer=Customer(guest=guest), key=key))] * 20
    )
    assert refusals(placed) == {}
    assert Counter(outcome.replayed for outcome in placed) == {False: 1, True: 19}
    assert Order.objects.count() == 1
    [balance] = ledger.balances()
    assert (balance.quantity, balance.recorded) == (97, 97)
