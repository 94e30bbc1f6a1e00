"""Customers who buy in a loop, and record the responses."""

import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

from tests.services.stack import Stack
from tests.waiting import wait_for

NUMBERS = """
    SELECT number FROM orders_order WHERE id IN (SELECT order_id FROM orders_orderline WHERE product_id = %s)
"""
PAUSE = 0.2  # each order sends a mail, and the load must not make the queue grow
PATIENCE = 40  # seconds for which a customer retries a request


class Shopper(threading.Thread):
    """Reads the catalogue, adds one piece to the cart and checks out, in a loop until it is stopped.

    A request without a response, or with a 503, is retried: a checkout with the same idempotency key.
    """

    def __init__(self, stack: Stack, product: int, name: str) -> None:
        super().__init__(name=name)
        self.stack = stack
        self.product = product
        self.headers = {"Authorization": f"Bearer {stack.token(name)}"}
        self.session = requests.Session()
        self.leaving = threading.Event()
        self.statuses: Counter[int] = Counter()
        self.unanswered = 0
        self.slowest = 0.0
        self.orders: set[str] = set()
        self.complaints: list[str] = []

    def run(self) -> None:
        while not self.leaving.is_set() and not self.complaints:
            self.send("GET", "/products/", 200)
            self.send("GET", f"/products/{self.product}/", 200)
            item = self.send("POST", "/cart-items/", 200, 201, json={"product": self.product, "quantity": 1})
            key = {"Idempotency-Key": uuid.uuid4().hex}
            order = self.send("POST", f"/carts/{item.get('cart')}/checkout/", 201, headers=key)
            if "number" in order:
                self.orders.add(order["number"])
                self.after(order["number"])
            time.sleep(PAUSE)

    def after(self, order: str) -> None:
        """What a customer does with an order."""

    def send(self, method: str, path: str, *expected: int, headers: dict[str, str] | None = None, **body: Any) -> Any:
        """Retry the request until it succeeds; return the response."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            began = time.monotonic()
            try:
                answer = self.session.request(
                    method, self.stack.url + path, headers=self.headers | (headers or {}), timeout=20, **body
                )
            except requests.RequestException:
                self.unanswered += 1
                time.sleep(0.05)
                continue
            self.slowest = max(self.slowest, time.monotonic() - began)
            self.statuses[answer.status_code] += 1
            if answer.status_code in expected:
                return answer.json()
            if answer.status_code != 503 or not answer.headers.get("Retry-After"):
                break
            time.sleep(0.2)
        else:
            self.complaints.append(f"{method} {path}: no answer within {PATIENCE} s")
            return {}
        self.complaints.append(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
        return {}


class Shop:
    """Running shoppers, and the books that must be consistent after any fault."""

    STOCK = 1_000_000

    def __init__(self, stack: Stack, shoppers: list[Shopper], product: int) -> None:
        self.stack = stack
        self.shoppers = shoppers
        self.product = product

    def orders(self) -> int:
        return sum(len(shopper.orders) for shopper in self.shoppers)

    def statuses(self) -> Counter[int]:
        return sum((shopper.statuses for shopper in self.shoppers), Counter())

    def wait_for_orders(self, count: int, *, seconds: float = 30) -> None:
        """Wait for so many more orders, or for a complaint."""
        enough = self.orders() + count
        wait_for(lambda: self.orders() >= enough or self.complaints(), seconds=seconds)
        assert not self.complaints()

    def complaints(self) -> list[str]:
        return [complaint for shopper in self.shoppers for complaint in shopper.complaints]

    def check_books(self) -> str:
        """Assert that the responses match the database; return a summary."""
        for shopper in self.shoppers:
            shopper.leaving.set()
        for shopper in self.shoppers:
            shopper.join()
        assert not self.complaints()
        ordered = {number for shopper in self.shoppers for number in shopper.orders}
        stored = {number for (number,) in self.stack.execute(NUMBERS, self.product)}
        sold = self.stack.number("SELECT SUM(quantity) FROM orders_orderline WHERE product_id = %s", self.product)
        left = self.stack.number("SELECT quantity FROM products_product WHERE id = %s", self.product)
        moved = self.stack.number("SELECT SUM(delta) FROM products_stockmovement WHERE product_id = %s", self.product)
        counts = (
            f"orders {len(ordered)}, stored {len(stored)}; stock {self.STOCK} - {sold} sold = {left}, "
            f"movements {moved}; "
            f"answers {dict(sorted(self.statuses().items()))}, "
            f"unanswered {sum(shopper.unanswered for shopper in self.shoppers)}, "
            f"slowest {max(shopper.slowest for shopper in self.shoppers):.1f} s"
        )
        assert ordered == stored, counts
        assert self.STOCK - sold == left == moved, counts
        return counts


@contextmanager
def shopping(stack: Stack, count: int = 4, kind: type[Shopper] = Shopper) -> Iterator[Shop]:
    """Run customers who buy one product while a fault happens."""
    mark = uuid.uuid4().hex[:8]
    product = stack.product(f"Bought {mark}", Shop.STOCK)
    shoppers = []
    for number in range(count):
        stack.register(f"shopper-{mark}-{number}")
        shoppers.append(kind(stack, product, f"shopper-{mark}-{number}"))
    for shopper in shoppers:
        shopper.start()
    try:
        yield Shop(stack, shoppers, product)
    finally:
        for shopper in shoppers:
            shopper.leaving.set()
        for shopper in shoppers:
            shopper.join()
