"""Passwords: validation, change and reset."""

from typing import Any

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils.encoding import DjangoUnicodeDecodeError
from django.utils.http import urlsafe_base64_decode

from accounts.backends import PASSWORD_MAX
from accounts.models import User
from accounts.signals import password_changed
from outbox import mails
from productbackend.errors import DomainError, InvalidValue, InvalidValues

RESET_KIND = "password-reset"


class MaximumLengthValidator:
    """Rejects a password that is too long for signing in."""

    def validate(self, password: str, user: User | None = None) -> None:
        if len(password) > PASSWORD_MAX:
            raise ValidationError(f"A password has {PASSWORD_MAX} characters at most.", code="password_too_long")

    def get_help_text(self) -> str:
        return f"Your password may have {PASSWORD_MAX} characters at most."


class ResetTokens(PasswordResetTokenGenerator):
    """Django's reset tokens, which also expire with `token_version`."""

    def _make_hash_value(self, user: User, timestamp: int) -> str:
        return f"{super()._make_hash_value(user, timestamp)}{user.token_version}"


reset_tokens = ResetTokens()


def password_errors(*, password: str, user: User, field: str) -> list[InvalidValue]:
    """Return the errors of Django's validators for `password` as the password of `user`."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        return [InvalidValue(field, each.code or "invalid", " ".join(each.messages)) for each in error.error_list]
    return []


def change(*, user: User, new_password: str) -> None:
    """Set a new password and revoke every token. The caller has checked the password of `user`.

    Raises InvalidValue if the password changed since, and InvalidValues for a weak one.
    """
    if not _set_password(user, new_password):
        raise InvalidValue("old_password", "incorrect", "The password has changed since.")


def request_reset(*, email: str) -> None:
    """Enqueue a reset mail to `email`.

    The worker looks up the account, so that a request takes the same time for known and unknown addresses.
    """
    mails.enqueue(kind=RESET_KIND, recipient=email)


def reset(*, uid: str, token: str, new_password: str) -> User:
    """Set a new password with the token of a reset mail, once, and mark the mail's address as verified.

    Raises invalid-token, and InvalidValues for a weak password.
    """
    user = _user_from_uid(uid)
    if (
        user is None
        or not reset_tokens.check_token(user, token)
        # The token covers the address that the mail went to, so it is still the account's.
        or not _set_password(user, new_password, email_verified=user.email is not None)
    ):
        raise DomainError("invalid-token", "The link was used, has expired, or is invalid: request a new mail.")
    return user


def _user_from_uid(uid: str) -> User | None:
    try:
        pk = urlsafe_base64_decode(uid).decode()
    except (ValueError, DjangoUnicodeDecodeError):
        return None
    if not pk.isascii() or not pk.isdigit() or len(pk) > 18:
        return None
    return User.objects.filter(pk=int(pk), is_active=True).first()


def _set_password(user: User, new_password: str, **fields: Any) -> bool:
    """Set the password by a guarded UPDATE; return False if the credentials changed since `user` was read.

    It revokes tokens, sessions, reset and verification links, and drops a pending address. Raises InvalidValues for a
    weak password.
    """
    if errors := password_errors(password=new_password, user=user, field="new_password"):
        raise InvalidValues(errors)
    # Hash before writing the row: hashing is slow by design, and other writers must not wait for it.
    hashed = make_password(new_password)
    unchanged = {"password": user.password, "email": user.email, "token_version": user.token_version}
    found = User.objects.filter(pk=user.pk, is_active=True, **unchanged)
    version = F("token_version") + 1
    with transaction.atomic():
        if not found.update(password=hashed, token_version=version, pending_email=None, **fields):
            return False
        for name, value in fields.items():
            setattr(user, name, value)
        password_changed.send(sender=User, user=user)
    return True
