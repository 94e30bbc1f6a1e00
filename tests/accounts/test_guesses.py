"""Limits of password guesses: one count for all endpoints, no lockout of known clients, no hint of accounts."""

from collections import Counter
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import User
from productbackend.errors import DomainError
from tests import factories
from tests.passwords import NEW_PASSWORD
from tests.signing_in import sign_in, without_token

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("few_free_guesses")]

HOME, AWAY = "192.0.2.1", "198.51.100.1"


WRONG = "wrong"


def guess(api: APIClient, name: Any, password: str = WRONG, source: str = AWAY) -> Any:
    return sign_in(api, name, password, REMOTE_ADDR=source)


def correct(api: APIClient, name: str, source: str = AWAY) -> int:
    return guess(api, name, factories.PASSWORD, source).status_code


def test_a_known_client_is_not_locked_out(api: APIClient) -> None:
    factories.user("carla")
    assert correct(api, "carla", HOME) == 200
    for number in range(20):
        guess(api, "carla", source=f"10.0.0.{number}")
    assert [correct(api, "carla", AWAY), correct(api, "carla", HOME), correct(api, "carla@example.com", HOME)] == [
        429,
        200,
        200,
    ]
    # Its own guesses are limited too.
    for _ in range(20):
        guess(api, "carla", source=HOME)
    assert correct(api, "carla", HOME) == 429


def test_a_reset_makes_its_client_known(api: APIClient) -> None:
    from tests.accounts.roles import reset  # the link of the mail

    carla = factories.user("carla")
    for number in range(20):
        guess(api, "carla", source=f"10.0.0.{number}")

    class World:
        users = {"owner": carla}

    assert api.post("/password-reset/confirm/", reset(World()), REMOTE_ADDR=HOME).status_code == 204  # type: ignore[arg-type]
    assert guess(api, "carla", NEW_PASSWORD, HOME).status_code == 200


def test_name_and_address_share_a_count_without_revealing_it(api: APIClient) -> None:
    factories.user("carla")
    factories.user("otto")
    responses: dict[str, list[tuple[int, Any, bytes]]] = {}
    # An address that is the name's account's, one of another account, and one of nobody: the same responses.
    for address in ("carla@example.com", "otto@example.com", "nobody@example.com"):
        name = "carla" if address != "nobody@example.com" else "nobody"
        for _ in range(3):
            guess(api, name)
        found = [guess(api, address) for _ in range(7)]
        responses[address] = [(each.status_code, each.get("Retry-After"), each.content) for each in found]
    assert responses["carla@example.com"] == responses["otto@example.com"] == responses["nobody@example.com"]
    assert [status for status, *_ in responses["carla@example.com"]] == [401] * 5 + [429] * 2


def test_the_account_count_includes_guesses_by_both_names(api: APIClient) -> None:
    factories.user("carla")
    for name in ["carla", "carla@example.com"] * 3:
        assert guess(api, name).status_code == 401
    assert correct(api, "carla") == 401


@pytest.mark.parametrize("name", [12345, 12345.0, True, None, ["12345"], {"a": 1}, "12345", " 12345 ", "１２３４５"])
def test_a_name_is_counted_as_it_is_normalized(api: APIClient, name: Any) -> None:
    factories.user("12345")
    statuses = [guess(api, name, source=f"10.0.0.{number}").status_code for number in range(7)]
    assert statuses in ([401] * 5 + [429] * 2, [400] * 7)


def change(user: User, password: str) -> int:
    body = {"old_password": password, "new_password": NEW_PASSWORD}
    return without_token(user, REMOTE_ADDR=AWAY).post("/account/password/", body).status_code


def address(user: User, password: str) -> int:
    body = {"email": "new@example.com", "password": password}
    return without_token(user, REMOTE_ADDR=AWAY).patch("/account/", body).status_code


def closing(user: User, password: str) -> int:
    return without_token(user, REMOTE_ADDR=AWAY).delete("/account/", {"password": password}).status_code


def admin_login(user: User, password: str) -> int:
    client = Client(REMOTE_ADDR=AWAY)
    return client.post("/admin/login/", {"username": user.username, "password": password}).status_code


def admin_change(user: User, password: str) -> int:
    client = Client(REMOTE_ADDR=AWAY)
    client.force_login(user)
    body = {"old_password": password, "new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
    return client.post("/admin/password_change/", body).status_code


def token(user: User, password: str) -> int:
    return guess(APIClient(), user.username, password).status_code


ENDPOINTS = [change, address, closing, admin_login, admin_change, token]


@pytest.mark.parametrize("other", ENDPOINTS)
def test_endpoints_share_one_count(other: Any) -> None:
    user = factories.user("stella", is_staff=True, is_superuser=True)
    for _ in range(6):
        other(user, "wrong")
    user.refresh_from_db()
    assert other(user, factories.PASSWORD) == 429
    for endpoint in ENDPOINTS:
        # The admin's form is rendered again, with 200, where it answers that the password is wrong.
        assert endpoint(user, factories.PASSWORD) in (401, 429, 200 if endpoint is admin_login else 429), endpoint
    user.refresh_from_db()
    assert user.check_password(factories.PASSWORD)
    assert user.pending_email is None


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_each_endpoint_counts_by_client_address(rate: Any, endpoint: Any) -> None:
    rate("token", "3/min")
    for number in range(3):
        guess(APIClient(), f"name{number}")
    user = factories.user("stella", is_staff=True)
    assert endpoint(user, factories.PASSWORD) == 429


def test_an_unchecked_guess_is_not_counted(api: APIClient, monkeypatch: Any) -> None:
    def busy(*args: Any, **kwargs: Any) -> bool:
        raise DomainError("unavailable", "Too many passwords are being checked just now.")

    user = factories.user("carla")
    with monkeypatch.context() as patch:
        patch.setattr(User, "check_password", busy)
        assert [guess(api, "carla").status_code for _ in range(9)] == [503] * 9
        assert [change(user, "wrong") for _ in range(9)] == [503] * 9
    assert correct(api, "carla") == 200


def test_closing_and_a_new_address_require_the_password(customer: APIClient) -> None:
    for send in (customer.delete, customer.patch):
        for body, code in (({}, "required"), ({"password": "wrong"}, "incorrect"), ({"password": ["x"]}, "invalid")):
            refused = send("/account/", {**body, "email": "new@example.com"})
            (error,) = refused.json()["errors"]
            assert (refused.status_code, error["field"], error["code"]) == (400, "password", code)
    assert User.objects.get(username="carla").pending_email is None
    assert customer.patch("/account/", {"first_name": "Jo"}).status_code == 200
    assert customer.delete("/account/", {"password": factories.PASSWORD}).status_code == 204


def test_taken_values_are_reported_only_if_the_rest_is_valid(api: APIClient, customer: APIClient) -> None:
    factories.user("otto")
    body = {"username": "otto", "email": "otto@example.com", "password": "12345678", "repeat_password": "12345678"}
    for bad in ({}, {"password": "pale blue dot"}, {"first_name": "x" * 200}):
        errors = api.post("/register/", body | bad).json()["errors"]
        assert "unique" not in [error["code"] for error in errors]
    asked = customer.patch("/account/", {"email": "otto@example.com", "password": "wrong"})
    assert [error["field"] for error in asked.json()["errors"]] == ["password"]


GUESSES = 100  # tests/services/test_guesses.py has the ten thousand


ALLOWED = 3


@pytest.mark.thorough
@pytest.mark.parametrize("spread", ["one address", "many addresses"])
def test_only_three_of_a_hundred_guesses_are_checked(api: APIClient, rate: Any, spread: str) -> None:
    rate("token", f"{ALLOWED}/hour")
    factories.user("carla")
    statuses: Counter[int] = Counter()
    for number in range(GUESSES):
        source = f"10.0.{number // 250}.{number % 250}" if spread == "many addresses" else "10.0.0.1"
        statuses[sign_in(api, "carla", f"guess {number}", REMOTE_ADDR=source).status_code] += 1
    assert statuses == {401: ALLOWED, 429: GUESSES - ALLOWED}
    # The correct password is rejected too: the response must not reveal it.
    assert sign_in(api, REMOTE_ADDR="10.1.1.1").status_code == 429
