"""When a worker looks at a payment again, and which claims hold.

A claim is a guarded UPDATE of `claimed_at`, committed before the provider is called. The claim of a killed worker
expires after `LEASE`. A time in the future is no claim, and due at once: it is of a clock that was ahead.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from outbox.dispatching import dispatch_task
from payments.models import Payment
from productbackend.database.transactions import atomic_with_retry

Status = Payment.Status

LEASE = timedelta(seconds=30)  # a provider's call ends within 10 seconds
CLOSED_FOR = timedelta(days=1)  # how long a failed or cancelled payment is still asked about
LONGEST = timedelta(days=1)  # no row waits longer for its next look
# Age of a payment that is open, and how often the provider is asked then; events and customers ask sooner.
INTERVALS = (
    (timedelta(minutes=10), timedelta(minutes=1)),
    (timedelta(hours=1), timedelta(minutes=5)),
    (timedelta(days=1), timedelta(hours=1)),
)
RARELY = timedelta(hours=6)
RETRY = timedelta(minutes=1)  # after the provider did not answer
CLOSED_INTERVAL = timedelta(minutes=15)


def unclaimed(now: datetime) -> Q:
    """The rows that no worker has claimed."""
    return Q(claimed_at=None) | Q(claimed_at__lt=now - LEASE) | Q(claimed_at__gt=now + LEASE)


def due(now: datetime) -> Q:
    """The rows that are due. One that waits longer than any delay got its time from a clock that was ahead."""
    return Q(due_at__lte=now) | Q(due_at__gt=now + LONGEST + LEASE)


def next_check(payment: Payment, *, is_paid: bool, now: datetime) -> datetime | None:
    """When the provider is asked again about the payment after an answer; None for never.

    `is_paid` says that all its money has come. `updated_at` is when its status changed last.
    """
    if payment.status == Status.PENDING:
        if payment.cancel_requested_at is not None:
            return now + RETRY
        age = now - payment.created_at
        return now + next((interval for limit, interval in INTERVALS if age < limit), RARELY)
    if is_paid or now - payment.updated_at >= CLOSED_FOR:
        return None
    return now + CLOSED_INTERVAL


def next_try(payment: Payment, now: datetime) -> datetime | None:
    """When the provider is asked again after it did not answer; None for never."""
    if payment.status == Status.PENDING:
        return now + RETRY
    return next_check(payment, is_paid=False, now=now)


def request_cancel(order_id: int) -> None:
    """Ask for the cancellation of the order's open payments, in a transaction with the order's lock.

    A worker cancels them at their providers afterwards.
    """
    now = timezone.now()
    open_ones = Payment.objects.filter(order=order_id, status=Status.PENDING, cancel_requested_at=None)
    if open_ones.update(cancel_requested_at=now, due_at=now):
        transaction.on_commit(lambda: dispatch_task("payments.tasks.sweep"), robust=True)


@atomic_with_retry
def postpone(payment_id: int) -> None:
    """Let the sweep look again later at a payment whose provider does not answer."""
    Payment.objects.filter(pk=payment_id).update(due_at=timezone.now() + RETRY)
