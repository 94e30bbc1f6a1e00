"""An order's life after it was paid: fulfilled, or cancelled and back in stock."""

from collections import Counter
from typing import Any

from orders.models import Order, OrderChange
from productbackend.errors import DomainError
from productbackend.transactions import retried
from products import stock

Status = Order.Status


@retried
def fulfil(*, order_id: int, user: Any) -> Order:
    """Mark a paid order as sent; one in any other state raises order-state."""
    order = _locked(order_id)
    if order.status != Status.PAID:
        raise DomainError("order-state", f"The order is {order.status} and cannot be fulfilled.")
    _become(order, Status.FULFILLED, user)
    return order


@retried
def cancel(*, order_id: int, user: Any) -> Order:
    """Cancel an order and restock it, once however often it is asked; a fulfilled one raises order-state."""
    order = _locked(order_id)
    if order.status == Status.FULFILLED:
        raise DomainError("order-state", "A fulfilled order cannot be cancelled.")
    if order.status == Status.PAID:
        _become(order, Status.CANCELLED, user)
        pieces: Counter[int] = Counter()
        for line in order.lines.all():
            if line.product_id is not None:
                pieces[line.product_id] += line.quantity
        stock.put_back(quantities=pieces, order_number=order.number, user=user)
    return order


def _locked(order_id: int) -> Order:
    order = Order.objects.select_for_update().filter(pk=order_id).first()
    if order is None:
        raise DomainError("not-found", "There is no such order.")
    return order


def _become(order: Order, status: str, user: Any) -> None:
    order.status = status
    order.save(update_fields={"status"})
    OrderChange.objects.create(order=order, status=status, user=user)
