"""Sending refunds to their providers: each row is claimed before, and its outcome written after.

A claim is a guarded UPDATE, committed before the provider is called. The provider is asked first whether it has the
refund already: of an attempt whose worker was killed, or whose answer was lost. So money goes back once, also after the
provider has forgotten the idempotency key. `settle` writes what was done; what was refused is written here.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db.models import F, QuerySet
from django.utils import timezone

from orders import lifecycle
from payments import refunds, schedule
from payments.calling import calling
from payments.models import Refund
from payments.providers import transfer
from payments.providers.base import ProviderRefused, ProviderUnavailable, RefundSnapshot, Snapshot
from payments.refunds import RefundItem, RefundRequest
from payments.settling import settle
from productbackend.database.transactions import atomic_with_retry
from productbackend.errors import DomainError

if TYPE_CHECKING:
    from accounts.models import User

logger = logging.getLogger(__name__)

Status = Refund.Status
SWEEP_BATCH = 200
ERROR_MAX = 500  # the column's length
# The delay after each attempt without an answer; after the last one it stays the same, and the attempts go on.
DELAYS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2))
ASK_AGAIN = timedelta(hours=1)  # about a refund that the provider has, and has not done yet


class QuestionRefused(ProviderRefused):
    """The provider refused to say how the payment stands: it is unknown whether an earlier attempt refunded it."""


def request(wanted: RefundRequest) -> tuple[Refund, bool]:
    """Create a refund that staff ask for, as `refunds.create` does; one by bank transfer is done immediately.

    Raises what `refunds.create` raises.
    """
    refund, replayed = refunds.create(wanted)
    if refund.payment.method == transfer.CODE:
        send(refund.pk)  # our own books: no call leaves the house
        refund.refresh_from_db()
    return refund, replayed


def send(refund_id: int) -> None:
    """Send the refund if it is due and not claimed."""
    refund = claim(refund_id)
    if refund is None:
        return
    try:
        snapshot = _refunded(refund)
    except ProviderRefused as error:
        if isinstance(error, QuestionRefused) and refund.attempts > 1:
            _release(refund, _delay(refund), str(error)[:ERROR_MAX])  # failed, it could be sent, and made, again
        else:
            record_refusal(refund, str(error))
    except ProviderUnavailable:
        _release(refund, _delay(refund), "The provider did not answer.")
    else:
        settle(payment_id=refund.payment_id, snapshot=snapshot)
        _release(refund, ASK_AGAIN, "")  # of one that the provider has not done yet


@atomic_with_retry
def claim(refund_id: int) -> Refund | None:
    """Claim the refund; return None if it is not due, or claimed already."""
    now = timezone.now()
    free = Refund.objects.filter(
        schedule.unclaimed(now), schedule.due(now), pk=refund_id, status=Status.PENDING, due_at__isnull=False
    )
    if not free.update(claimed_at=now, attempts=F("attempts") + 1):
        return None
    return Refund.objects.select_related("payment").filter(pk=refund_id, claimed_at=now).first()


def due() -> list[int]:
    """Return the ids of due refunds, oldest first, up to a batch."""
    now = timezone.now()
    rows = Refund.objects.filter(schedule.unclaimed(now), schedule.due(now), status=Status.PENDING)
    return list(rows.filter(due_at__isnull=False).order_by("due_at", "pk").values_list("pk", flat=True)[:SWEEP_BATCH])


def mark_sent(*, refund_id: int, user: "User") -> Refund:
    """Record that staff have sent the money of a refund by bank transfer that waited for them.

    Raises order-state if it does not wait.
    """
    if not _make_due(refund_id, user):
        raise DomainError("order-state", "This refund does not wait for a bank transfer.")
    send(refund_id)
    return Refund.objects.get(pk=refund_id)


def send_again(*, refund_id: int, user: "User") -> Refund:
    """Send a failed refund again, as a new one with the same pieces or amount. The failed one stays as it is.

    Raises not-found, order-state if it does not wait for that, and what `refunds.create` raises.
    """
    failed = _failed(refund_id)
    items = [RefundItem(row.line.sku, row.quantity, row.restock) for row in failed.lines.select_related("line")]
    has_parts = bool(items) or failed.delivery
    again, _ = request(
        RefundRequest(
            order_id=failed.order_id,
            user=user,
            amount=None if has_parts else failed.amount,
            items=items,
            delivery=failed.delivery,
            reason=failed.reason,
            failed_id=failed.pk,
        )
    )
    return again


@atomic_with_retry
def put_aside(*, refund_id: int, user: "User") -> Refund:
    """Record that a failed refund needs nothing more: the customer got its money in another way.

    So a cancellation does not refund it either. Staff who ask for a refund of it still can.

    Raises not-found, and order-state if it does not wait for that.
    """
    failed = _failed(refund_id)
    lifecycle.locked_order(failed.order_id)  # a cancellation sees it, or comes before it
    waiting = Refund.objects.filter(pk=failed.pk, status=Status.FAILED, resolved_at=None)
    if not waiting.update(resolved_at=timezone.now(), put_aside=True):
        raise DomainError("order-state", "That refund was sent again already, or put aside.")
    logger.info("Refund %d was put aside by user %d", failed.pk, user.pk)
    return failed


@atomic_with_retry
def record_refusal(refund: Refund, error: str) -> None:
    """Write that the provider refused it, unless the claim has expired and another worker has the row.

    A refund that the provider has is not failed by that: it is the question that was refused, and it is asked again.
    """
    error = error[:ERROR_MAX]
    if refund.reference is None:
        _own(refund).update(status=Status.FAILED, error=error, claimed_at=None, due_at=None)
    else:
        _release(refund, ASK_AGAIN, error)


def _refunded(refund: Refund) -> Snapshot:
    """Refund it at the provider, unless it has it already. Return how the payment stands.

    Raises ProviderRefused or ProviderUnavailable.
    """
    payment = refund.payment
    if payment.reference is None:
        raise ProviderRefused("The payment was never started at its provider.")
    with calling(payment.method, f"Refund {refund.pk}") as at:
        try:
            snapshot = at.fetch(payment.reference)
        except ProviderRefused as error:
            raise QuestionRefused(str(error)) from error
        if any(made.key == refund.key for made in snapshot.refunds):
            return snapshot
        made = at.refund(payment.reference, amount=refund.amount, key=refund.key)
    return _with(snapshot, made)


def _with(snapshot: Snapshot, made: RefundSnapshot) -> Snapshot:
    """The snapshot with the refund, which was made after it."""
    others: Sequence[RefundSnapshot] = [each for each in snapshot.refunds if each.reference != made.reference]
    return replace(snapshot, refunds=[*others, made])


def _failed(refund_id: int) -> Refund:
    failed = Refund.objects.filter(pk=refund_id, status=Status.FAILED).first()
    if failed is None:
        raise DomainError("not-found", "There is no such failed refund.")
    return failed


def _delay(refund: Refund) -> timedelta:
    """How long after an attempt without an answer the next one is due."""
    return DELAYS[min(refund.attempts, len(DELAYS)) - 1]


@atomic_with_retry
def _make_due(refund_id: int, user: "User") -> bool:
    """Have a refund by bank transfer that waits for staff sent now. Returns whether it waited."""
    is_transfer = Refund.objects.filter(pk=refund_id, payment__method=transfer.CODE).exists()
    # Without a join: on MySQL Django would select the ids first, and the UPDATE would not be guarded.
    waiting = Refund.objects.filter(pk=refund_id, status=Status.PENDING, due_at=None)
    return is_transfer and bool(waiting.update(due_at=timezone.now(), user=user))


@atomic_with_retry
def _release(refund: Refund, delay: timedelta, error: str) -> None:
    """End the claim of a refund that is pending still."""
    _own(refund).update(claimed_at=None, due_at=timezone.now() + delay, error=error)


def _own(refund: Refund) -> QuerySet[Refund]:
    return Refund.objects.filter(pk=refund.pk, status=Status.PENDING, claimed_at=refund.claimed_at)
