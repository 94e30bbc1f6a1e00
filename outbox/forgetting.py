"""Taking a person out of the outbox."""

from typing import Any

from django.db.models import Q

from outbox.models import Mail


def forget(*, user: Any) -> None:
    """Remove the user's addresses from every mail; what was still owed is no longer."""
    addresses = [address for address in (user.email, user.pending_email) if address]
    # Two queries, for each has its index; a reset mail is owed to an address, not to a user.
    for theirs in (Q(user=user), Q(recipient__in=addresses)):
        Mail.objects.filter(theirs, status=Mail.Status.PENDING).update(status=Mail.Status.FAILED)
        Mail.objects.filter(theirs).update(recipient="", last_error="")


def on_account_closed(sender: Any, user: Any, **kwargs: Any) -> None:
    forget(user=user)
