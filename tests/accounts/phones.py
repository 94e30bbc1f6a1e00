"""Authenticator apps, and log-ins by the pages of the admin."""

import time
from typing import Any

from django.test import Client
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts import two_factor
from accounts.models import User
from tests import factories

LOGIN, CODE, PAGE = "/admin/login/", "/admin/login/code/", "/admin/two-factor/"


class Phone:
    """An app with one key. A right code works for 90 seconds: the one of now, and those before and after it."""

    def __init__(self, key: str) -> None:
        self.key = key

    def code(self, ahead: int = 0) -> str:
        """The code of now, or of `ahead` times 30 seconds later."""
        totp = TOTP(bytes.fromhex(self.key))
        totp.time = time.time() + 30 * ahead
        return f"{totp.token():06d}"

    def wrong(self) -> str:
        """A code that is wrong now and in the next minutes."""
        right = {self.code(ahead) for ahead in range(-5, 30)}
        return next(code for code in (f"{number:06d}" for number in range(100)) if code not in right)


def phone_of(user: User) -> Phone:
    """Give the account a second factor of which no code was used."""
    phone = Phone(two_factor.new_key())
    TOTPDevice.objects.create(user=user, name="phone", key=phone.key)
    return phone


def typed_password(name: str = "stella", page: str = "", **defaults: Any) -> Client:
    """A client that typed the right password at the log-in of the admin."""
    client = Client(**defaults)
    body = {"username": name, "password": factories.PASSWORD, "next": page}
    assert client.post(LOGIN, body).status_code == 302
    return client


def signed_in(phone: Phone, ahead: int = 0, **defaults: Any) -> Client:
    """A client that signed in with a code."""
    client = typed_password(**defaults)
    assert client.post(CODE, {"code": phone.code(ahead)}).status_code == 302
    return client
