"""Signing in by user name, in any case, or by e-mail address."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.db.models import Q
from django.http import HttpRequest

from accounts.models import User
from productbackend.fields import fold


def find_account(name: str) -> User | None:
    """The account of that user name or e-mail address. A name has no @ and an address has one: one can match."""
    return User.objects.filter(Q(username_key=fold(User.normalize_username(name))) | Q(email=name.lower())).first()


class NameOrEmailBackend(ModelBackend):
    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> Any:
        if username is None or password is None:
            return None
        user = find_account(username)
        if user is None:
            User().set_password(password)  # takes as long as a wrong password: nothing is learnt from the time
            return None
        return user if user.check_password(password) and self.user_can_authenticate(user) else None
