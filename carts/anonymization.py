"""Removes personal data from the cart snapshots of orders."""

from typing import TYPE_CHECKING, Any

from django.db.models import Q, QuerySet

from orders.models import Order
from productbackend.database.transactions import in_slices

if TYPE_CHECKING:
    from accounts.models import User


NO_KEY: dict[str, str | None] = {"idempotency_key": None, "key_owner": "", "fingerprint": ""}
# What a snapshot says of the customer.
PERSONAL = {"user": None, "email": None, "phone": "", "note": "", "shipping_address": None, "billing_address": None}


def anonymize(*, user: "User") -> None:
    """Remove the user from the cart snapshots of its orders, and the idempotency keys that it sent."""
    # Also of orders that were claimed: their snapshots are of a guest's cart, without a user.
    _anonymize_snapshots(Order.objects.filter(user=user, cart_snapshot__isnull=False))
    Order.objects.filter(placed_by=user).update(**NO_KEY)


def anonymize_closed() -> int:
    """Anonymize the orders of closed accounts in slices; return how many rows changed."""
    closed = Order.objects.filter(user=None, guest=None, placed_by=None)
    snapshots = _anonymize_snapshots(Order.objects.filter(user=None, cart_snapshot__user__id__isnull=False))
    keys = closed.exclude(Q(idempotency_key=None) & Q(fingerprint=""))
    return snapshots + sum(slice_.update(**NO_KEY) for slice_ in in_slices(keys))


def _anonymize_snapshots(orders: QuerySet[Order]) -> int:
    total = 0
    for slice_ in in_slices(orders):
        rows = list(slice_.only("cart_snapshot"))
        for order in rows:
            order.cart_snapshot = order.cart_snapshot | PERSONAL
        Order.objects.bulk_update(rows, ["cart_snapshot"], batch_size=200)
        total += len(rows)
    return total


def on_account_closed(sender: "type[User]", user: "User", **kwargs: Any) -> None:
    anonymize(user=user)
