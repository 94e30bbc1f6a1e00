"""Giving the orders of guests to an account with their address."""

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from orders.models import Order
from productbackend.errors import DomainError

if TYPE_CHECKING:
    from accounts.models import User


@transaction.atomic
def claim(*, user: "User") -> int:
    """Give the guests' orders with the user's verified address to the user; return how many.

    An order of a closed account has no guest, so that the next account with its address does not get it.
    Raises forbidden.
    """
    if not user.email or not user.email_verified:
        raise DomainError("forbidden", "Verify your e-mail address first: the orders of guests are found by it.")
    orders = Order.objects.filter(email=user.email, guest__isnull=False)
    return orders.update(user=user, guest=None, updated_at=timezone.now())
