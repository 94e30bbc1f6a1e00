"""The states of an order after checkout: paid, fulfilled, cancelled, expired.

An order holds its stock while it is pending, paid or fulfilled. `cancel` and `expire` put it back in the transaction
that writes the status.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from orders.mails import CANCELLED, EXPIRED, PAID, SENT, enqueue_mail
from orders.models import Order, OrderChange
from orders.tracking import Tracking
from productbackend.database.transactions import atomic_with_retry
from productbackend.errors import DomainError
from products.inventory import stock

if TYPE_CHECKING:
    from accounts.models import User

Status = Order.Status

# Called with a locked order that was cancelled, and the user, in the same transaction.
AFTER_CANCEL: "list[Callable[[Order, User | None], None]]" = []


@atomic_with_retry
def fulfil(*, order_id: int, user: "User", tracking: Tracking | None = None) -> Order:
    """Mark a paid order as fulfilled, store its tracking, and tell the customer by mail.

    Raises not-found, and order-state in any other state.
    """
    order = locked_order(order_id)
    if order.status != Status.PAID:
        raise DomainError("order-state", f"The order is {order.status} and cannot be fulfilled.")
    _set_status(order, Status.FULFILLED, user, tracking.set_on(order) if tracking else set())
    enqueue_mail(SENT, order)
    return order


@atomic_with_retry
def cancel(*, order_id: int, user: "User | None") -> Order:
    """Cancel an order, restock it, and tell the customer by mail; `user` is None if a guest cancels. Idempotent.

    Raises not-found, and order-state if it is fulfilled or expired.
    """
    order = locked_order(order_id)
    if order.status in (Status.FULFILLED, Status.EXPIRED):
        raise DomainError("order-state", f"The order is {order.status} and cannot be cancelled.")
    if order.status != Status.CANCELLED:
        order.expires_at = None
        _set_status(order, Status.CANCELLED, user, {"expires_at"})
        _restock(order, user)
        enqueue_mail(CANCELLED, order)
        for step in AFTER_CANCEL:
            step(order, user)
    return order


def pay(order: Order, *, user: "User | None" = None) -> None:
    """Mark a locked pending order as paid, and tell the customer by mail, in the caller's transaction."""
    order.paid_at, order.expires_at = timezone.now(), None
    _set_status(order, Status.PAID, user, {"paid_at", "expires_at"})
    enqueue_mail(PAID, order)


def expire(order: Order) -> None:
    """Mark a locked pending order as expired, restock it, and tell the customer, in the caller's transaction."""
    order.expires_at = None
    _set_status(order, Status.EXPIRED, None, {"expires_at"})
    _restock(order, None)
    enqueue_mail(EXPIRED, order)


def pay_late(order: Order, *, user: "User | None" = None) -> None:
    """Take the stock of a locked expired order again and mark it as paid, in the caller's transaction.

    Raises InsufficientStock, and writes nothing then.
    """
    wanted = [stock.StockRequest(line.product_id, line.name, line.quantity, sku=line.sku) for line in order.items]
    with transaction.atomic():  # a savepoint: the caller refunds the order if this raises
        stock.sell(wanted=wanted, order_number=order.number, user=user)
    pay(order, user=user)


def locked_order(order_id: int) -> Order:
    """Return the order, locked. Raises not-found."""
    order = Order.objects.select_for_update().filter(pk=order_id).first()
    if order is None:
        raise DomainError("not-found", "There is no such order.")
    return order


def _restock(order: Order, user: "User | None") -> None:
    """Put back in stock what refunds have not."""
    pieces: Counter[int] = Counter()
    for line in order.lines.all():
        if line.product_id is not None and line.quantity > line.restocked:
            pieces[line.product_id] += line.quantity - line.restocked
    stock.restock(quantities=pieces, order_number=order.number, user=user)


def _set_status(order: Order, status: str, user: "User | None", changed: Iterable[str] = ()) -> None:
    """Save the status, and the other columns that have `changed`."""
    order.status = status
    order.save(update_fields={"status", "updated_at", *changed})
    OrderChange.objects.create(order=order, status=status, user=user)
