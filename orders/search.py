"""Finding orders by what staff know of them."""

from django.contrib.auth import get_user_model

from orders.models import Order, OrderLine
from productbackend.database.fields import KEY_LENGTH, fold
from productbackend.text.addresses import canonical_address
from products.naming import sku_spellings

MATCHES_MAX = 1_000  # orders that each part of a search finds
CUSTOMERS_MAX = 200
LAST_CHARACTER = "\U0010ffff"


def beginning_with(text: str) -> set[int]:
    """The ids of orders whose number, e-mail address, recipient's name or customer's user name begins with `text`.

    Also of the newest 1,000 orders with the SKU `text`. An address is also found by another spelling of it. Each part
    is read from its own index, and finds 1,000 orders at most: one condition with OR would read every order.
    """
    text = text.strip()
    number, address = text.upper(), text.lower()
    # Every character of a number sorts before ~.
    parts = [Order.objects.filter(number__gte=number, number__lt=f"{number}~")]
    if address:
        parts.append(Order.objects.filter(email__gte=address, email__lt=address + LAST_CHARACTER))
        parts.append(Order.objects.filter(email=canonical_address(text)))
    if name := fold(text)[:KEY_LENGTH]:
        parts.append(Order.objects.filter(name_key__gte=name, name_key__lt=name + LAST_CHARACTER))
        customers = get_user_model().objects.filter(username_key__gte=name, username_key__lt=name + LAST_CHARACTER)
        ids = customers.order_by("username_key").values_list("pk", flat=True)[:CUSTOMERS_MAX]
        parts.append(Order.objects.filter(user__in=list(ids)))
    found = {pk for part in parts for pk in part.order_by().values_list("pk", flat=True)[:MATCHES_MAX]}
    for sku in sku_spellings(text) if text else ():
        lines = OrderLine.objects.filter(sku=sku).order_by("-order_id")
        found.update(lines.values_list("order_id", flat=True)[:MATCHES_MAX])
    return found
