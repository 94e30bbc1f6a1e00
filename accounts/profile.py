"""The account's own data: changing them, and closing the account."""

from typing import Any

from accounts.addresses import owe_confirmation, owe_notice
from accounts.models import User
from accounts.signals import account_closed
from productbackend.errors import InvalidValue
from productbackend.transactions import retried


@retried
def update(*, user: User, email: str | None = None, **names: str) -> User:
    """Change `first_name` and `last_name`, and ask for a new `email`, which waits until it is confirmed."""
    locked = User.objects.select_for_update().get(pk=user.pk)
    changes: dict[str, Any] = dict(names)
    if email is not None:
        changes["pending_email"] = _ask_for(locked, email)
    for name, value in changes.items():
        setattr(locked, name, value)
    if changes:
        locked.save(update_fields=list(changes))
    return locked


def _ask_for(user: User, email: str) -> str | None:
    """The address that is pending from now on. Asking for the one that is had already drops another that waits."""
    if email == user.email:
        if not user.email_verified:
            owe_confirmation(user=user, address=email)
        return None
    if User.objects.filter(email=email).exists():
        raise InvalidValue("email", "unique", "This address is taken.")
    if email != user.pending_email:
        owe_notice(user=user)
    owe_confirmation(user=user, address=email)
    return email


@retried
def close(*, user: User) -> None:
    """Delete the account and what is personal about it. Its orders stay, without a name."""
    locked = User.objects.select_for_update().get(pk=user.pk)
    account_closed.send(sender=User, user=locked)
    locked.delete()
