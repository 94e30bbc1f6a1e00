"""Asking providers how payments stand, and settling them by the answers.

Each call is claimed before by a guarded UPDATE, so that of concurrent askers one asks, and runs outside of any
transaction. A payment whose cancellation was requested is cancelled at its provider instead: the answer says how it
stands then, which may be paid. Whatever a killed worker leaves is due again for the sweep.
"""

import logging
from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import Q, QuerySet
from django.utils import timezone

from payments import schedule
from payments.calling import calling
from payments.models import Payment
from payments.providers.base import ProviderRefused, ProviderUnavailable, Snapshot
from payments.settling import ERROR_MAX, settle
from productbackend.database.transactions import atomic_with_retry

logger = logging.getLogger(__name__)

Status = Payment.Status

CUSTOMERS_INTERVAL = timedelta(seconds=2)  # a customer's GET asks no more often
SWEEP_BATCH = 200  # the queue is shared: tasks behind a batch wait for it
# The provider knows it, or it is to be cancelled before it does.
ASKABLE = Q(reference__isnull=False) | Q(status=Status.PENDING, cancel_requested_at__isnull=False)


class Outcome(StrEnum):
    """What became of a wish to ask."""

    ANSWERED = "answered"
    SILENT = "silent"  # the provider did not answer, or refused to
    SKIPPED = "skipped"  # another worker asks, the provider was asked a moment ago, or there is nothing to ask about


def ask(*, payment_id: int, at_most_every: timedelta = timedelta(0)) -> Payment:
    """Ask the provider unless it was asked within `at_most_every`, settle, and return the payment as it is known.

    Where the provider does not answer, or another worker is asking it now, that is how it was known before.
    """
    ask_now(payment_id, at_most_every=at_most_every)
    return Payment.objects.select_related("order").get(pk=payment_id)


def ask_now(payment_id: int, *, at_most_every: timedelta = timedelta(0)) -> Outcome:
    """Ask the provider and settle; return how that went.

    A payment that was not started, and is not being started, is cancelled here if that was requested.
    """
    payment = _claim(payment_id, at_most_every)
    if payment is None:
        return Outcome.SKIPPED
    if payment.reference is None:
        _drop(payment)
        return Outcome.ANSWERED
    try:
        snapshot = _call(payment)
    except ProviderUnavailable:
        _release_silent(payment)
        return Outcome.SILENT
    except ProviderRefused as error:
        logger.warning("Payment %d: %s refused to say how it stands", payment.pk, payment.method)
        _release_silent(payment, error=str(error)[:ERROR_MAX])
        return Outcome.SILENT
    settle(payment_id=payment.pk, snapshot=snapshot)
    _release(payment, checked_at=payment.claimed_at)
    return Outcome.ANSWERED


def due() -> list[int]:
    """Return the ids of the payments that are due for a look and not claimed, oldest first, up to the batch size."""
    now = timezone.now()
    rows = Payment.objects.filter(schedule.due(now)).filter(schedule.unclaimed(now)).filter(ASKABLE)
    return list(rows.order_by("due_at", "pk").values_list("pk", flat=True)[:SWEEP_BATCH])


@atomic_with_retry
def _claim(payment_id: int, at_most_every: timedelta) -> Payment | None:
    """Claim the payment; None if it is claimed, was asked about too recently, or was never started."""
    now = timezone.now()
    # Not the time of an ask in the future: it is of a clock that was ahead.
    rested = Q(checked_at=None) | Q(checked_at__lte=now - at_most_every) | Q(checked_at__gt=now + schedule.LEASE)
    free = Payment.objects.filter(schedule.unclaimed(now)).filter(rested).filter(ASKABLE, pk=payment_id)
    if not free.update(claimed_at=now):
        return None
    return Payment.objects.filter(pk=payment_id, claimed_at=now).first()


def _call(payment: Payment) -> Snapshot:
    """How the payment stands at its provider, after its cancellation if that was requested.

    Raises ProviderUnavailable or ProviderRefused.
    """
    reference = payment.reference or ""
    with calling(payment.method, f"Payment {payment.pk}") as source:
        if payment.status == Status.PENDING and payment.cancel_requested_at is not None:
            try:
                return source.cancel(reference)
            except ProviderRefused:
                pass  # it cannot be cancelled any more: how it stands says why
        return source.fetch(reference)


@atomic_with_retry
def _drop(payment: Payment) -> None:
    """Cancel an attempt that was never started, and end the claim: nobody got the means to pay it.

    The comparison of all books may find the attempt at its provider meanwhile, and settle it: it was started then.
    """
    dropped = {"status": Status.CANCELLED, "open_key": None, "due_at": None, "updated_at": timezone.now()}
    _own(payment).filter(status=Status.PENDING, reference=None).update(**dropped)
    _own(payment).update(claimed_at=None)


def _release_silent(payment: Payment, **fields: str) -> None:
    """End the claim of a payment whose provider did not say how it stands; it is asked again later."""
    due_at = schedule.next_try(payment, timezone.now())
    _release(payment, due_at=due_at, checked_at=payment.claimed_at, **fields)


@atomic_with_retry
def _release(payment: Payment, **fields: "datetime | str | None") -> None:
    """Write the outcome and end the claim, unless it has expired and another worker has the row."""
    _own(payment).update(claimed_at=None, **fields)


def _own(payment: Payment) -> QuerySet[Payment]:
    return Payment.objects.filter(pk=payment.pk, claimed_at=payment.claimed_at)
