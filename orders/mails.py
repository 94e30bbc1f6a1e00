"""The mail that confirms an order."""

from django.conf import settings
from django.template.loader import render_to_string

from orders.models import Order
from outbox.mails import Message
from outbox.models import Mail

CONFIRMATION = "order-confirmation"


def confirmation(mail: Mail) -> Message | None:
    """The confirmation of the order that the mail refers to; None where it is gone."""
    order = Order.objects.prefetch_related("lines").filter(number=mail.reference).first()
    if order is None:
        return None
    context = {"order": order, "shop": settings.SHOP_NAME}
    return Message(
        subject=f"{settings.SHOP_NAME}: your order {order.number}",
        text=render_to_string("orders/confirmation.txt", context),
        html=render_to_string("orders/confirmation.html", context),
    )
