"""Signing in by user name, in any case, or by e-mail address."""

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend
from django.db.models import Q
from django.http import HttpRequest

from productbackend.fields import fold


class NameOrEmailBackend(ModelBackend):
    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> Any:
        if username is None or password is None:
            return None
        User = get_user_model()
        # A name has no @ and an address has one: only one of the two can match.
        user = User.objects.filter(Q(username_key=fold(username)) | Q(email=username.lower())).first()
        if user is None:
            User().set_password(password)  # takes as long as a wrong password: nothing is learnt from the time
            return None
        return user if user.check_password(password) and self.user_can_authenticate(user) else None
