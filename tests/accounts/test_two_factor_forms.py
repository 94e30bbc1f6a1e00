"""Codes are counted by account with the counters of passwords. They can be guessed: six digits."""

import logging
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from productbackend.caches.counters import counters
from tests import factories, unreachable
from tests.accounts.phones import CODE, PAGE, Phone, phone_of, signed_in, typed_password
from tests.observability.metrics.reading import parsed
from tests.signing_in import sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("few_free_guesses")]  # five

HOME, AWAY = "192.0.2.1", "198.51.100.1"


@pytest.fixture
def phone() -> Phone:
    return phone_of(factories.user("stella", is_staff=True, is_superuser=True))


def post(client: Client, code: str) -> Any:
    return client.post(CODE, {"code": code})


def test_codes_are_limited_by_account_from_all_addresses(phone: Phone) -> None:
    clients = [typed_password(REMOTE_ADDR=f"10.0.0.{number}") for number in range(7)]
    statuses = [post(client, phone.wrong()).status_code for client in clients]
    assert statuses == [200] * 5 + [429] * 2
    refused = post(clients[0], phone.code())
    assert refused.status_code == 429  # a right one too, unchecked
    assert 0 < int(refused["Retry-After"]) <= 61
    assert "Too many codes were tried" in refused.content.decode()
    assert clients[0].get("/admin/").status_code == 302


def test_the_right_password_at_the_api_gives_no_count_of_its_own(api: APIClient, phone: Phone) -> None:
    statuses = []
    for number in range(8):
        address = f"10.0.0.{number}"
        assert sign_in(api, "stella", REMOTE_ADDR=address).status_code == 200
        client = typed_password(REMOTE_ADDR=address)
        statuses.append(post(client, phone.wrong()).status_code)
    assert statuses == [200] * 5 + [429] * 3


def test_a_client_that_gave_a_right_code_is_not_locked_out(phone: Phone) -> None:
    signed_in(phone, REMOTE_ADDR=HOME)
    for number in range(10):
        post(typed_password(REMOTE_ADDR=f"10.0.0.{number}"), phone.wrong())
    assert post(typed_password(REMOTE_ADDR=AWAY), phone.code(ahead=1)).status_code == 429
    home = typed_password(REMOTE_ADDR=HOME)
    assert post(home, phone.code(ahead=1)).status_code == 302
    # Its own codes are limited too.
    home = typed_password(REMOTE_ADDR=HOME)
    assert [post(home, phone.wrong()).status_code for _ in range(6)] == [200] * 5 + [429]


def test_wrong_passwords_use_up_no_codes(api: APIClient, phone: Phone) -> None:
    client = typed_password(REMOTE_ADDR=AWAY)
    for number in range(9):
        sign_in(api, "stella", "wrong", REMOTE_ADDR=f"10.0.0.{number}")
    assert post(client, phone.code()).status_code == 302


@pytest.mark.embedded  # Redis has a clock of its own, which does not travel
def test_after_each_wait_a_code_is_checked(phone: Phone) -> None:
    """Nobody is locked out for ever: the right password before the code does not use up the check."""
    with time_machine.travel(timezone.now()) as clock:
        for _ in range(9):
            post(typed_password(REMOTE_ADDR=AWAY), phone.wrong())
        client = typed_password(REMOTE_ADDR=HOME)
        waits = int(post(client, phone.code())["Retry-After"])
        clock.shift(timedelta(seconds=waits))
        assert post(client, phone.code()).status_code == 302


def test_turning_off_allows_no_more_guesses(phone: Phone) -> None:
    client = signed_in(phone, REMOTE_ADDR=HOME)
    body = {"password": factories.PASSWORD, "code": phone.wrong(), "action": "turn-off"}
    assert [client.post(PAGE, body).status_code for _ in range(6)] == [200] * 5 + [429]
    assert post(typed_password(REMOTE_ADDR=HOME), phone.code(ahead=1)).status_code == 429


def test_codes_are_limited_by_client_address(rate: Any, phone: Phone) -> None:
    rate("token", "3/min")
    client = typed_password(REMOTE_ADDR=AWAY)
    assert [post(client, "123").status_code for _ in range(3)] == [200, 200, 429]


def test_no_code_is_checked_while_the_counters_are_unreachable(monkeypatch: Any, phone: Phone) -> None:
    client = typed_password()
    with monkeypatch.context() as patch:
        unreachable.refuse(patch, counters, "add", "count", "get")
        for code in (phone.wrong(), phone.code()):
            assert post(client, code).status_code == 503
    assert client.get("/admin/").status_code == 302
    assert post(client, phone.code()).status_code == 302  # it was not used up


def test_a_code_is_logged_and_counted_as_a_sign_in(phone: Phone, caplog: Any) -> None:
    def count(result: str) -> float:
        found = parsed(APIClient().get("/metrics").content.decode())
        return sum(
            value
            for (name, labels), value in found.items()
            if name == "productbackend_sign_ins_total" and {("result", result), ("route", CODE)} <= set(labels)
        )

    before = {result: count(result) for result in ("success", "failure")}
    client = typed_password(REMOTE_ADDR=AWAY)
    caplog.set_level(logging.INFO, "accounts.sign_in")
    caplog.clear()
    wrong, right = phone.wrong(), phone.code()
    post(client, wrong)
    post(client, right)
    lines = [record for record in caplog.records if record.name == "accounts.sign_in"]
    assert [(line.levelname, line.fields["result"]) for line in lines] == [("WARNING", "failure"), ("INFO", "success")]
    assert lines[0].getMessage() == f"Code at {CODE}: failure, account {lines[0].fields['account']}, from {AWAY}"
    assert not any(code in caplog.text for code in (wrong, right))
    assert {result: count(result) - before[result] for result in before} == {"success": 1, "failure": 1}
