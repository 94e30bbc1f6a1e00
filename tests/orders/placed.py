"""Places orders for tests."""

from dataclasses import replace
from decimal import Decimal
from itertools import count
from typing import Any

from django.db import transaction

from accounts.models import User
from delivery.models import DeliveryMethod
from delivery.offers import offer
from orders import placing
from productbackend.database.postal_addresses import PostalAddress
from products.inventory import stock
from products.models import Product

cart_ids = count(10**6)
CARLA = PostalAddress(
    name="Carla <Coe>", line1="Hauptstraße 1", postal_code="10115", city="Berlin", country="DE", phone="+49 30 1"
)


def place(username: str, *lines: tuple[Product, int], **fields: Any) -> str:
    """Sell the products, create the user's order with the fields, and return its number."""
    user, number = User.objects.get(username=username), placing.new_number()
    wanted = [stock.StockRequest(product.pk, product.name, quantity) for product, quantity in lines]
    with transaction.atomic():
        stock.sell(wanted=wanted, order_number=number, user=user)
        placing.create_order(
            number=number, user=user, lines=lines, placed_by=user, email=user.email, cart_id=next(cart_ids), **fields
        )
    return number


def place_with_everything(username: str, *lines: tuple[Product, int], **fields: Any) -> str:
    """As `place`, with a tax of 19 %, delivery, both addresses, a telephone number and a note."""
    method = DeliveryMethod(code="parcel", name="Parcel & more", price=Decimal("4.90"))
    given = {
        "rates": {"standard": Decimal(19)},
        "delivery": offer(method, items=Decimal(1), country="DE"),
        "shipping_address": CARLA,
        "billing_address": replace(CARLA, name="Coe GmbH", line1="Rechnungsweg 2"),
        "phone": "+49 30 901820",
        "note": "Ring <twice>.",
    }
    return place(username, *lines, **given | fields)
