"""Creating an order: its number, lines, first status change and confirmation mail."""

import secrets
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils import timezone

from delivery.offers import Offer
from orders.amounts import Amounts, Charge, amounts
from orders.mails import CONFIRMATION, enqueue_mail
from orders.models import Order, OrderChange, OrderLine
from productbackend.database.fields import KEY_LENGTH, fold
from productbackend.database.postal_addresses import PostalAddress
from productbackend.database.statements import Insert
from productbackend.errors import InvalidValue
from products.models import Product
from taxes.rates import Rates

if TYPE_CHECKING:
    from accounts.models import User

TOTAL_MAX = Decimal("999999999999999999.99")  # the column's maximum
INSERT_ORDER, INSERT_LINE, INSERT_CHANGE = Insert(Order), Insert(OrderLine), Insert(OrderChange)
NUMBER_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # without characters that look alike


def new_number() -> str:
    """Return a random number that is easy to read out and does not reveal the count of orders."""
    groups = ("".join(secrets.choice(NUMBER_ALPHABET) for _ in range(4)) for _ in range(3))
    return "-".join(groups)


def checked_total(total: Decimal, field: str | None = None) -> Decimal:
    """Return `total`. Raises InvalidValue if it exceeds the maximum."""
    if total > TOTAL_MAX:
        raise InvalidValue(field, "max_total", f"The total would be above {TOTAL_MAX:,}: reduce the quantities.")
    return total


def create_order(
    *,
    number: str,
    lines: Sequence[tuple[Product, int]],
    rates: Rates | None = None,
    delivery: Offer | None = None,
    shipping_address: PostalAddress | None = None,
    billing_address: PostalAddress | None = None,
    placed_by: "User | None",
    email: str | None,
    **fields: Any,
) -> Order:
    """Create an order of `(product, quantity)` lines, at the products' prices, in the caller's transaction.

    It is pending where the shop takes payments and it costs something, else paid. `rates` are the tax rates by class;
    without them no tax is computed. `fields` has the `user` or the `guest` whose order it is. The confirmation is sent
    to `email`, if there is one. Raises InvalidValue if the total exceeds the maximum.
    """
    carriage, costs = _costs(lines, rates or {}, delivery)
    order = Order(
        number=number,
        placed_by=placed_by,
        email=email or "",
        total=checked_total(costs.total),
        tax=costs.tax,
        prices_include_tax=settings.PRICES_INCLUDE_TAX,
        currency=settings.CURRENCY,
        name_key=fold(shipping_address.name)[:KEY_LENGTH] if shipping_address else "",
        **_status_columns(costs.total),
        **_delivery_columns(delivery, carriage),
        **Order.shipping_address.values(shipping_address),
        **Order.billing_address.values(billing_address),
        **fields,
    )
    INSERT_ORDER.one(order)
    order.items = _lines(order, lines, costs)
    INSERT_LINE.all(order.items)
    INSERT_CHANGE.one(OrderChange(order=order, status=order.status, user=placed_by))
    enqueue_mail(CONFIRMATION, order, is_first=True)
    return order


def _costs(lines: Sequence[tuple[Product, int]], rates: Rates, delivery: Offer | None) -> tuple[Charge | None, Amounts]:
    """The charge of the delivery, if there is one, and all amounts."""
    charges = [Charge(product.price * quantity, rates.get(product.tax_class)) for product, quantity in lines]
    carriage = Charge(delivery.price, rates.get(delivery.method.tax_class)) if delivery else None
    return carriage, amounts(charges, carriage, prices_include_tax=settings.PRICES_INCLUDE_TAX)


def _status_columns(total: Decimal) -> dict[str, Any]:
    now = timezone.now()
    if not settings.PAYMENT_METHODS or not total:
        return {"status": Order.Status.PAID, "paid_at": now}
    return {
        "status": Order.Status.PENDING,
        "expires_at": now + timedelta(minutes=settings.PAYMENT_HOLD_MINUTES),
    }


def _delivery_columns(delivery: Offer | None, carriage: Charge | None) -> dict[str, Any]:
    if delivery is None or carriage is None:
        return {}
    return {
        "delivery_code": delivery.method.code,
        "delivery_name": delivery.method.name,
        "delivery_price": carriage.amount,
        "delivery_tax_rate": carriage.rate,
    }


def _lines(order: Order, lines: Sequence[tuple[Product, int]], costs: Amounts) -> list[OrderLine]:
    return [
        OrderLine(
            order=order,
            product=product,
            sku=product.sku,
            slug=product.slug,
            name=product.name,
            options=product.options,
            unit_price=product.price,
            quantity=quantity,
            tax_rate=taxed.rate,
            tax=taxed.tax,
        )
        for (product, quantity), taxed in zip(lines, costs.lines, strict=True)
    ]
