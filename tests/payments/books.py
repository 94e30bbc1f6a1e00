"""A provider in memory, with books of its own, and faults that a test orders.

The fixture `books` of conftest.py registers it in place of the shop's providers.
"""

import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from itertools import count

from django.utils import timezone

from payments.providers.base import (
    Attempt,
    Event,
    InvalidSignature,
    Money,
    ProviderRefused,
    ProviderUnavailable,
    RefundSnapshot,
    RefundState,
    Snapshot,
    Started,
    State,
)

SIGNATURE = "signed by the books"
SECRET = "sk_live_of_the_books"


@dataclass
class Books:
    """The payments by reference, each as the snapshot that a fetch returns.

    `faults` has, by the name of a call (start, fetch, cancel, refund), what goes wrong in its next calls, in order:
    "before" and "after" are no answer, before or after the effect; "refused" is a refusal; "broken" is an error of the
    provider's code, which quotes a secret. `calls` counts the calls.
    """

    code: str = "books"
    name: str = "Books in memory"
    instructions: str = "Pay as you like."
    publishable_key: str | None = "pk_books"
    rows: dict[str, Snapshot] = field(default_factory=dict)
    changed: dict[str, datetime] = field(default_factory=dict)
    faults: dict[str, list[str]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    refund_state: RefundState = RefundState.DONE  # of refunds that the shop asks for
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    lock: threading.RLock = field(default_factory=threading.RLock)

    # --- The protocol ---

    def start(self, attempt: Attempt) -> Started:
        with self.lock, self._faults("start"):
            found = next((row.reference for row in self.rows.values() if row.key == attempt.key), None)
            reference = found or self._new("pay")
            if found is None:
                self._write(Snapshot(reference, attempt.key, State.OPEN, attempt.amount, attempt.currency))
            return Started(reference, f"secret of {reference}", f"https://books.example.com/{reference}")

    def fetch(self, reference: str) -> Snapshot:
        with self.lock, self._faults("fetch"):
            return self.rows[reference]

    def cancel(self, reference: str) -> Snapshot:
        with self.lock, self._faults("cancel"):
            if self.rows[reference].state == State.OPEN:
                self._write(replace(self.rows[reference], state=State.CANCELLED))
            return self.rows[reference]

    def refund(self, reference: str, *, amount: Decimal, key: str) -> RefundSnapshot:
        with self.lock, self._faults("refund"):
            made = next((each for each in self.rows[reference].refunds if each.key == key), None)
            return made or self.refund_outside(reference, amount, key=key, state=self.refund_state)

    def parse_event(self, body: bytes, headers: Mapping[str, str]) -> Event:
        if headers.get("Books-Signature") != SIGNATURE:
            raise InvalidSignature("not signed")
        read = json.loads(body)
        return Event(read["id"], read["kind"], read["reference"])

    def list_since(self, since: datetime) -> Iterator[Snapshot]:
        yield from [row for reference, row in self.rows.items() if self.changed[reference] >= since]

    # --- What a customer, the bank or staff at the provider's own site do ---

    def pay(self, reference: str, amount: Decimal | None = None, state: State = State.SUCCEEDED) -> Snapshot:
        """Capture the amount, or all, even of an attempt that was cancelled."""
        row = self.rows[reference]
        capture = Money(self._new("cap"), row.amount if amount is None else amount, timezone.now())
        return self._write(replace(row, state=state, captures=(*row.captures, capture)))

    def fail(self, reference: str, error: str = "The card was declined.") -> Snapshot:
        return self._write(replace(self.rows[reference], state=State.FAILED, error=error))

    def refund_outside(
        self, reference: str, amount: Decimal, key: str = "", state: RefundState = RefundState.DONE
    ) -> RefundSnapshot:
        made = RefundSnapshot(self._new("ref"), amount, state, timezone.now(), key)
        self._write(replace(self.rows[reference], refunds=(*self.rows[reference].refunds, made)))
        return made

    def finish_refunds(self, reference: str, state: RefundState = RefundState.DONE, error: str = "") -> Snapshot:
        """Move the pending refunds of the payment on."""
        refunds = [
            replace(each, state=state, error=error) if each.state == RefundState.PENDING else each
            for each in self.rows[reference].refunds
        ]
        return self._write(replace(self.rows[reference], refunds=tuple(refunds)))

    def return_refunds(self, reference: str, error: str = "The account is closed.") -> Snapshot:
        """The bank sends the money of the payment's refunds back: they fail after they were done."""
        refunds = [replace(each, state=RefundState.FAILED, error=error) for each in self.rows[reference].refunds]
        return self._write(replace(self.rows[reference], refunds=tuple(refunds)))

    def charge_back(self, reference: str, amount: Decimal | None = None) -> Snapshot:
        row = self.rows[reference]
        money = Money(self._new("cb"), row.amount if amount is None else amount, timezone.now())
        return self._write(replace(row, chargebacks=(*row.chargebacks, money)))

    def reverse_chargeback(self, reference: str) -> Snapshot:
        row = self.rows[reference]
        money = replace(row.chargebacks[-1], reference=self._new("cbr"))
        return self._write(replace(row, chargeback_reversals=(*row.chargeback_reversals, money)))

    def event(self, reference: str, event_id: str | None = None) -> tuple[bytes, dict[str, str]]:
        """The body and the headers of an event about the payment."""
        body = {"id": event_id or self._new("evt"), "kind": "payment.changed", "reference": reference}
        return json.dumps(body).encode(), {"Books-Signature": SIGNATURE}

    def balance(self) -> Decimal:
        """What the shop has by these books."""
        rows = self.rows.values()
        into = [money.amount for row in rows for money in (*row.captures, *row.chargeback_reversals)]
        out = [money.amount for row in rows for money in row.chargebacks]
        back = [each.amount for row in rows for each in row.refunds if each.state == RefundState.DONE]
        return sum(into, Decimal(0)) - sum(out, Decimal(0)) - sum(back, Decimal(0))

    def _write(self, row: Snapshot) -> Snapshot:
        self.rows[row.reference], self.changed[row.reference] = row, timezone.now()
        return row

    def _new(self, kind: str) -> str:
        return f"{kind}_{next(self.numbers)}"

    def _faults(self, call: str) -> "Faults":
        self.calls.append(call)
        waiting = self.faults.get(call, [])
        return Faults(waiting.pop(0) if waiting else None)


@dataclass
class Faults:
    """The fault of one call: around its effect."""

    fault: str | None

    def __enter__(self) -> None:
        if self.fault == "before":
            raise ProviderUnavailable("no answer")
        if self.fault == "refused":
            raise ProviderRefused("The books refuse that.")
        if self.fault == "broken":
            raise KeyError(SECRET)

    def __exit__(self, *error: object) -> None:
        if self.fault == "after":
            raise ProviderUnavailable("no answer")


BOOKS = Books()


def create() -> Books:
    return BOOKS
