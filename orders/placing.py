"""Writing an order: its number, its frozen lines, its first step, and the mail that confirms it."""

import secrets
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.conf import settings

from orders.mails import CONFIRMATION
from orders.models import Order, OrderChange, OrderLine
from outbox.mails import owe
from products.models import Product

NUMBER_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # none that is read as another


def new_number() -> str:
    """A number that people can read out, and that tells nobody how many orders there are."""
    groups = ("".join(secrets.choice(NUMBER_ALPHABET) for _ in range(4)) for _ in range(3))
    return "-".join(groups)


def write(*, number: str, user: Any, lines: Iterable[tuple[Product, int]], placed_by: Any, **fields: Any) -> Order:
    """Write a paid order of `(product, quantity)` lines, at the products' prices, in the caller's transaction."""
    frozen = [
        OrderLine(product=product, sku=product.sku, name=product.name, unit_price=product.price, quantity=quantity)
        for product, quantity in lines
    ]
    order = Order.objects.create(
        number=number,
        user=user,
        placed_by=placed_by,
        total=sum((line.line_total for line in frozen), Decimal("0.00")),
        currency=settings.CURRENCY,
        **fields,
    )
    for line in frozen:
        line.order = order
    OrderLine.objects.bulk_create(frozen)
    order.items = frozen
    OrderChange.objects.create(order=order, status=order.status, user=placed_by)
    if user.email:
        owe(kind=CONFIRMATION, recipient=user.email, user=user, reference=number)
    return order
