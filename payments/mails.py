"""What the mail about a refund says of it."""

from typing import Any

from orders import mails
from orders.models import Order
from payments.models import Refund


def refund_context(order: Order, cause: str) -> dict[str, Any]:
    """The amount of the refund whose id is the cause; in a preview, which has none, that of the order's last one."""
    rows = Refund.objects.filter(order=order.pk)
    refund = rows.filter(pk=int(cause)).first() if cause else rows.filter(status=Refund.Status.DONE).last()
    return {"refund_amount": refund.amount} if refund else {}


def register() -> None:
    mails.CONTEXTS[mails.REFUNDED] = refund_context
