"""The ledger of money: what was captured, refunded and charged back. Movements are only added."""

import logging
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db.models import Q, QuerySet, Sum

from payments.models import MoneyMovement, Payment, Refund
from payments.providers.base import Money

if TYPE_CHECKING:
    from accounts.models import User

logger = logging.getLogger(__name__)

Kind = MoneyMovement.Kind
ZERO = Decimal("0.00")
INTO = (Kind.CAPTURE, Kind.REFUND_REVERSAL, Kind.CHARGEBACK_REVERSAL)  # the others go out


@dataclass(frozen=True)
class Balance:
    """The sums of movements of one order or one payment, and of the refunds that are pending."""

    captured: Decimal
    refunded: Decimal  # less what came back
    charged_back: Decimal  # less what was reversed
    refunds_pending: Decimal
    put_aside: Decimal  # failed refunds whose money the customer got in another way

    @property
    def kept(self) -> Decimal:
        """What the shop has."""
        return self.captured - self.refunded - self.charged_back

    @property
    def refundable(self) -> Decimal:
        """What staff can still refund: never below zero."""
        return max(ZERO, self.kept - self.refunds_pending)

    @property
    def due_back(self) -> Decimal:
        """What of it the customer does not have yet: what goes back by itself."""
        return max(ZERO, self.kept - self.refunds_pending - self.put_aside)


def order_balance(order_id: int) -> Balance:
    """The balance of an order. For a decision the caller holds the order's lock."""
    return _balance(MoneyMovement.objects.filter(order=order_id), Refund.objects.filter(order=order_id))


def payment_balance(payment_id: int) -> Balance:
    """The balance of a payment. For a decision the caller holds the lock of its order."""
    return _balance(MoneyMovement.objects.filter(payment=payment_id), Refund.objects.filter(payment=payment_id))


def add(
    *, payment: Payment, kind: Kind, money: Money, refund: Refund | None = None, user: "User | None" = None
) -> bool:
    """Add a movement unless it is in the ledger. Returns whether it was added.

    The caller holds the payment's lock; the unique reference alone prevents a second row. One that is there as another
    movement is logged as an error: the ledger never changes.
    """
    movement, created = MoneyMovement.objects.get_or_create(
        provider=payment.method,
        reference=money.reference,
        defaults={
            "payment": payment,
            "order_id": payment.order_id,
            "refund": refund,
            "kind": kind,
            "amount": money.amount,
            "currency": payment.currency,
            "user": user,
            "occurred_at": money.occurred_at,
        },
    )
    if (movement.payment_id, movement.kind, movement.amount) != (payment.pk, kind, money.amount):
        logger.error("Payment %d: its %s %s is another movement here", payment.pk, kind, money.reference)
    return created


def reversal_reference(refund: str) -> str:
    """The reference of a refund's reversal: providers say that the refund failed, and need not name a movement."""
    return f"{refund}:failed"


def _balance(movements: QuerySet[MoneyMovement], refunds: QuerySet[Refund]) -> Balance:
    sums = movements.aggregate(**{kind.name.lower(): Sum("amount", filter=Q(kind=kind), default=ZERO) for kind in Kind})
    open_sums = refunds.aggregate(
        pending=Sum("amount", filter=Q(status=Refund.Status.PENDING), default=ZERO),
        put_aside=Sum("amount", filter=Q(status=Refund.Status.FAILED, put_aside=True), default=ZERO),
    )
    return Balance(
        captured=sums["capture"],
        refunded=sums["refund"] - sums["refund_reversal"],
        charged_back=sums["chargeback"] - sums["chargeback_reversal"],
        refunds_pending=open_sums["pending"],
        put_aside=open_sums["put_aside"],
    )
