"""Making an account."""

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction

from accounts import passwords
from accounts.addresses import owe_confirmation
from accounts.models import User
from productbackend.errors import InvalidValue, InvalidValues
from productbackend.fields import fold


def register(*, username: str, email: str, password: str, first_name: str = "", last_name: str = "") -> User:
    """A new account and, owed to its address, the mail that confirms it. Says which value is taken or too weak."""
    user = User(username=username, email=email, first_name=first_name, last_name=last_name)
    if errors := _taken(username, email) + passwords.weaknesses(password=password, user=user, field="password"):
        raise InvalidValues(errors)
    user.password = make_password(password)
    try:
        with transaction.atomic():
            user.save(force_insert=True)
            owe_confirmation(user=user, address=email)
    except IntegrityError:
        # Another request has taken the name or the address since they were looked up.
        if errors := _taken(username, email):
            raise InvalidValues(errors) from None
        raise
    return user


def _taken(username: str, email: str) -> list[InvalidValue]:
    errors = []
    if User.objects.filter(username_key=fold(username)).exists():
        errors.append(InvalidValue("username", "unique", "This name is taken."))
    if User.objects.filter(email=email.lower()).exists():
        errors.append(InvalidValue("email", "unique", "This address is taken."))
    return errors
