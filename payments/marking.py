"""Marking an order as paid: money that came by another way than a provider of the shop."""

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from django.utils import timezone

from orders import lifecycle
from orders.models import Order
from payments import schedule
from payments.models import Payment
from payments.providers import transfer
from payments.providers.base import Money, State
from payments.settling import settle
from productbackend.database.transactions import atomic_with_retry
from productbackend.errors import DomainError, InvalidValue

if TYPE_CHECKING:
    from accounts.models import User

Status = Order.Status
PAYABLE = (Status.PENDING, Status.EXPIRED)


def not_payable(order: Order) -> str:
    """Says that an order in this state cannot be marked as paid."""
    return f"The order is {order.status}: it does not wait for money."


@atomic_with_retry
def mark_paid(*, order_id: int, amount: Decimal, reference: str, user: "User") -> Order:
    """Record that an order was paid by bank transfer, or by any way of which the shop has no provider.

    A pending order is paid then, and its open attempts are cancelled. An expired one is paid if its stock can be taken
    again; else it stays expired, and the refund of the money waits for staff. `reference` is the staff's own note.
    Raises not-found, order-state if it does not wait for money, or money was marked before, and InvalidValue if
    `amount` is not the total.
    """
    order = lifecycle.locked_order(order_id)
    if order.status not in PAYABLE:
        raise DomainError("order-state", not_payable(order))
    if Payment.objects.filter(order=order, method=transfer.CODE, status=Payment.Status.SUCCEEDED).exists():
        raise DomainError("order-state", "The order was marked as paid already; see its refunds.")
    if amount != order.total:
        raise InvalidValue("amount", "not_the_total", f"It must be the order's total, {order.total} {order.currency}.")
    payment = _payment(order, reference, user)
    snapshot = transfer.create().fetch(payment.key)
    money = Money(payment.key, amount, timezone.now())
    paid = replace(snapshot, state=State.SUCCEEDED, captures=[*snapshot.captures, money])
    settle(payment_id=payment.pk, snapshot=paid, user=user)
    schedule.request_cancel(order.pk)
    return lifecycle.locked_order(order_id)


def _payment(order: Order, note: str, user: "User") -> Payment:
    """The order's open bank transfer, else a new one, with the note."""
    payment = Payment.objects.select_for_update().filter(open_key=f"{order.pk}:{transfer.CODE}").first()
    if payment is None:
        payment = Payment(order=order, method=transfer.CODE, amount=order.total, currency=order.currency, user=user)
    payment.note, payment.reference = note, payment.key
    payment.save()
    return payment
