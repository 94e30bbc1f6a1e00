"""Verifying e-mail addresses by mailed tokens, and undoing a change of address."""

from datetime import timedelta
from typing import Any

from django.core import signing
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import passwords
from accounts.models import AddressChange, User
from outbox import mails
from productbackend.database.transactions import atomic_with_retry
from productbackend.errors import DomainError
from productbackend.text.addresses import canonical_address

VERIFY_KIND = "email-confirm"
NOTICE_KIND = "email-change"
CHANGED_KIND = "email-changed"
SALT = "accounts.email-confirm"
UNDO_SALT = "accounts.email-undo"
MAX_AGE = 3 * 24 * 3600  # seconds
# A change can be verified for three days, and undone for three days after that.
CHANGE_RETENTION = timedelta(days=14)


def enqueue_verification(*, user: User, address: str) -> None:
    """Enqueue the mail with the token that verifies `address`."""
    mails.enqueue(kind=VERIFY_KIND, recipient=address, user=user)


def begin_change(*, user: User) -> None:
    """Record the change, and enqueue a notice to the current address with a token that undoes it."""
    if user.email:
        change = AddressChange.objects.create(user=user, old_email=user.email)
        mails.enqueue(kind=NOTICE_KIND, recipient=user.email, user=user, reference=str(change.pk))


def is_verified(address: str) -> bool:
    """Return whether an account has the address and has verified it."""
    return User.objects.filter(email=address, email_verified=True).exists()


def awaits_verification(user: User, address: str) -> bool:
    """Return whether the account has the address, or asked for it, and has not verified it."""
    address = canonical_address(address)  # the mail may predate the stored spelling
    return user.is_active and (user.pending_email == address or (user.email == address and not user.email_verified))


def make_token(user: User, address: str) -> str:
    """Return the token that verifies `address`. It expires after three days, or with the next change of password."""
    return signing.dumps([user.pk, address, user.token_digest], salt=SALT)


def make_undo_token(change: AddressChange) -> str:
    """Return the token that undoes `change`. It expires after three days."""
    return signing.dumps(change.pk, salt=UNDO_SALT)


def verify(*, token: str) -> User:
    """Verify the token's address; the first account to verify an address gets it. Raises invalid-token."""
    try:
        pk, address, digest = _load_token(token, SALT)
        return _verify(pk, canonical_address(address), digest)
    except (IntegrityError, ValueError):  # a token of an earlier release has no digest
        raise _invalid_token() from None


def undo(*, token: str) -> User:
    """Restore the former address, revoke every token and session, and enqueue a reset mail. Raises invalid-token."""
    try:
        return _undo(_load_token(token, UNDO_SALT))
    except IntegrityError:
        raise _invalid_token() from None


def delete_old_changes() -> None:
    """Delete the changes of address that can no longer be undone."""
    AddressChange.objects.filter(created_at__lt=timezone.now() - CHANGE_RETENTION).delete()


@atomic_with_retry
def _verify(pk: int, address: str, digest: str) -> User:
    user = User.objects.select_for_update().filter(pk=pk).first()
    if user is None or not awaits_verification(user, address) or digest not in user.token_digests():
        raise DomainError("invalid-token", "The link was used, or the address or password has changed since.")
    if user.email and user.email != address:
        change = AddressChange.objects.filter(user=user, old_email=user.email).order_by("-pk").first()
        change = change or AddressChange.objects.create(user=user, old_email=user.email)
        # `was_confirmed` exempts this notice from outbox.limits: a thief must not delay it with other mails.
        mails.enqueue(
            kind=CHANGED_KIND,
            recipient=user.email,
            user=user,
            reference=str(change.pk),
            was_confirmed=user.email_verified,
        )
    _assign_address(user, address)
    return user


@atomic_with_retry
def _undo(pk: int) -> User:
    change = AddressChange.objects.filter(pk=pk).first()
    user = User.objects.select_for_update().filter(pk=change.user_id).first() if change else None
    # Checked again under the lock: the undo of an earlier change deletes this one.
    if change is None or user is None or not user.is_active or not AddressChange.objects.filter(pk=pk).exists():
        raise _invalid_token()
    # Later changes may be the thief's too: their undo tokens become invalid.
    AddressChange.objects.filter(user=user, pk__gte=pk).delete()
    user.token_version += 1
    _assign_address(user, change.old_email)
    passwords.request_reset(email=change.old_email)  # whoever asked for the change may know the password
    return user


def _assign_address(user: User, address: str) -> None:
    """Set the user's verified address. Raises IntegrityError if another account has verified it.

    An account that has the address unverified loses it.
    """
    User.objects.filter(email=address, email_verified=False).exclude(pk=user.pk).update(email=None)
    user.email, user.email_verified, user.pending_email = address, True, None
    with transaction.atomic():
        user.save(update_fields=["email", "email_verified", "pending_email", "token_version"])


def _load_token(token: str, salt: str) -> Any:
    try:
        return signing.loads(token, salt=salt, max_age=MAX_AGE)
    except signing.BadSignature:
        raise _invalid_token() from None


def _invalid_token() -> DomainError:
    return DomainError("invalid-token", "The link was used, has expired, or is invalid.")
