"""Throttles by client address and by account, counted atomically."""

import time
from typing import Any

import pytest
from rest_framework.test import APIClient

from outbox.models import Mail
from productbackend.api.parsers import JSONParser
from productbackend.caches.counters import counters
from tests import factories, unreachable
from tests.concurrently import run_concurrently
from tests.signing_in import sign_in

pytestmark = pytest.mark.django_db


def guess(api: APIClient, name: str, **headers: Any) -> int:
    return sign_in(api, name, "wrong", **headers).status_code


def test_a_throttled_response_has_retry_after(api: APIClient, rate: Any) -> None:
    rate("token", "3/min")
    assert [guess(api, f"name{number}") for number in range(4)] == [401, 401, 401, 429]
    refused = sign_in(api, "another", "wrong")
    assert refused.json()["type"] == "/problems/throttled"
    assert 1 <= int(refused["Retry-After"]) <= 61
    assert guess(api, "another", REMOTE_ADDR="192.0.2.7") == 401


@pytest.mark.parametrize(
    ("path", "scope", "body", "status"),
    [
        ("/register/", "register", {"username": "x"}, 400),
        ("/password-reset/", "password-reset", {"email": "x@example.com"}, 202),
        ("/token/", "token", [], 400),
    ],
)
def test_each_endpoint_is_throttled(api: APIClient, rate: Any, path: str, scope: str, body: Any, status: int) -> None:
    rate(scope, "2/hour")
    assert [api.post(path, body).status_code for _ in range(3)] == [status, status, 429]


def test_a_name_is_throttled_across_addresses_and_spellings(api: APIClient, rate: Any) -> None:
    rate("token", "3/min")
    names = ["carla", "CARLA ", "ｃａｒｌａ", "Carla"]
    statuses = [guess(api, name, REMOTE_ADDR=f"192.0.2.{last}") for last, name in enumerate(names, 1)]
    assert statuses == [401, 401, 401, 429]
    assert guess(api, "otto", REMOTE_ADDR="192.0.2.9") == 401


def test_a_forged_header_does_not_bypass_the_throttle(api: APIClient, rate: Any) -> None:
    rate("token", "2/min")
    forged = [guess(api, f"name{last}", HTTP_X_FORWARDED_FOR=f"198.51.100.{last}") for last in range(3)]
    assert forged == [401, 401, 429]


def test_behind_a_proxy_the_last_address_counts(api: APIClient, rate: Any) -> None:
    rate("token", "2/min", NUM_PROXIES=1)
    headers = [f"198.51.100.{last}, 203.0.113.5" for last in range(3)] + ["203.0.113.6"]
    statuses = [guess(api, f"name{last}", HTTP_X_FORWARDED_FOR=header) for last, header in enumerate(headers)]
    assert statuses == [401, 401, 429, 401]


def test_an_ipv6_network_counts_as_one_address(api: APIClient, rate: Any) -> None:
    rate("token", "2/min")
    sources = ["2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8:0:1::1"]
    statuses = [guess(api, f"n{last}", REMOTE_ADDR=source) for last, source in enumerate(sources)]
    assert statuses == [401, 401, 429, 401]


def test_requests_for_new_addresses_are_throttled_by_account(
    customer: APIClient, other_customer: APIClient, rate: Any
) -> None:
    rate("email-change", "3/hour")

    def ask(client: APIClient, number: int) -> int:
        return client.patch(
            "/account/", {"email": f"new{number}@example.com", "password": factories.PASSWORD}
        ).status_code

    assert [ask(customer, number) for number in range(5)] == [200, 200, 200, 429, 429]
    assert Mail.objects.filter(kind="email-confirm").count() == 3
    assert customer.patch("/account/", {"first_name": "Jo"}).status_code == 200
    assert customer.get("/account/").json()["pending_email"] == "new2@example.com"
    assert ask(other_customer, 9) == 200


def test_requests_for_one_address_are_throttled_across_accounts(
    customer: APIClient, other_customer: APIClient, rate: Any
) -> None:
    rate("email-change", "2/hour")
    body = {"email": "Victim@example.com", "password": factories.PASSWORD}
    asked = [client.patch("/account/", body) for client in (customer, other_customer)]
    assert [response.status_code for response in asked] == [200, 200]
    assert other_customer.patch("/account/", body | {"email": "victim@example.com"}).status_code == 429
    assert other_customer.patch("/account/", {"first_name": "Jo"}).status_code == 200
    assert other_customer.get("/account/").status_code == 200


def test_requests_are_not_throttled_while_the_cache_is_unreachable(
    api: APIClient, rate: Any, monkeypatch: Any, caplog: Any
) -> None:
    rate("token", "1/min")
    unreachable.refuse(monkeypatch, counters, "add", "count", "get")
    assert [guess(api, "carla") for _ in range(3)] == [401, 401, 401]
    assert "Requests are not throttled while the cache of the counters is unreachable" in caplog.text


def test_one_of_twenty_concurrent_adds_succeeds() -> None:
    assert run_concurrently([lambda: counters.add("first", 1, 60)] * 20, connects=False).count(True) == 1


def test_a_throttled_request_reads_no_body_and_no_row(
    api: APIClient, rate: Any, monkeypatch: Any, django_assert_num_queries: Any
) -> None:
    """The client address is counted first, without reading the body or the account."""
    rate("token", "2/min")
    assert [guess(api, name) for name in ("a", "b", "c")] == [401, 401, 429]
    monkeypatch.setattr(JSONParser, "parse", lambda *args, **kwargs: pytest.fail("the body was read"))
    with django_assert_num_queries(0):
        assert guess(api, "carla") == 429


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/token/", {"username": "{}", "password": "x"}),
        ("/register/", {"username": "{}", "email": "{}", "password": "x", "repeat_password": "x"}),
        ("/password-reset/", {"email": "{}@example.com"}),
        ("/token/refresh/", {"refresh": "{}"}),
        ("/email/confirm/", {"token": "{}"}),
        ("/password-reset/confirm/", {"uid": "{}", "token": "{}", "new_password": "x"}),
    ],
)
def test_text_that_is_slow_to_normalize_is_rejected_before(api: APIClient, path: str, body: Any) -> None:
    for marks, status in ((240_000, {413}), (1_500, {400, 401, 202})):
        text = "a" + "\u0315\u0300" * (marks // 2)
        filled = {name: value.format(text) for name, value in body.items()}
        began = time.thread_time()
        response = api.post(path, filled)
        assert response.status_code in status, response.content
        assert time.thread_time() - began < 0.1


def test_probing_names_by_registration_is_throttled(api: APIClient, rate: Any) -> None:
    rate("register", "3/hour")
    factories.user("carla")
    responses = [api.post("/register/", {"username": f"name{number}"}).status_code for number in range(3 + 5)]
    assert responses == [400] * 3 + [429] * 5
