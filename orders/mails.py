"""Mails about orders: placed, paid, sent, cancelled, expired and refunded, each at most once for its cause."""

from collections.abc import Callable
from typing import Any

from django.conf import settings

from orders.models import Order
from orders.tracking import tracking_of
from outbox.mails import Message, enqueue
from outbox.models import Mail
from outbox.rendering import render

CONFIRMATION = "order-confirmation"
PAID = "order-paid"
SENT = "order-sent"
CANCELLED = "order-cancelled"
EXPIRED = "order-expired"
REFUNDED = "order-refunded"

TEMPLATES = {
    CONFIRMATION: "orders/mails/placed",
    PAID: "orders/mails/paid",
    SENT: "orders/mails/sent",
    CANCELLED: "orders/mails/cancelled",
    EXPIRED: "orders/mails/expired",
    REFUNDED: "orders/mails/refunded",
}


# What apps above orders add to the context of a kind of mail: of the order and the cause, which is empty in a preview.
CONTEXTS: dict[str, Callable[[Order, str], dict[str, Any]]] = {}


def key(kind: str, order: Order, cause: str = "") -> str:
    """The outbox's unique key of the mail of this kind about `order`."""
    return f"{kind}:{order.number}:{cause}" if cause else f"{kind}:{order.number}"


def enqueue_mail(kind: str, order: Order, *, cause: str = "", is_first: bool = False) -> None:
    """Enqueue the mail about `order` in the caller's transaction, once; none if the order has no e-mail address.

    Of a kind that can come more than once, such as a refund, there is one mail for each `cause`. `is_first` says that
    there is no such mail yet, which saves statements.
    """
    if order.email:
        enqueue(
            kind=kind,
            key=key(kind, order, cause),
            is_first=is_first,
            recipient=order.email,
            user=order.user,
            reference=order.number,
        )


def compose(mail: Mail) -> Message | None:
    """Compose a mail about the order that it refers to; None if the order is deleted."""
    order = Order.objects.filter(number=mail.reference).first()
    if order is None:
        return None
    return render_mail(mail.kind, order, cause=(mail.key or "").removeprefix(key(mail.kind, order)).removeprefix(":"))


def render_mail(kind: str, order: Order, *, cause: str = "") -> Message:
    """Render the mail of this kind about `order`. Raises whatever a broken template raises."""
    context = {
        "order": order,
        "lines": order.items,
        "amounts": order.amounts,
        "shipping": order.shipping_address,
        "billing": order.billing_address,
        "tracking": tracking_of(order),
        "transfer_instructions": settings.TRANSFER_INSTRUCTIONS if "transfer" in settings.PAYMENT_METHODS else "",
        "site_url": settings.SITE_URL,
        "refund_amount": order.refunded,
    }
    if kind in CONTEXTS:
        context |= CONTEXTS[kind](order, cause)
    return render(TEMPLATES[kind], context)
