"""Throttles: per address and per account, counted atomically, and not to be got round."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.core.cache import cache
from redis.exceptions import ConnectionError as RedisConnectionError
from rest_framework.test import APIClient

from outbox.models import Mail
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def rate(settings: Any) -> Any:
    """Set the rate of one scope."""

    def change(scope: str, value: str, **others: Any) -> None:
        framework = settings.REST_FRAMEWORK
        rates = {**framework["DEFAULT_THROTTLE_RATES"], scope: value}
        settings.REST_FRAMEWORK = {**framework, "DEFAULT_THROTTLE_RATES": rates, **others}

    return change


def sign_in(api: APIClient, name: str, **headers: Any) -> Any:
    return api.post("/token/", {"username": name, "password": "wrong"}, **headers)


def test_an_address_that_asks_too_often_is_told_how_long_to_wait(api: APIClient, rate: Any) -> None:
    rate("token", "3/min")
    assert [sign_in(api, f"name{number}").status_code for number in range(4)] == [401, 401, 401, 429]
    refused = sign_in(api, "another")
    assert refused.json()["type"] == "/problems/throttled"
    assert 1 <= int(refused["Retry-After"]) <= 61
    assert sign_in(api, "another", REMOTE_ADDR="192.0.2.7").status_code == 401


@pytest.mark.parametrize(
    ("path", "scope", "body", "status"),
    [
        ("/register/", "register", {"username": "x"}, 400),
        ("/password-reset/", "password-reset", {"email": "x@example.com"}, 202),
        ("/token/", "token", [], 400),
    ],
)
def test_each_of_the_three_is_throttled(
    api: APIClient, rate: Any, path: str, scope: str, body: Any, status: int
) -> None:
    rate(scope, "2/hour")
    assert [api.post(path, body).status_code for _ in range(3)] == [status, status, 429]


def test_an_account_is_throttled_from_many_addresses_by_whatever_name(api: APIClient, rate: Any) -> None:
    factories.user("carla")
    rate("token", "3/min")
    names = ["carla", "CARLA ", "carla@example.com", "Carla@Example.com"]
    statuses = [sign_in(api, name, REMOTE_ADDR=f"192.0.2.{last}").status_code for last, name in enumerate(names, 1)]
    assert statuses == [401, 401, 401, 429]
    assert sign_in(api, "otto", REMOTE_ADDR="192.0.2.9").status_code == 401


def test_a_forged_header_does_not_get_round_it(api: APIClient, rate: Any) -> None:
    rate("token", "2/min")
    forged = [sign_in(api, f"name{last}", HTTP_X_FORWARDED_FOR=f"198.51.100.{last}").status_code for last in range(3)]
    assert forged == [401, 401, 429]


def test_behind_our_proxy_the_last_address_counts(api: APIClient, rate: Any) -> None:
    rate("token", "2/min", NUM_PROXIES=1)
    headers = [f"198.51.100.{last}, 203.0.113.5" for last in range(3)] + ["203.0.113.6"]
    statuses = [
        sign_in(api, f"name{last}", HTTP_X_FORWARDED_FOR=header).status_code for last, header in enumerate(headers)
    ]
    assert statuses == [401, 401, 429, 401]


def test_an_ipv6_network_counts_as_one_address(api: APIClient, rate: Any) -> None:
    rate("token", "2/min")
    sources = ["2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8:0:1::1"]
    statuses = [sign_in(api, f"n{last}", REMOTE_ADDR=source).status_code for last, source in enumerate(sources)]
    assert statuses == [401, 401, 429, 401]


def test_asking_for_new_addresses_is_throttled_by_account_and_nothing_else_is(
    customer: APIClient, other_customer: APIClient, rate: Any
) -> None:
    rate("email-change", "3/hour")

    def ask(client: APIClient, number: int) -> int:
        return client.patch("/account/", {"email": f"new{number}@example.com"}).status_code

    assert [ask(customer, number) for number in range(5)] == [200, 200, 200, 429, 429]
    assert Mail.objects.filter(kind="email-confirm").count() == 3
    assert customer.patch("/account/", {"first_name": "Jo"}).status_code == 200
    assert customer.get("/account/").json()["pending_email"] == "new2@example.com"
    assert ask(other_customer, 9) == 200


def test_without_the_cache_requests_go_on(api: APIClient, rate: Any, monkeypatch: Any, caplog: Any) -> None:
    def away(*args: Any, **kwargs: Any) -> None:
        raise RedisConnectionError("Connection refused")

    rate("token", "1/min")
    for name in ("add", "incr", "get"):
        monkeypatch.setattr(cache, name, away, raising=False)
    assert [sign_in(api, "carla").status_code for _ in range(3)] == [401, 401, 401]
    assert "Nothing is throttled while the cache is away" in caplog.text


def at_once(action: Any) -> list[Any]:
    barrier = Barrier(20)

    def run(number: int) -> Any:
        barrier.wait()
        return action()

    with ThreadPoolExecutor(20) as pool:
        return list(pool.map(run, range(20)))


def test_twenty_at_once_count_as_twenty() -> None:
    cache.add("counter", 0, 60)
    assert sorted(at_once(lambda: cache.incr("counter"))) == list(range(1, 21))
    assert cache.get("counter") == 20
    assert at_once(lambda: cache.add("first", "me", 60)).count(True) == 1


def test_a_counter_keeps_its_end() -> None:
    cache.add("counter", 0, 1)  # Redis takes whole seconds
    cache.incr("counter")
    time.sleep(1.1)
    assert cache.get("counter") is None
    with pytest.raises(ValueError):
        cache.incr("counter")
