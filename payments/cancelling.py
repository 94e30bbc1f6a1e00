"""What happens to the money of an order that is cancelled."""

from typing import TYPE_CHECKING

from orders.models import Order
from payments import ledger, refunds, schedule
from payments.models import Payment

if TYPE_CHECKING:
    from accounts.models import User


def states_transfer(order: Order, user: "User | None") -> bool:
    """Whether the user who cancels the order states that they send back what came by bank transfer.

    Staff do. After the cancellation of a customer, who may be of the staff, the refund waits for staff to send it.
    """
    return user is not None and user.is_staff and user.pk != order.user_id


def after_cancel(order: Order, user: "User | None") -> None:
    """Refund all money of a locked order, and have its open attempts cancelled, in the caller's transaction.

    Failed refunds of it are resolved: what they were to pay back is in these. Those that staff have put aside are not.
    """
    for payment in Payment.objects.select_for_update().filter(order=order).order_by("pk"):
        refunds.create_automatic(
            payment=payment,
            amount=ledger.payment_balance(payment.pk).due_back,
            cause=f"cancelled:{payment.pk}",
            by_staff=states_transfer(order, user),
            user=user,
        )
    refunds.resolve_failed(order.pk)
    schedule.request_cancel(order.pk)
