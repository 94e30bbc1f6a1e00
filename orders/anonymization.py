"""Removes personal data from orders when the shop need not keep it any longer."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from orders.models import Order, OrderNote
from productbackend.database.transactions import in_slices

YEAR = timedelta(days=366)

ADDRESSES = [*Order.shipping_address.columns, *Order.billing_address.columns]
# The columns that say who the customer was. The country stays: with the amounts it is what taxes are declared by.
PERSONAL_TEXTS = dict.fromkeys(
    [
        "email", "phone", "note", "name_key", "tracking_carrier", "tracking_number", "tracking_url",
        *(column for column in ADDRESSES if not column.endswith("_country")),
    ],
    "",
)  # fmt: skip


def anonymize_old() -> int:
    """Remove who the customer was from orders older than KEEP_ORDERS_YEARS, in slices; return how many.

    Notes of staff are deleted with it. Country and amounts stay. A guest can no longer read them.
    """
    end = timezone.now() - settings.KEEP_ORDERS_YEARS * YEAR
    for notes in in_slices(OrderNote.objects.filter(order__created_at__lt=end)):
        notes.delete()
    old = Order.objects.filter(created_at__lt=end)
    personal = old.exclude(**PERSONAL_TEXTS, guest=None, cart_snapshot__isnull=True)
    nothing: dict[str, str | None] = {**PERSONAL_TEXTS, "guest": None, "cart_snapshot": None}
    return sum(slice_.update(**nothing) for slice_ in in_slices(personal))
