"""What an order's money means for the order: it is paid, or money goes back.

The sums of the ledger decide, never a provider's word about a state. Every function joins the caller's transaction,
which holds the order's lock, and changes nothing the second time.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db.models import Q, QuerySet, Sum

from orders import lifecycle
from orders.models import Order
from payments import refunds
from payments.ledger import ZERO, order_balance, payment_balance
from payments.models import MoneyMovement, Payment, Refund
from payments.schedule import request_cancel
from products.inventory.stock import InsufficientStock

if TYPE_CHECKING:
    from accounts.models import User

Status = Order.Status
INCOMING = (MoneyMovement.Kind.CAPTURE, MoneyMovement.Kind.CHARGEBACK_REVERSAL)
LATE, CANCELLED, SECOND, EXCESS = "late", "cancelled", "second", "excess"


def decide(order: Order, *, user: "User | None" = None) -> None:
    """Move a locked order as its money says, and refund what it may not keep.

    A pending order with all its money is paid, and an expired one too if its stock can be taken again. Otherwise the
    money of an expired order goes back, as does that of a cancelled one, and what a paid one got too much.
    """
    if order.status == Status.PENDING and order_balance(order.pk).captured >= order.total:
        lifecycle.pay(order, user=user)
        request_cancel(order.pk)
    elif order.status == Status.EXPIRED:
        _take_late_money(order, user)
    if order.status == Status.CANCELLED:
        _refund_all(order, CANCELLED)
    elif order.status in (Status.PAID, Status.FULFILLED):
        _refund_excess(order)


def _take_late_money(order: Order, user: "User | None") -> None:
    if sum((_refundable(payment) for payment in _payments(order)), ZERO) >= order.total:
        try:
            lifecycle.pay_late(order, user=user)
        except InsufficientStock:
            pass  # refunded below
        else:
            request_cancel(order.pk)
            return
    _refund_all(order, LATE)


def _refund_all(order: Order, why: str) -> None:
    for payment in _payments(order):
        _refund(payment, _refundable(payment), why)


def _refund_excess(order: Order) -> None:
    """Refund what came beyond the total: the money that came first pays the order."""
    missing = order.total
    for payment in _payments(order):
        net = payment_balance(payment.pk).captured - _automatic(payment)
        excess = max(ZERO, net - missing)
        why = EXCESS if missing > 0 else SECOND
        missing -= net - excess
        _refund(payment, min(excess, payment_balance(payment.pk).due_back), why)


def _payments(order: Order) -> Iterable[Payment]:
    """The order's payments that got money, in the order in which it came into the ledger."""
    captures = MoneyMovement.objects.filter(order=order, kind=MoneyMovement.Kind.CAPTURE)
    first = dict.fromkeys(captures.order_by("pk").values_list("payment_id", flat=True))
    rows = Payment.objects.in_bulk(list(first))
    return [rows[pk] for pk in first]


def _refundable(payment: Payment) -> Decimal:
    """What is due back, but for failed refunds that wait for staff, who send them again.

    Those are the automatic ones, and all that were done before their money came back. What staff have sent again is not
    kept any more: money that comes afterwards is other money.
    """
    came_back = Q(pk__in=payment.movements.filter(kind=MoneyMovement.Kind.REFUND_REVERSAL).values("refund"))
    failed = Refund.objects.filter(
        came_back | Q(cause__isnull=False), payment=payment, status=Refund.Status.FAILED, put_aside=False
    )
    first = failed.order_by("pk").values_list("pk", flat=True).first()
    if first is None:
        return payment_balance(payment.pk).due_back
    later = Refund.objects.filter(payment=payment, cause=None, pk__gt=first).exclude(status=Refund.Status.FAILED)
    waits = max(ZERO, _sum(failed) - _sum(later))
    return max(ZERO, payment_balance(payment.pk).due_back - waits)


def _automatic(payment: Payment) -> Decimal:
    """The sum of the payment's automatic refunds, in any status."""
    return _sum(Refund.objects.filter(payment=payment, cause__isnull=False))


def _sum(rows: QuerySet[Refund]) -> Decimal:
    amount: Decimal = rows.aggregate(sum=Sum("amount", default=ZERO))["sum"]
    return amount


def _refund(payment: Payment, amount: Decimal, why: str) -> None:
    """Refund the amount once. Money that comes after such a refund is another cause."""
    if amount <= 0:
        return
    cause = f"{why}:{payment.pk}"
    if Refund.objects.filter(cause=cause).exists():
        came = MoneyMovement.objects.filter(order=payment.order_id, kind__in=INCOMING)
        cause = f"{cause}:{came.count()}"
    refunds.create_automatic(payment=payment, amount=amount, cause=cause)
