"""Running things at the same moment, each with a database connection of its own."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import Error, connection, connections

from carts.models import Cart, CartItem
from productbackend.errors import DomainError
from products.models import Product
from tests import factories

# As long as a thread needs to come between another's check and its write.
GAP = 0.003

Call = Callable[[], Any]


def outcome(call: Call) -> Any:
    """What the call returned, or the refusal or database error that it raised."""
    try:
        return call()
    except (DomainError, Error) as error:
        return error
    finally:
        connections.close_all()


def at_once(calls: Sequence[Call]) -> list[Any]:
    """The outcomes of the calls, all started at one moment, each with its connection open already."""
    together = threading.Barrier(len(calls))
    one_by_one = threading.Lock()  # 200 greetings at one moment are more than a server listens to

    def run(call: Call) -> Any:
        with one_by_one:
            connection.ensure_connection()
        together.wait(timeout=60)
        return outcome(call)

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def paused(function: Callable[..., Any], seconds: float = GAP) -> Callable[..., Any]:
    """`function`, after which its caller waits, so that others come in between."""

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        time.sleep(seconds)
        return result

    return wrapper


class Meanwhile:
    """Runs `call` in another thread at the moment when a wrapped function is through.

    It gives `call` a second: one that waits for a lock is still at it then, and ends later.
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


def carts(count: int, *wanted: tuple[Product, int]) -> list[Cart]:
    """The carts of so many customers, each with so many of each product, in this order."""
    filled = [Cart.objects.create(user=factories.user(f"buyer{number}")) for number in range(count)]
    CartItem.objects.bulk_create(
        CartItem(cart=cart, product=product, product_name=product.name, quantity=quantity)
        for cart in filled
        for product, quantity in wanted
    )
    return filled
