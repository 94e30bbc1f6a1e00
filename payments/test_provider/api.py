"""The API of the test provider for the shop: JSON over HTTP, with a bearer token."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from payments.test_provider import money
from payments.test_provider.books import Books, Refused
from payments.test_provider.faults import Injector
from payments.test_provider.store import Row

PAGE = 100
REFUND_COURSES = ("pending", "fails_later", "comes_back")  # of those that can happen to a refund, without a bad answer
LENGTHS = {"key": 100, "order_number": 100, "currency": 3, "return_url": 2_000}


class BadAnswer(Exception):
    """The call had its effect, and its answer goes wrong: `times_out` or `error`."""


class Api:
    """The calls: each returns the JSON of its answer. They raise Refused, ValueError and BadAnswer."""

    def __init__(self, books: Books, injector: Injector, *, url: str) -> None:
        self.books = books
        self.injector = injector
        self.url = url

    def start(self, body: Mapping[str, Any]) -> dict[str, Any]:
        texts = {name: text(body, name, most) for name, most in LENGTHS.items()}
        if texts["return_url"] and not is_web_address(texts["return_url"]):
            raise ValueError("return_url is no http or https URL")
        cents = money.cents(body.get("amount"))
        if not texts["key"] or not texts["order_number"]:
            raise ValueError("key and order_number are required")
        fault = self.injector.take("next_start")
        if fault == "refused":
            raise Refused("the provider refuses this payment", 422)
        payment = self.books.start(cents=cents, **texts)
        if fault:
            raise BadAnswer(fault)
        return self.shown(payment) | {"redirect_url": f"{self.url}/pay/{payment['reference']}"}

    def fetch(self, reference: str) -> dict[str, Any]:
        return self._answer(self.books.payment(reference))

    def cancel(self, reference: str) -> dict[str, Any]:
        return self._answer(self.books.cancel(reference))

    def refund(self, reference: str, body: Mapping[str, Any]) -> dict[str, Any]:
        cents, key = money.cents(body.get("amount")), text(body, "key", LENGTHS["key"])
        if not key:
            raise ValueError("key is required")
        fault = self.injector.take("next_refund")
        if fault == "refused":
            raise Refused("the bank refuses this refund", 422)
        course = fault if fault in REFUND_COURSES else ""
        refund = self.books.refund(reference, cents=cents, key=key, course=course)
        if fault and not course:
            raise BadAnswer(fault)
        return shown_refund(refund)

    def changed(self, query: Mapping[str, str]) -> dict[str, Any]:
        """A page of the payments that changed since a time, with the whole of the books about each."""
        since, _, after = query.get("after", "").partition("_")
        if not since:
            since = str(datetime.fromisoformat(query.get("since", "")).timestamp())
        rows = self.books.changed_since(float(since), int(after or 0), PAGE)
        last = rows[-1] if len(rows) == PAGE else None
        after = f"{last['updated_at']!r}_{last['id']}" if last else ""
        return {"results": [self.shown(row) for row in rows], "after": after}

    def faults(self) -> dict[str, Any]:
        return asdict(self.injector.faults)

    def change_faults(self, body: Mapping[str, Any]) -> dict[str, Any]:
        return asdict(self.injector.change(dict(body)))

    def shown(self, payment: Row) -> dict[str, Any]:
        """All that the books say about a payment."""
        movements = self.books.movements(payment)
        of = {kind: [row for row in movements if row["kind"] == kind] for kind in MOVEMENTS}
        return {
            "reference": payment["reference"],
            "key": payment["key"],
            "order_number": payment["order_number"],
            "state": payment["state"],
            "amount": money.amount(payment["cents"]),
            "currency": payment["currency"],
            "error": payment["error"],
            "created_at": money.time(payment["created_at"]),
            "updated_at": money.time(payment["updated_at"]),
            "refunds": [shown_refund(row) for row in of.pop("refund")],
            **{MOVEMENTS[kind]: [shown_movement(row) for row in rows] for kind, rows in of.items()},
        }

    def _answer(self, payment: Row) -> dict[str, Any]:
        if left := self.books.take_bad_answer(payment["reference"]):
            raise BadAnswer("times_out" if left > 1 else "error")
        return self.shown(payment)


MOVEMENTS = {
    "capture": "captures",
    "refund": "refunds",
    "chargeback": "chargebacks",
    "chargeback_reversal": "chargeback_reversals",
}


def shown_movement(row: Row) -> dict[str, Any]:
    return {
        "reference": row["reference"],
        "amount": money.amount(row["cents"]),
        "occurred_at": money.time(row["occurred_at"]),
    }


def shown_refund(row: Row) -> dict[str, Any]:
    """A refund; its key is empty if it was made from outside."""
    return shown_movement(row) | {"state": row["state"], "key": row["key"] or "", "error": row["error"]}


def text(body: Mapping[str, Any], name: str, most: int) -> str:
    """The text of a member; empty if it is missing. Raises ValueError."""
    value = body.get(name, "")
    if not isinstance(value, str) or len(value) > most or not value.isprintable():
        raise ValueError(f"{name} is a text of at most {most} characters")
    return value


def is_web_address(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and url.isascii() and " " not in url
