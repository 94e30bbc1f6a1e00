"""Registering an account."""

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction

from accounts import passwords
from accounts.email_verification import enqueue_verification
from accounts.models import User
from productbackend.database.fields import fold
from productbackend.errors import InvalidValue, InvalidValues
from productbackend.text.addresses import canonical_address


def register(*, username: str, email: str, password: str, first_name: str = "", last_name: str = "") -> User:
    """Create an account, and enqueue its verification mail. Raises InvalidValues for taken and weak values."""
    user = User(username=username, email=email, first_name=first_name, last_name=last_name)
    # Report taken values only if the rest is valid: otherwise anybody could probe them without creating an account.
    errors = passwords.password_errors(password=password, user=user, field="password") or _taken(username, email)
    if errors:
        raise InvalidValues(errors)
    user.password = make_password(password)
    try:
        with transaction.atomic():
            user.save(force_insert=True)
            enqueue_verification(user=user, address=email)
    except IntegrityError:
        # A concurrent request took the name or the address after the lookup.
        if errors := _taken(username, email):
            raise InvalidValues(errors) from None
        raise
    return user


def _taken(username: str, email: str) -> list[InvalidValue]:
    errors = []
    if User.objects.filter(username_key=fold(username)).exists():
        errors.append(InvalidValue("username", "unique", "This name is taken."))
    if User.objects.filter(email=canonical_address(email)).exists():
        errors.append(InvalidValue("email", "unique", "This address is taken."))
    return errors
