"""Registering over HTTP."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from rest_framework.test import APIClient

from outbox.models import Mail
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.real_passwords]

BODY = {
    "username": "carla",
    "email": "Carla@Example.com",
    "password": "correct horse battery",
    "repeat_password": "correct horse battery",
}


def errors(answer: Any) -> set[tuple[str | None, str]]:
    body = answer.json()
    assert (answer.status_code, body["type"]) == (400, "/problems/validation-error")
    return {(error["field"], error["code"]) for error in body["errors"]}


def test_registering_answers_the_account_without_its_password(api: APIClient) -> None:
    answer = api.post("/register/", {**BODY, "first_name": "Carla"})
    assert answer.status_code == 201
    account = answer.json()
    assert list(account) == [
        "id",
        "username",
        "email",
        "email_verified",
        "pending_email",
        "first_name",
        "last_name",
        "date_joined",
    ]
    assert account["username"] == "carla"
    assert account["email"] == "carla@example.com"
    assert account["email_verified"] is False
    assert account["pending_email"] is None
    assert (account["first_name"], account["last_name"]) == ("Carla", "")
    assert account["date_joined"].endswith("Z")
    token = api.post("/token/", {"username": "carla", "password": BODY["password"]}).json()["access"]
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    assert api.get(answer["Location"]).json() == account


def test_the_password_is_kept_by_argon2(api: APIClient) -> None:
    api.post("/register/", BODY)
    assert get_user_model().objects.get().password.startswith("argon2$argon2id$")


def test_a_confirmation_is_owed_to_the_address(api: APIClient) -> None:
    api.post("/register/", BODY)
    mail = Mail.objects.get()
    assert (mail.kind, mail.recipient, mail.status) == ("email-confirm", "carla@example.com", "pending")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"username": "CARLA"}, ("username", "unique")),
        ({"email": "CARLA@example.COM"}, ("email", "unique")),
        ({"username": "car@la"}, ("username", "invalid")),
        ({"username": "two words"}, ("username", "invalid")),
        ({"username": "ﷺ"}, ("username", "invalid")),  # a letter by itself, with spaces in its normal form
        ({"username": "x" * 151}, ("username", "max_length")),
        ({"username": ""}, ("username", "blank")),
        ({"email": "nobody"}, ("email", "invalid")),
        ({"email": None}, ("email", "null")),
        ({"email": f"{'x' * 250}@example.com"}, ("email", "max_length")),
        ({"repeat_password": "another"}, ("repeat_password", "mismatch")),
        ({"password": "short1!", "repeat_password": "short1!"}, ("password", "password_too_short")),
        ({"password": "1029384756", "repeat_password": "1029384756"}, ("password", "password_entirely_numeric")),
        ({"password": "password123", "repeat_password": "password123"}, ("password", "password_too_common")),
        ({"password": "newcomer1", "repeat_password": "newcomer1"}, ("password", "password_too_similar")),
    ],
)
def test_what_does_not_fit_is_named(api: APIClient, change: dict[str, Any], expected: tuple[str | None, str]) -> None:
    factories.user("carla")
    answer = api.post("/register/", {**BODY, "username": "newcomer", "email": "new@example.com", **change})
    assert expected in errors(answer)
    assert get_user_model().objects.count() == 1


def test_all_that_does_not_fit_is_named_at_once(api: APIClient) -> None:
    factories.user("carla")
    answer = api.post("/register/", {**BODY, "password": "12345", "repeat_password": "12345"})
    assert {field for field, _ in errors(answer)} == {"username", "email", "password"}
    assert {field for field, _ in errors(api.post("/register/", {}))} == {
        "username",
        "email",
        "password",
        "repeat_password",
    }


@pytest.mark.parametrize("name", ["José", "Jose\u0301", "ＪＯＳÉ"])
def test_names_are_the_same_however_they_are_written(api: APIClient, name: str) -> None:
    assert api.post("/register/", {**BODY, "username": "josé"}).status_code == 201
    again = api.post("/register/", {**BODY, "username": name, "email": "other@example.com"})
    assert errors(again) == {("username", "unique")}
    assert api.post("/token/", {"username": name, "password": BODY["password"]}).status_code == 200


def test_spaces_in_a_password_count(api: APIClient) -> None:
    spaced = f" {BODY['password']} "
    assert api.post("/register/", {**BODY, "password": spaced, "repeat_password": spaced}).status_code == 201
    assert api.post("/token/", {"username": "carla", "password": spaced}).status_code == 200
    assert api.post("/token/", {"username": "carla", "password": spaced.strip()}).status_code == 401


def test_no_one_makes_themselves_staff(api: APIClient) -> None:
    api.post("/register/", {**BODY, "is_staff": True, "is_superuser": True, "email_verified": True, "id": 1})
    user = get_user_model().objects.get()
    assert (user.is_staff, user.is_superuser, user.email_verified) == (False, False, False)


def test_get_is_not_allowed(api: APIClient) -> None:
    assert api.get("/register/").status_code == 405
