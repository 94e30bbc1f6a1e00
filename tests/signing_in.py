"""Registers and signs in over HTTP, and makes clients of users who are signed in."""

from typing import Any

from rest_framework.test import APIClient

from accounts import tokens
from tests.factories import PASSWORD


def register(api: APIClient, name: str = "otto", email: str = "otto@example.com") -> Any:
    """The response of /register/."""
    body = {"username": name, "email": email, "password": PASSWORD, "repeat_password": PASSWORD}
    return api.post("/register/", body, format="json")


def sign_in(api: APIClient, name: str = "carla", password: str = PASSWORD, **headers: Any) -> Any:
    """The response of /token/."""
    return api.post("/token/", {"username": name, "password": password}, **headers)


def with_token(access: str) -> APIClient:
    """A client that sends the access token. It returns 500 as a real server does, instead of raising."""
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {access}")
    return client


def without_token(user: Any, **defaults: Any) -> APIClient:
    """A client of the user that needs no token, which would expire in a long run."""
    client = APIClient(raise_request_exception=False, **defaults)
    client.force_authenticate(user)
    return client


def client_of(user: Any) -> APIClient:
    """A client with a new access token of the user, whose password is not checked."""
    return with_token(tokens.issue(user).access)
