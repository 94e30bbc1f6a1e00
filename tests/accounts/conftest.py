"""Fixtures of tests of accounts."""

from typing import Any

import pytest
from django.core.mail import EmailMessage
from rest_framework.test import APIClient

from accounts import guesses
from tests import factories
from tests.mail import deliver
from tests.signing_in import sign_in


@pytest.fixture
def pair(api: APIClient) -> dict[str, str]:
    factories.user("carla")
    return sign_in(api).json()


@pytest.fixture
def registered(api: APIClient) -> EmailMessage:
    """The verification mail of a new account."""
    body = {"username": "carla", "email": "carla@example.com", "first_name": "<Carla>"}
    api.post("/register/", {**body, "password": factories.PASSWORD, "repeat_password": factories.PASSWORD})
    (mail,) = deliver()
    return mail


@pytest.fixture
def few_free_guesses(monkeypatch: Any) -> None:
    monkeypatch.setitem(guesses.FREE_GUESSES, guesses.HOUR, 5)
