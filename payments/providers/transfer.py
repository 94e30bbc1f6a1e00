"""Bank transfers: their books are our own rows, which staff write.

A payment is captured as staff mark its order as paid. A refund is done as staff state that they send the money back;
before that these books do not have it.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from payments.models import MoneyMovement, Payment, Refund
from payments.providers.base import (
    Attempt,
    Event,
    InvalidSignature,
    Money,
    ProviderRefused,
    RefundSnapshot,
    RefundState,
    Snapshot,
    Started,
    State,
)

CODE = "transfer"
STATES = {
    Payment.Status.PENDING: State.OPEN,
    Payment.Status.SUCCEEDED: State.SUCCEEDED,
    Payment.Status.FAILED: State.FAILED,
    Payment.Status.CANCELLED: State.CANCELLED,
}
Kind = MoneyMovement.Kind


class BankTransfer:
    """The provider `transfer`. A payment's reference is its key."""

    code = CODE
    name = "Bank transfer"
    publishable_key = None

    @property
    def instructions(self) -> str:
        return str(settings.TRANSFER_INSTRUCTIONS)

    def start(self, attempt: Attempt) -> Started:
        return Started(reference=attempt.key)

    def fetch(self, reference: str) -> Snapshot:
        payment = self._payment(reference)
        return self._snapshot(payment, STATES[Payment.Status(payment.status)])

    def cancel(self, reference: str) -> Snapshot:
        payment = self._payment(reference)
        state = STATES[Payment.Status(payment.status)]
        return self._snapshot(payment, State.CANCELLED if state == State.OPEN else state)

    def refund(self, reference: str, *, amount: Decimal, key: str) -> RefundSnapshot:
        """A refund is done by the statement of staff, which is what sends it: see payments.sending."""
        return RefundSnapshot(key, amount, RefundState.DONE, timezone.now(), key=key)

    def parse_event(self, body: bytes, headers: Mapping[str, str]) -> Event:
        raise InvalidSignature("A bank transfer has no events.")

    def list_since(self, since: datetime) -> Iterator[Snapshot]:
        changed = Payment.objects.filter(Q(created_at__gte=since) | Q(updated_at__gte=since), method=CODE)
        for payment in changed.exclude(reference=None).order_by("pk").iterator():
            yield self._snapshot(payment, STATES[Payment.Status(payment.status)])

    @staticmethod
    def _payment(reference: str) -> Payment:
        payment = Payment.objects.filter(method=CODE, reference=reference).first()
        if payment is None:
            raise ProviderRefused("There is no such bank transfer.")
        return payment

    @staticmethod
    def _snapshot(payment: Payment, state: State) -> Snapshot:
        money: dict[str, list[Money]] = {kind: [] for kind in Kind}
        occurred: dict[int | None, datetime] = {}
        for row in payment.movements.all():
            money[row.kind].append(Money(row.reference, row.amount, row.occurred_at))
            occurred[row.refund_id] = row.occurred_at
        return Snapshot(
            reference=payment.reference or "",
            key=payment.key,
            state=State.SUCCEEDED if money[Kind.CAPTURE] else state,
            amount=payment.amount,
            currency=payment.currency,
            captures=money[Kind.CAPTURE],
            refunds=[
                _refund(row, occurred.get(row.pk, row.updated_at)) for row in payment.refunds.filter(status="done")
            ],
            chargebacks=money[Kind.CHARGEBACK],
            chargeback_reversals=money[Kind.CHARGEBACK_REVERSAL],
            error=payment.error,
        )


def _refund(row: Refund, occurred_at: datetime) -> RefundSnapshot:
    return RefundSnapshot(row.reference or row.key, row.amount, RefundState.DONE, occurred_at, key=row.key)


def create() -> BankTransfer:
    return BankTransfer()
