"""Authentication by user name, in any case, or by e-mail address."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.db.models import CharField, Q
from django.http import HttpRequest

from accounts import guesses
from accounts.models import User
from productbackend.database.fields import fold
from productbackend.database.statements import Select, slot
from productbackend.text.addresses import canonical_address

NAME_MAX = 254  # an e-mail address; a user name has 150
PASSWORD_MAX = 1000

ACCOUNT = Select(
    lambda: User.objects.filter(Q(username_key=slot("key", CharField())) | Q(email=slot("address", CharField())))
)


def find_account(name: str) -> User | None:
    """Return the account with that user name or e-mail address. At most one matches: only an address contains an @."""
    if len(name) > NAME_MAX:
        return None
    key, address = fold(User.normalize_username(name)), canonical_address(name)
    return ACCOUNT.first(key=key, address=address)


class NameOrEmailBackend(ModelBackend):
    """Authenticate by name or address, and count each guess. Raises Throttled after too many."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        if username is None or password is None or len(password) > PASSWORD_MAX:
            return None
        if len(username) > NAME_MAX:  # the API rejects it earlier; the admin's form does not
            return None
        user = find_account(username)
        guess = guesses.count_sign_in(request, user=user, typed=username)
        with guess:
            if user is None:
                User().set_password(
                    password
                )  # takes as long as checking a wrong password: the time does not show whether the account exists
                correct = False
            else:
                correct = user.check_password(password) and self.user_can_authenticate(user)
        return user if guess.finish(correct) else None
