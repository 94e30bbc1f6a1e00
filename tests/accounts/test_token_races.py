"""Concurrent use of one token, name or reset."""

from collections.abc import Callable, Sequence
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.utils.http import urlsafe_base64_encode
from rest_framework.test import APIClient
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import RefreshToken

from accounts.passwords import reset_tokens
from tests import factories
from tests.concurrently import run_concurrently
from tests.signing_in import sign_in

pytestmark = pytest.mark.django_db(transaction=True)

THREADS = 20
HASHING_THREADS = 8  # hashing a password is slow by design


def post(path: str, body: dict[str, str]) -> Any:
    return APIClient(raise_request_exception=False).post(path, body)


def statuses(calls: Sequence[Callable[[], Any]]) -> list[int]:
    """The statuses of concurrent requests, sorted."""
    return sorted(response.status_code for response in run_concurrently(calls))


@pytest.fixture
def refresh(api: APIClient) -> str:
    factories.user("carla")
    return sign_in(api).json()["refresh"]


def test_one_of_twenty_refreshes_succeeds(refresh: str) -> None:
    renew = partial(post, "/token/refresh/", {"refresh": refresh})
    assert statuses([renew] * THREADS) == [200] + [401] * (THREADS - 1)


def test_concurrent_refresh_and_revocation_use_the_token_once(refresh: str) -> None:
    uses = [partial(post, path, {"refresh": refresh}) for path in ("/token/refresh/", "/token/revoke/")]
    first, *others = statuses(uses * (THREADS // 2))
    assert first in (200, 204)
    assert others == [401] * (THREADS - 1)


def test_control_without_the_guard_many_succeed(refresh: str) -> None:
    """Control: simplejwt's view ignores the result of `blacklist()`."""

    checked = Barrier(THREADS)

    def renew() -> bool:
        try:
            token = RefreshToken(refresh)  # type: ignore[arg-type]
        except TokenError:
            return False
        finally:
            checked.wait()  # all check the blacklist before any writes it
        token.blacklist()
        return True

    assert run_concurrently([renew] * THREADS).count(True) > 1


def test_one_of_many_registrations_gets_the_name(api: APIClient) -> None:
    body = {"username": "carla", "password": factories.PASSWORD, "repeat_password": factories.PASSWORD}

    bodies = [body | {"email": f"carla{number}@example.com"} for number in range(HASHING_THREADS)]
    responses = run_concurrently([partial(post, "/register/", each) for each in bodies])
    assert sorted(response.status_code for response in responses) == [201] + [400] * (HASHING_THREADS - 1)
    refused = [response.json()["errors"] for response in responses if response.status_code == 400]
    assert all([error["field"] for error in errors] == ["username"] for errors in refused)


def test_one_of_many_resets_succeeds(api: APIClient) -> None:
    user = factories.user("carla")
    uid = urlsafe_base64_encode(str(user.pk).encode())
    token = reset_tokens.make_token(user)

    bodies = [
        {"uid": uid, "token": token, "new_password": f"secret of thread {number}"} for number in range(HASHING_THREADS)
    ]
    resets = [partial(post, "/password-reset/confirm/", body) for body in bodies]
    assert statuses(resets) == [204] + [400] * (HASHING_THREADS - 1)
