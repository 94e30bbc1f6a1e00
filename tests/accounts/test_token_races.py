"""One refresh token used twenty times at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.contrib.auth.tokens import default_token_generator
from django.db import connection
from django.utils.http import urlsafe_base64_encode
from rest_framework.test import APIClient
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import RefreshToken

from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)

THREADS = 20
HASHING_THREADS = 8  # hashing a password is slow on purpose


def at_once(action: Callable[[Barrier], Any], threads: int = THREADS) -> list[Any]:
    barrier = Barrier(threads)

    def run(number: int) -> Any:
        try:
            return action(barrier)
        finally:
            connection.close()

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, range(threads)))


@pytest.fixture
def refresh(api: APIClient) -> str:
    factories.user("carla")
    return api.post("/token/", {"username": "carla", "password": factories.PASSWORD}).json()["refresh"]


def test_one_of_twenty_refreshes_succeeds(refresh: str) -> None:
    def renew(barrier: Barrier) -> int:
        client = APIClient(raise_request_exception=False)
        barrier.wait()
        return client.post("/token/refresh/", {"refresh": refresh}).status_code

    assert sorted(at_once(renew)) == [200] + [401] * (THREADS - 1)


def test_refreshing_and_signing_out_at_once_spend_it_once(refresh: str) -> None:
    def use(barrier: Barrier) -> int:
        client = APIClient(raise_request_exception=False)
        path = "/token/refresh/" if barrier.wait() % 2 else "/token/revoke/"
        return client.post(path, {"refresh": refresh}).status_code

    statuses = at_once(use)
    assert sorted(statuses)[1:] == [401] * (THREADS - 1)
    assert min(statuses) in (200, 204)


def test_without_the_guard_many_would(refresh: str) -> None:
    """The control: what simplejwt's own view does, which does not look at what `blacklist` found."""

    def renew(barrier: Barrier) -> bool:
        try:
            token = RefreshToken(refresh)  # type: ignore[arg-type]
        except TokenError:
            return False
        finally:
            barrier.wait()  # all have looked whether it is spent before any has spent it
        token.blacklist()
        return True

    assert at_once(renew).count(True) > 1


def test_one_of_many_registrations_gets_the_name(api: APIClient) -> None:
    body = {"username": "carla", "password": factories.PASSWORD, "repeat_password": factories.PASSWORD}

    def register(barrier: Barrier) -> Any:
        client = APIClient(raise_request_exception=False)
        place = barrier.wait()
        return client.post("/register/", {**body, "email": f"carla{place}@example.com"})

    answers = at_once(register, HASHING_THREADS)
    assert sorted(answer.status_code for answer in answers) == [201] + [400] * (HASHING_THREADS - 1)
    refused = [answer.json()["errors"] for answer in answers if answer.status_code == 400]
    assert all([error["field"] for error in errors] == ["username"] for errors in refused)


def test_one_of_many_resets_succeeds(api: APIClient) -> None:
    user = factories.user("carla")
    uid = urlsafe_base64_encode(str(user.pk).encode())
    token = default_token_generator.make_token(user)

    def reset(barrier: Barrier) -> int:
        client = APIClient(raise_request_exception=False)
        body = {"uid": uid, "token": token, "new_password": f"secret of thread {barrier.wait()}"}
        return client.post("/password-reset/confirm/", body).status_code

    assert sorted(at_once(reset, HASHING_THREADS)) == [204] + [400] * (HASHING_THREADS - 1)
