"""Passwords: what is good enough, changing them, and getting in without one."""

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.db.models import F
from django.utils.encoding import DjangoUnicodeDecodeError
from django.utils.http import urlsafe_base64_decode

from accounts.models import User
from outbox import mails
from productbackend.errors import DomainError, InvalidValue, InvalidValues

RESET_KIND = "password-reset"


def weaknesses(*, password: str, user: User, field: str) -> list[InvalidValue]:
    """What Django's validators say against `password`, knowing whose it is to be."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        return [InvalidValue(field, each.code or "invalid", " ".join(each.messages)) for each in error.error_list]
    return []


def change(*, user: User, old_password: str, new_password: str) -> None:
    """Set a new password, which ends every token of the account."""
    if not user.check_password(old_password):
        raise InvalidValue("old_password", "incorrect", "This is not the account's password.")
    if not _replace(user, new_password):
        raise InvalidValue("old_password", "incorrect", "The password has been changed since.")


def ask_for_reset(*, email: str) -> None:
    """Owe a reset mail to `email`.

    Whether an account has the address is looked up by the worker: asking takes as long for either.
    """
    mails.owe(kind=RESET_KIND, recipient=email)


def reset(*, uid: str, token: str, new_password: str) -> None:
    """Set a new password with what a reset mail brought; it works once."""
    user = _user_of(uid)
    if user is None or not default_token_generator.check_token(user, token) or not _replace(user, new_password):
        raise DomainError("invalid-token", "The link was used, has expired, or is broken: ask for a new mail.")


def _user_of(uid: str) -> User | None:
    try:
        pk = urlsafe_base64_decode(uid).decode()
    except (ValueError, DjangoUnicodeDecodeError):
        return None
    if not pk.isascii() or not pk.isdigit() or len(pk) > 18:
        return None
    return User.objects.filter(pk=int(pk), is_active=True).first()


def _replace(user: User, new_password: str) -> bool:
    """Whether the password could be set: not where another request has set one since `user` was read."""
    if errors := weaknesses(password=new_password, user=user, field="new_password"):
        raise InvalidValues(errors)
    # Hashed before the row is touched: it takes long on purpose, and no other writer is to wait for it.
    hashed = make_password(new_password)
    found = User.objects.filter(pk=user.pk, password=user.password, is_active=True)
    return bool(found.update(password=hashed, token_version=F("token_version") + 1))
