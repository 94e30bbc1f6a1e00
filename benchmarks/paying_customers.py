"""Customers who check out, pay, do not pay, pay late or cancel, and staff who refund. All repeat lost requests.

What a customer does is drawn from the seed and the customer's number, so that a run can be repeated.
"""

import http.client
import json
import random
import secrets
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit

from benchmarks import shop

PATIENCE = 120.0  # seconds for which a request is repeated
PAID_WITHIN = 15.0  # seconds for which one waits for an order to be paid; what comes later is still counted
LATEST = 8.0  # seconds after which late money comes
AGAIN = {429, 500, 502, 503, 504}  # answers after which a client repeats its request
# What customers do, with their shares.
PLANS = {
    "pays": 34,
    "fails first": 8,
    "does not begin to pay": 6,
    "leaves the page": 10,
    "pays late": 14,
    "cancels": 6,
    "pays and cancels": 6,
    "is refunded": 10,
    "is refunded from outside": 3,
    "is charged back": 3,
}


@dataclass
class Seen:
    """What the customers saw."""

    plans: Counter[str] = field(default_factory=Counter)
    repeated: Counter[str] = field(default_factory=Counter)  # answers after which a request was repeated, by status
    refused: Counter[str] = field(default_factory=Counter)  # other answers above 399, by what was asked
    unfinished: list[str] = field(default_factory=list)  # what a customer gave up
    overdue: list[str] = field(default_factory=list)  # numbers of orders whose time to pay is to be over
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take_overdue(self) -> list[str]:
        with self.lock:
            numbers, self.overdue = self.overdue, []
            return numbers

    def let_expire(self, number: str) -> None:
        with self.lock:
            self.overdue.append(number)


class GaveUp(Exception):
    """There was no final answer within PATIENCE."""


class Client(Protocol):
    """Repeats a request, with its key, until there is a final answer."""

    seen: Seen

    def call(self, method: str, path: str, body: dict[str, Any] | None = None, *, key: str = "") -> tuple[int, Any]: ...
    def another(self) -> "Client": ...
    def close(self) -> None: ...


class Caller:
    """A client of the shop on this host."""

    def __init__(self, port: int, token: str, seen: Seen) -> None:
        self.client = shop.Client(port)
        self.port, self.token, self.seen = port, token, seen

    def call(self, method: str, path: str, body: dict[str, Any] | None = None, *, key: str = "") -> tuple[int, Any]:
        """The status and the body of the final answer. Raises GaveUp."""
        until = time.monotonic() + PATIENCE
        sent = json.dumps(body).encode() if body is not None else b""
        while time.monotonic() < until:
            try:
                status, answer = self.client.request(method, path, self.token, key=key, body=sent)
            except (OSError, http.client.HTTPException):
                self.seen.repeated["no answer"] += 1
            else:
                if status not in AGAIN:
                    return status, json.loads(answer)
                self.seen.repeated[str(status)] += 1
            time.sleep(random.uniform(0.1, 0.4))
        raise GaveUp(f"{method} {path}")

    def another(self) -> "Caller":
        """The same client in another window."""
        return Caller(self.port, self.token, self.seen)

    def close(self) -> None:
        self.client.connection.close()


class Customer:
    """One customer, who buys one cart."""

    def __init__(self, number: int, cart: int, *, caller: Client, staff: Client, seed: int) -> None:
        self.number, self.cart, self.caller, self.staff = number, cart, caller, staff
        self.seen = caller.seen
        self.random = random.Random(f"{seed}:{number}")
        [self.plan] = self.random.choices(list(PLANS), list(PLANS.values()))

    def act(self) -> None:
        """Do all that the plan says. Raises GaveUp."""
        self.seen.plans[self.plan] += 1
        status, order = self.caller.call("POST", f"/carts/{self.cart}/checkout/", key=self.key())
        if status != 201:
            self.refused("checkout", status)
            return
        self.order: str = order["number"]
        if self.plan == "does not begin to pay":
            self.seen.let_expire(self.order)
            return
        payment = self.start()
        if payment is not None:
            self.go_on(payment)

    def go_on(self, payment: dict[str, Any]) -> None:
        late = self.random.uniform(0.2, LATEST)
        match self.plan:
            case "fails first":
                self.pay(payment, "fails")
                self.wait_until(payment, {"failed"})
                second = self.start()
                if second is not None:
                    self.pay(second, "pays")
            case "leaves the page":
                self.seen.let_expire(self.order)
            case "pays late":
                self.pay(payment, "pays_late", late)
                time.sleep(self.random.uniform(0, late))
                self.seen.let_expire(self.order)
            case "cancels":
                self.pay(payment, "pays_late", late / 4)
                time.sleep(self.random.uniform(0, late / 4))
                self.cancel()
            case "pays and cancels":
                self.pay(payment, "pays")
                self.cancel_while_looking(payment)
            case "is refunded from outside":
                self.pay(payment, "refund_outside", late)
            case "is charged back":
                self.pay(payment, "chargeback", late)
            case _:
                self.pay(payment, "pays")
                self.look(payment)
                if self.plan == "is refunded":
                    self.refund()

    def start(self) -> dict[str, Any] | None:
        """The started payment; None if the order waits for none."""
        body = {"method": "test", "return_url": "http://127.0.0.1:5173/paid"}
        status, payment = self.caller.call("POST", f"/orders/{self.order}/payments/", body, key=self.key())
        if status in (200, 201):
            started: dict[str, Any] = payment
            return started
        self.refused("start", status)
        return None

    def pay(self, payment: dict[str, Any], course: str, seconds: float = 0.0) -> None:
        """Press the button of the provider's page; twice does nothing more."""
        page = urlsplit(payment["redirect_url"] or "")
        if not page.path:  # its order was paid or cancelled meanwhile
            return
        body = urlencode({"course": course, "seconds": f"{seconds:.3f}"})
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            connection = http.client.HTTPConnection(page.hostname or "", page.port, timeout=20)
            try:
                connection.request("POST", page.path, body)
                status = connection.getresponse().status
                if status != 303:
                    self.refused("page", status)
                return
            except (OSError, http.client.HTTPException):
                time.sleep(0.2)
            finally:
                connection.close()
        raise GaveUp("the provider's page")

    def look(self, payment: dict[str, Any]) -> None:
        """What the customer's page does after the return: it asks until the payment is no longer pending."""
        self.wait_until(payment, {"succeeded", "failed", "cancelled"})

    def wait_until(self, payment: dict[str, Any], wanted: set[str]) -> None:
        until = time.monotonic() + PAID_WITHIN
        while time.monotonic() < until:
            status, found = self.caller.call("GET", f"/orders/{self.order}/payments/{payment['id']}/")
            if status != 200:
                self.refused("payment", status)
                return
            if found["status"] in wanted:
                return
            time.sleep(0.5)

    def cancel(self) -> None:
        status, _ = self.caller.call("POST", f"/orders/{self.order}/cancel/")
        if status != 200:
            self.refused("cancel", status)

    def cancel_while_looking(self, payment: dict[str, Any]) -> None:
        """Cancel while the customer's page asks how the payment stands, which settles it."""
        page = self.caller.another()
        with ThreadPoolExecutor(1) as pool:
            looking = pool.submit(page.call, "GET", f"/orders/{self.order}/payments/{payment['id']}/")
            self.cancel()
            looking.result()
        page.close()

    def refund(self) -> None:
        """Staff refund a part: an amount, or a piece that goes back in stock."""
        _, order = self.caller.call("GET", f"/orders/{self.order}/")
        if order["status"] != "paid":
            return
        body: dict[str, Any] = {"amount": "1.00"}
        if self.random.random() < 0.5:
            item = {"sku": order["items"][0]["sku"], "quantity": 1, "restock": self.random.random() < 0.5}
            body = {"items": [item]}
        status, _ = self.staff.call("POST", f"/orders/{self.order}/refunds/", body, key=self.key())
        if status != 201:
            self.refused("refund", status)

    def refused(self, what: str, status: int) -> None:
        self.seen.refused[f"{what} {status}"] += 1

    def key(self) -> str:
        return secrets.token_hex(12)
