"""Deleting the carts that guests left."""

from datetime import timedelta

from django.apps import apps
from django.conf import settings
from django.utils import timezone

from carts.models import Cart
from productbackend.database.transactions import in_slices


def expire_guest_carts() -> int:
    """Delete carts of guests that were not changed for GUEST_CART_DAYS, in slices; return how many.

    A guest of that age with neither a cart nor an order is deleted too.
    """
    limit = timezone.now() - timedelta(days=settings.GUEST_CART_DAYS)
    unused = Cart.objects.filter(guest__isnull=False, updated_at__lt=limit)
    # The condition is repeated in each DELETE: the guest may have come back since the slice was read.
    carts = sum(slice_.filter(updated_at__lt=limit).delete()[1].get("carts.Cart", 0) for slice_ in in_slices(unused))
    guests = apps.get_model("accounts", "Guest").objects.filter(created_at__lt=limit, cart=None, orders=None)
    for slice_ in in_slices(guests):
        slice_.filter(cart=None, orders=None).delete()
    return carts
