"""An order that exists in no database, for previews."""

from datetime import timedelta
from decimal import Decimal

from django.conf import settings
from django.utils import timezone

from orders.models import Order, OrderLine
from productbackend.database.postal_addresses import PostalAddress

RATE = Decimal(19)
ADDRESS = PostalAddress(
    name="Carla Coe", line1="Hauptstraße 1", postal_code="10115", city="Berlin", country="DE", phone="+49 30 901820"
)


def sample_order() -> Order:
    """An order with two lines, delivery, tax, an address, tracking and a refund, which is not saved.

    It waits for money where the shop takes payments.
    """
    now = timezone.now()
    waits = {"status": Order.Status.PENDING, "expires_at": now + timedelta(minutes=settings.PAYMENT_HOLD_MINUTES)}
    order = Order(
        number="SMT2-3GPF-YXX7",
        email="carla@example.com",
        phone=ADDRESS.phone,
        currency=settings.CURRENCY,
        prices_include_tax=settings.PRICES_INCLUDE_TAX,
        delivery_code="parcel",
        delivery_name="Parcel",
        delivery_price=Decimal("4.90"),
        delivery_tax_rate=RATE,
        tracking_carrier="Example Post",
        tracking_number="JD0140600",
        tracking_url="https://post.example.com/JD0140600",
        refunded=Decimal("59.90"),
        created_at=now,
        **(waits if settings.PAYMENT_METHODS else {}),
        **Order.shipping_address.values(ADDRESS),
    )
    order.items = [
        OrderLine(sku="BOOT-42", name="Walking boot", unit_price=Decimal("59.90"), quantity=1, tax_rate=RATE),
        OrderLine(sku="MUG-BLUE", name="Travel mug, blue", unit_price=Decimal("18.50"), quantity=2, tax_rate=RATE),
    ]
    order.items[0].options = {"Size": "42"}
    order.total, order.tax = order.amounts.total, order.amounts.tax
    return order
