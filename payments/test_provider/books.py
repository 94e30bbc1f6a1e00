"""The books of the test provider: payments, and the movements of their money. They are the truth."""

import time
import uuid
from dataclasses import dataclass

from payments.test_provider import courses, events
from payments.test_provider.faults import Injector
from payments.test_provider.store import Row, Store

DECLINED = "The card was declined."
REFUND_DECLINED = "The bank refused the refund."


@dataclass
class Refused(Exception):
    """A call that has no effect. `status` is the HTTP status of the answer."""

    text: str
    status: int = 409

    def __str__(self) -> str:
        return self.text


class Books:
    """The rules. Each method is one transaction, in which its events are enqueued too."""

    def __init__(self, store: Store, injector: Injector) -> None:
        self.store = store
        self.injector = injector

    # --- What the shop does --------------------------------------------------------------------

    def start(self, *, key: str, order_number: str, cents: int, currency: str, return_url: str) -> Row:
        """Create a payment, or return the one with this key. Raises Refused if that one differs."""
        with self.store.transaction():
            wanted = (order_number, cents, currency, return_url)
            if found := self.store.row("SELECT * FROM payment WHERE key = ?", key):
                if (found["order_number"], found["cents"], found["currency"], found["return_url"]) != wanted:
                    raise Refused("this key was used for another payment")
                return found
            now = time.time()
            created = self.store.run(
                "INSERT INTO payment"
                " (reference, key, order_number, cents, currency, return_url, created_at, updated_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                *(new_reference("tp"), key, *wanted, now, now),
            )
            return self._by_id(created)

    def payment(self, reference: str) -> Row:
        """Raises Refused if there is none."""
        found = self.store.row("SELECT * FROM payment WHERE reference = ?", reference)
        if found is None:
            raise Refused("there is no such payment", 404)
        return found

    def cancel(self, reference: str) -> Row:
        """Cancel the payment if it is open; return it as it is then."""
        with self.store.transaction():
            payment = self.payment(reference)
            if payment["state"] == "open":
                payment = self._change(payment, "cancelled")
            return payment

    def refund(self, reference: str, *, cents: int, key: str, course: str = "") -> Row:
        """Refund, or return the refund with this key. Raises Refused.

        `course` is `pending` or `fails_later` for a refund whose outcome is known later, and `comes_back` for one that
        is done and fails then.
        """
        with self.store.transaction():
            payment = self.payment(reference)
            if found := self.store.row("SELECT * FROM movement WHERE key = ?", key):
                if (found["payment"], found["cents"]) != (payment["id"], cents):
                    raise Refused("this key was used for another refund")
                return found
            self._require_refundable(payment, cents)
            state = "pending" if course in ("pending", "fails_later") else "done"
            refund = self._move(payment, "refund", cents, key=key, state=state)
            if course:
                kind = "refund" if course == "pending" else "refund_fails"
                self._later(payment, kind, courses.FOLLOW_UP, movement=refund["id"])
            self._touch(payment, "refund.changed")
            return refund

    def changed_since(self, since: float, after: int, limit: int) -> list[Row]:
        """Payments by their last change, then id; beginning after the payment `after` of the time `since`."""
        return self.store.rows(
            "SELECT * FROM payment WHERE (updated_at, id) > (?, ?) ORDER BY updated_at, id LIMIT ?",
            *(since, after, limit),
        )

    def movements(self, payment: Row) -> list[Row]:
        return self.store.rows("SELECT * FROM movement WHERE payment = ? ORDER BY id", payment["id"])

    # --- What the customer and the bank do -----------------------------------------------------

    def pay(self, reference: str, course: str, *, seconds: float | None = None) -> Row:
        """Take the course of an open payment. One that is final, or waits for late money, stays as it is.

        `seconds` replaces the course's waiting time. Raises Refused for one that was cancelled.
        """
        with self.store.transaction():
            payment = self.payment(reference)
            if payment["state"] == "cancelled":
                raise Refused("this payment was cancelled: return to the shop and start another one")
            if payment["state"] != "open" or self.waits(payment):
                return payment
            if course == "fails":
                return self._change(payment, "failed", error=DECLINED)
            wait = courses.DELAY if seconds is None else seconds
            if course == "pays_late":
                self._later(payment, "capture", wait)
                return payment
            if course == "times_out":
                self.store.run("UPDATE payment SET bad_answers = 2 WHERE id = ?", payment["id"])
            payment = self._capture(
                payment,
                copies={"loses_event": 0, "doubles_event": 2}.get(course, 1),
                delay=wait if course == "delays_event" else 0.0,
            )
            self._follow_up(payment, course, courses.FOLLOW_UP if seconds is None else seconds)
            return payment

    def waits(self, payment: Row) -> bool:
        """Whether the money of an open payment is on its way."""
        found = self.store.row("SELECT id FROM step WHERE payment = ? AND kind = 'capture'", payment["id"])
        return found is not None

    def do_afterwards(self, reference: str, action: str, *, cents: int | None = None) -> Row:
        """Refund from outside, charge back, or reverse the chargeback. Raises Refused."""
        with self.store.transaction():
            payment = self.payment(reference)
            if payment["state"] != "succeeded":
                raise Refused("this payment is not paid")
            if action == "chargeback_reversal":
                cents = self.charged_back(payment)
                if cents <= 0:
                    raise Refused("there is no chargeback to reverse")
            else:
                cents = self.refundable(payment) if cents is None else cents
                self._require_refundable(payment, cents)
            self._move(payment, "refund" if action == "refund_outside" else action, cents)
            return self._touch(payment, "refund.changed" if action == "refund_outside" else "dispute.changed")

    def refundable(self, payment: Row) -> int:
        """What the shop still has of the payment, in cents. Pending refunds are taken off."""
        gone = self._sum(payment, "refund") + self._sum(payment, "chargeback")
        return self._sum(payment, "capture") + self._sum(payment, "chargeback_reversal") - gone

    def charged_back(self, payment: Row) -> int:
        """What the bank has taken back and not reversed, in cents."""
        return self._sum(payment, "chargeback") - self._sum(payment, "chargeback_reversal")

    def take_bad_answer(self, reference: str) -> int:
        """How many bad answers about this payment are left, this one included; 0 for none."""
        with self.store.transaction():
            left = self.store.number("SELECT max(bad_answers) FROM payment WHERE reference = ?", reference)
            if left:
                self.store.run("UPDATE payment SET bad_answers = ? WHERE reference = ?", left - 1, reference)
            return left

    def take_due_steps(self) -> int:
        """Do what was put off and is due; return how many steps."""
        with self.store.transaction():
            due = self.store.rows("SELECT * FROM step WHERE due_at <= ? ORDER BY due_at LIMIT 100", time.time())
            for step in due:
                self.store.run("DELETE FROM step WHERE id = ?", step["id"])
                self._take(step)
            return len(due)

    # --- The parts -----------------------------------------------------------------------------

    def _take(self, step: Row) -> None:
        payment = self._by_id(step["payment"])
        if step["kind"] == "capture":
            if payment["state"] in ("open", "cancelled"):  # late money comes whether or not it is wanted
                self._capture(payment)
        elif step["movement"]:
            failed = step["kind"] == "refund_fails"
            self.store.run(
                "UPDATE movement SET state = ?, error = ? WHERE id = ?",
                *("failed" if failed else "done", REFUND_DECLINED if failed else "", step["movement"]),
            )
            self._touch(payment, "refund.changed")
        else:
            try:
                self.do_afterwards(payment["reference"], step["kind"])
            except Refused:
                return  # somebody refunded it in between

    def _capture(self, payment: Row, *, copies: int = 1, delay: float = 0.0) -> Row:
        self._move(payment, "capture", payment["cents"])
        return self._change(payment, "succeeded", copies=copies, delay=delay)

    def _follow_up(self, payment: Row, course: str, wait: float) -> None:
        if course in ("refund_outside", "chargeback"):
            self._later(payment, course, wait)
        if course == "chargeback_reversal":
            self._later(payment, "chargeback", wait)
            self._later(payment, "chargeback_reversal", 2 * wait)

    def _change(self, payment: Row, state: str, *, error: str = "", copies: int = 1, delay: float = 0.0) -> Row:
        self.store.run("UPDATE payment SET state = ?, error = ? WHERE id = ?", state, error, payment["id"])
        return self._touch(payment, "payment.changed", copies=copies, delay=delay)

    def _touch(self, payment: Row, kind: str, *, copies: int = 1, delay: float = 0.0) -> Row:
        self.store.run("UPDATE payment SET updated_at = ? WHERE id = ?", time.time(), payment["id"])
        changed = self._by_id(payment["id"])
        events.add(self.store, self.injector, changed, kind, copies=copies, delay=delay)
        return changed

    def _move(self, payment: Row, kind: str, cents: int, *, key: str | None = None, state: str = "done") -> Row:
        created = self.store.run(
            "INSERT INTO movement (reference, payment, kind, cents, key, state, occurred_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            *(new_reference("tpm"), payment["id"], kind, cents, key, state, time.time()),
        )
        [moved] = self.store.rows("SELECT * FROM movement WHERE id = ?", created)
        return moved

    def _later(self, payment: Row, kind: str, wait: float, *, movement: int | None = None) -> None:
        self.store.run(
            "INSERT INTO step (payment, kind, movement, due_at) VALUES (?, ?, ?, ?)",
            *(payment["id"], kind, movement, time.time() + wait),
        )

    def _sum(self, payment: Row, kind: str) -> int:
        return self.store.number(
            "SELECT sum(cents) FROM movement WHERE payment = ? AND kind = ? AND state != 'failed'",
            *(payment["id"], kind),
        )

    def _require_refundable(self, payment: Row, cents: int) -> None:
        if not 0 < cents <= self.refundable(payment):
            raise Refused("the amount is more than what is left of the payment")

    def _by_id(self, payment: int) -> Row:
        [found] = self.store.rows("SELECT * FROM payment WHERE id = ?", payment)
        return found


def new_reference(prefix: str) -> str:
    return f"{prefix}_{uuid.uuid4().hex}"
