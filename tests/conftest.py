"""What every test may ask for."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from rest_framework.test import APIClient

from tests import factories


@pytest.fixture(autouse=True)
def fresh_cache() -> None:
    """No throttle count or cached page of one test reaches another."""
    cache.clear()


@pytest.fixture(autouse=True)
def static_files_as_they_are(settings: Any) -> None:
    """Pages name static files without looking for the collected ones, which only a deployment has."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}


@pytest.fixture(autouse=True)
def passwords_cost_little(request: pytest.FixtureRequest, settings: Any) -> None:
    """Who signs in to something else waits for no Argon2; what is about passwords has it."""
    if request.node.get_closest_marker("real_passwords") is None:
        settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *settings.PASSWORD_HASHERS]


@pytest.fixture
def api() -> APIClient:
    """A client that has not signed in. It answers 500 as a real server does, in place of raising."""
    return APIClient(raise_request_exception=False)


@pytest.fixture
def sign_in(api: APIClient) -> Callable[[Any], APIClient]:
    """A client that bears a real access token of the given user."""

    def client(user: Any) -> APIClient:
        signed_in = APIClient(raise_request_exception=False)
        answer = api.post("/token/", {"username": user.username, "password": factories.PASSWORD})
        signed_in.credentials(HTTP_AUTHORIZATION=f"Bearer {answer.json()['access']}")
        return signed_in

    return client


@pytest.fixture
def customer(sign_in: Any, db: Any) -> APIClient:
    return sign_in(factories.user("carla"))


@pytest.fixture
def other_customer(sign_in: Any, db: Any) -> APIClient:
    return sign_in(factories.user("otto"))


@pytest.fixture
def staff(sign_in: Any, db: Any) -> APIClient:
    """Staff who may do everything."""
    return sign_in(factories.user("stella", is_staff=True, is_superuser=True))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print what tests counted, of those that passed too."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name == "counts":
                terminalreporter.write_line(f"{report.nodeid.rpartition('::')[2]}: {value}")
