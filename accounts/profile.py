"""Changing the account's data, and closing the account."""

from collections.abc import Callable
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.auth.hashers import make_password
from django.contrib.contenttypes.models import ContentType

from accounts.email_verification import begin_change, enqueue_verification
from accounts.models import User
from accounts.signals import account_closed
from productbackend.database.transactions import atomic_with_retry
from productbackend.errors import DomainError, InvalidValue

Precondition = Callable[[User], None]


@atomic_with_retry
def update(
    *, user: User, email: str | None = None, precondition: Precondition = lambda account: None, **names: str
) -> User:
    """Change `first_name` and `last_name`, and request a new `email`, which is pending until it is verified.

    For a new address the caller has checked the password of `user`. `precondition` is called with the locked account
    first. Raises InvalidValue for a taken address or a password that changed since, and whatever `precondition` raises.
    """
    locked = locked_user(user)
    precondition(locked)
    changes: dict[str, Any] = dict(names)
    if email is not None:
        _require_checked_password(locked, user)
        changes["pending_email"] = request_address_change(locked, email)
    for name, value in changes.items():
        setattr(locked, name, value)
    if changes:
        locked.save(update_fields=list(changes))
    return locked


def request_address_change(user: User, email: str) -> str | None:
    """Enqueue the mails of a change of address; return the pending address.

    Requesting the current address drops a pending one. Raises InvalidValue if another account has the address.
    """
    if email == user.email:
        if not user.email_verified:
            enqueue_verification(user=user, address=email)
        return None
    if User.objects.filter(email=email).exists():
        raise InvalidValue("email", "unique", "This address is taken.")
    if email != user.pending_email:
        begin_change(user=user)
    enqueue_verification(user=user, address=email)
    return email


@atomic_with_retry
def close(*, user: User, precondition: Precondition = lambda account: None) -> None:
    """Delete the account and anonymize what refers to it. Its orders stay, without a user.

    The caller has checked the password of `user`. `precondition` is called with the locked account first. Admin log
    entries of a staff account stay, with a placeholder user. Raises InvalidValue if the password changed since, and
    whatever `precondition` raises.
    """
    locked = locked_user(user)
    _require_checked_password(locked, user)
    precondition(locked)
    account_closed.send(sender=User, user=locked)
    log = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(User), object_id=str(locked.pk))
    log.update(object_repr=f"account {locked.pk}")
    if LogEntry.objects.filter(user=locked).exists():
        LogEntry.objects.filter(user=locked).update(user=_placeholder(locked))
    locked.delete()


def _placeholder(user: User) -> User:
    """Create the user of a closed account's log entries, which need one. Nobody can register its name."""
    return User.objects.create(username=f"closed account {user.pk}", password=make_password(None), is_active=False)


def _require_checked_password(locked: User, checked: User) -> None:
    """Raise InvalidValue if the password changed after it was checked."""
    if locked.password != checked.password:
        raise InvalidValue("password", "incorrect", "The password has changed since.")


def locked_user(user: User) -> User:
    """Return the account, locked. Raises not-authenticated if it was closed."""
    account = User.objects.select_for_update().filter(pk=user.pk).first()
    if account is None:
        raise DomainError("not-authenticated", "The account was closed.")
    return account
