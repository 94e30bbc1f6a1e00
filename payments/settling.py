"""Settling: the one function that brings a payment, its money and its order to what the provider's books say.

Whoever asked the provider calls it: a worker after an event, the customer's GET, a sweep, the comparison of all books.
Twice is once, and snapshots may come in any order: movements are only added, and states only move forward.
"""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.utils import timezone

from orders import lifecycle
from orders.mails import REFUNDED, enqueue_mail
from orders.models import Order
from payments import ledger, schedule
from payments.deciding import decide
from payments.models import MoneyMovement, Payment, Refund
from payments.providers.base import Money, RefundSnapshot, RefundState, Snapshot, State
from productbackend.database.transactions import atomic_with_retry
from productbackend.errors import DomainError

if TYPE_CHECKING:
    from accounts.models import User

logger = logging.getLogger(__name__)

Kind = MoneyMovement.Kind
Status = Payment.Status
STATUSES = {
    State.OPEN: Status.PENDING,
    State.FAILED: Status.FAILED,
    State.CANCELLED: Status.CANCELLED,
    State.SUCCEEDED: Status.SUCCEEDED,
}
# States only move forward in these orders: an old snapshot changes nothing. A refund may fail after it was done.
ORDER = [Status.PENDING, Status.FAILED, Status.CANCELLED, Status.SUCCEEDED]
REFUND_ORDER = [Refund.Status.PENDING, Refund.Status.DONE, Refund.Status.FAILED]
ERROR_MAX = 500  # the column's length
ELSEWHERE = "Made at the payment provider."


@atomic_with_retry
def settle(*, payment_id: int, snapshot: Snapshot, user: "User | None" = None) -> Payment:
    """Add what the snapshot has and the ledger lacks, and move the payment and its order by the sums.

    `user` is who caused it, if it was not the provider. A snapshot of another payment, or in another currency, is
    logged as an error and changes nothing but when the provider is asked again. Raises not-found.
    """
    order, payment = _locked(payment_id)
    if fault := _fault(payment, snapshot):
        logger.error("Payment %d is not settled: its snapshot has another %s", payment.pk, fault)
        payment.due_at = schedule.next_try(payment, timezone.now())
        payment.save(update_fields={"due_at"})
        return payment
    _record(payment, Kind.CAPTURE, snapshot.captures, user)
    _record(payment, Kind.CHARGEBACK, snapshot.chargebacks, user)
    _record(payment, Kind.CHARGEBACK_REVERSAL, snapshot.chargeback_reversals, user)
    for refund in snapshot.refunds:
        _record_refund(order, payment, refund)
    _move(payment, snapshot)
    _sum_refunds(order)
    decide(order, user=user)
    return payment


def _locked(payment_id: int) -> tuple[Order, Payment]:
    """The payment and its order, locked: always the order first. Raises not-found."""
    order_id = Payment.objects.filter(pk=payment_id).values_list("order_id", flat=True).first()
    if order_id is None:
        raise DomainError("not-found", "There is no such payment.")
    order = lifecycle.locked_order(order_id)
    return order, Payment.objects.select_for_update().get(pk=payment_id)


def _fault(payment: Payment, snapshot: Snapshot) -> str | None:
    """What shows that the snapshot is not the payment's; None if it is."""
    if snapshot.key != payment.key:
        return "key"
    if snapshot.currency.upper() != payment.currency.upper():
        return "currency"
    return "reference" if payment.reference not in (None, snapshot.reference) else None


def _record(payment: Payment, kind: Kind, moneys: Sequence[Money], user: "User | None") -> None:
    for money in moneys:
        ledger.add(payment=payment, kind=kind, money=money, user=user)


def _record_refund(order: Order, payment: Payment, made: RefundSnapshot) -> None:
    """Move the refund as the provider has it, and add its movement if it is done; then tell the customer, once.

    If it fails after that, its money is back: another movement says so.
    """
    refund = _refund_of(payment, made)
    if refund is None:
        if made.state == RefundState.FAILED:
            return
        refund = Refund(payment=payment, order=order, amount=made.amount, reason=ELSEWHERE)
    if refund.amount != made.amount:
        logger.error("Refund %s of payment %d has another amount at its provider", refund.pk, payment.pk)
    _move_refund(refund, made)
    if refund.status == Refund.Status.DONE:
        money = Money(made.reference, made.amount, made.occurred_at)
        if ledger.add(payment=payment, kind=Kind.REFUND, money=money, refund=refund, user=refund.user):
            enqueue_mail(REFUNDED, order, cause=str(refund.pk))
    elif refund.status == Refund.Status.FAILED:
        for moved in refund.movements.filter(kind=Kind.REFUND, reference=made.reference):
            money = Money(ledger.reversal_reference(made.reference), moved.amount, timezone.now())
            if ledger.add(payment=payment, kind=Kind.REFUND_REVERSAL, money=money, refund=refund):
                logger.warning("Refund %d of order %s has failed after it was done", refund.pk, order.number)


def _refund_of(payment: Payment, made: RefundSnapshot) -> Refund | None:
    """Our row of the refund: by our key, else by the provider's reference."""
    rows = Refund.objects.select_for_update().filter(payment=payment)
    ours = rows.filter(key=made.key).first() if made.key else None
    return ours or rows.filter(reference=made.reference).first()


def _move_refund(refund: Refund, made: RefundSnapshot) -> None:
    status = Refund.Status(made.state.value)
    # Failed by a refusal, while the provider has it nevertheless: its state is what counts.
    is_unknown = refund.status == Refund.Status.FAILED and refund.reference is None
    is_forward = is_unknown or REFUND_ORDER.index(status) > REFUND_ORDER.index(Refund.Status(refund.status))
    if refund.pk is not None and refund.reference == made.reference and not is_forward:
        return
    refund.reference = made.reference
    if is_forward:
        refund.status, refund.error = status, made.error[:ERROR_MAX]
        refund.due_at = timezone.now() if status == Refund.Status.PENDING else None
        refund.claimed_at = None
    refund.save()


def _move(payment: Payment, snapshot: Snapshot) -> None:
    """Write the payment's status, and when the provider is asked again."""
    now = timezone.now()
    is_paid = ledger.payment_balance(payment.pk).captured >= payment.amount
    reached = [Status(payment.status), STATUSES[snapshot.state], *([Status.SUCCEEDED] if is_paid else [])]
    status = max(reached, key=ORDER.index)
    changed = {"due_at"}
    if status != payment.status or payment.reference is None:
        payment.status, payment.reference, payment.updated_at = status, snapshot.reference, now
        changed |= {"status", "reference", "updated_at"}
    if status == STATUSES[snapshot.state] and payment.error != snapshot.error[:ERROR_MAX]:
        payment.error = snapshot.error[:ERROR_MAX]
        changed |= {"error"}
    if status != Status.PENDING and (payment.open_key is not None or payment.client_secret):
        payment.open_key, payment.client_secret = None, ""  # of no more use, and a secret
        changed |= {"open_key", "client_secret"}
    payment.due_at = schedule.next_check(payment, is_paid=is_paid, now=now)
    payment.save(update_fields=changed)


def _sum_refunds(order: Order) -> None:
    refunded = ledger.order_balance(order.pk).refunded
    if refunded != order.refunded:
        order.refunded = refunded
        order.save(update_fields={"refunded", "updated_at"})
