"""Removes personal data from the outbox."""

from typing import TYPE_CHECKING, Any

from django.db.models import Q

from outbox.models import Mail

if TYPE_CHECKING:
    from accounts.models import User


def anonymize(*, user: "User") -> None:
    """Remove the user's addresses from every mail, and fail the pending ones."""
    addresses = [address for address in (user.email, user.pending_email) if address]
    # Two queries, since each has its own index. A reset mail has an address and no user.
    for own in (Q(user=user), Q(recipient__in=addresses)):
        Mail.objects.filter(own, status=Mail.Status.PENDING).update(status=Mail.Status.FAILED)
        Mail.objects.filter(own).update(recipient="", last_error="")


def on_account_closed(sender: "type[User]", user: "User", **kwargs: Any) -> None:
    anonymize(user=user)
