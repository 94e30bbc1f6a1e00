"""Calls that run in the middle of others, and the carts they are about."""

import threading
import time
from collections.abc import Callable
from typing import Any

from carts.models import Cart, CartItem
from products.models import Product
from tests import factories
from tests.concurrently import Call, outcome

# Seconds: long enough for a thread to write between another thread's check and its write.
GAP = 0.003


def paused(function: Callable[..., Any], seconds: float = GAP) -> Callable[..., Any]:
    """`function` followed by a pause, so that other threads run in between."""

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        time.sleep(seconds)
        return result

    return wrapper


class Meanwhile:
    """Runs `call` in another thread before or after a wrapped function.

    It waits a second for `call`, which ends later if it waits for a lock.
    """

    def __init__(self, call: Call) -> None:
        self.call = call
        self.thread = threading.Thread(target=self._run)
        self.ended_meanwhile = False

    def after(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            result = function(*args, **kwargs)
            self._begin()
            return result

        return wrapper

    def before(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            self._begin()
            return function(*args, **kwargs)

        return wrapper

    @property
    def outcome(self) -> Any:
        self.thread.join(timeout=30)
        return self._outcome

    def _begin(self) -> None:
        if self.thread.ident is None:
            self.thread.start()
            self.thread.join(timeout=1)
            self.ended_meanwhile = not self.thread.is_alive()

    def _run(self) -> None:
        self._outcome = outcome(self.call)


def unlocked_products(ids: list[int]) -> dict[int, Product]:
    """`checkout.locked_products` without the lock."""
    return {row.pk: row for row in Product.objects.filter(pk__in=ids)}


def unlocked_cart(**which: Any) -> Cart | None:
    """`checkout.locked_cart` without the lock."""
    return Cart.objects.filter(**which).first()


def carts(count: int, *wanted: tuple[Product, int]) -> list[Cart]:
    """The carts of `count` customers, each with the `wanted` quantities of products, in this order."""
    filled = [Cart.objects.create(user=factories.user(f"buyer{number}")) for number in range(count)]
    CartItem.objects.bulk_create(
        CartItem(cart=cart, product=product, product_name=product.name, quantity=quantity)
        for cart in filled
        for product, quantity in wanted
    )
    return filled
