"""Registration over HTTP."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from rest_framework.test import APIClient

from outbox.models import Mail
from tests import factories
from tests.signing_in import sign_in, with_token

pytestmark = pytest.mark.django_db

BODY = {
    "username": "carla",
    "email": "Carla@Example.com",
    "password": "correct horse battery",
    "repeat_password": "correct horse battery",
}


def errors(response: Any) -> set[tuple[str | None, str]]:
    body = response.json()
    assert (response.status_code, body["type"]) == (400, "/problems/validation-error")
    return {(error["field"], error["code"]) for error in body["errors"]}


def test_registering_returns_the_account_without_its_password(api: APIClient) -> None:
    response = api.post("/register/", {**BODY, "first_name": "Carla"})
    assert response.status_code == 201
    account = response.json()
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
    access = sign_in(api, "carla", BODY["password"]).json()["access"]
    assert with_token(access).get(response["Location"]).json() == account


@pytest.mark.real_passwords
def test_the_password_is_hashed_with_argon2(api: APIClient) -> None:
    api.post("/register/", BODY)
    assert get_user_model().objects.get().password.startswith("argon2$argon2id$")


def test_a_verification_is_enqueued(api: APIClient) -> None:
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
        ({"username": "ﷺ"}, ("username", "invalid")),  # one letter, whose normal form contains spaces
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
def test_an_invalid_value_is_reported(api: APIClient, change: dict[str, Any], expected: tuple[str | None, str]) -> None:
    factories.user("carla")
    response = api.post("/register/", {**BODY, "username": "newcomer", "email": "new@example.com", **change})
    assert expected in errors(response)
    assert get_user_model().objects.count() == 1


def test_all_invalid_values_are_reported_together(api: APIClient) -> None:
    factories.user("carla")
    assert errors(api.post("/register/", BODY)) == {("username", "unique"), ("email", "unique")}
    assert {field for field, _ in errors(api.post("/register/", {}))} == {
        "username",
        "email",
        "password",
        "repeat_password",
    }


@pytest.mark.parametrize("name", ["José", "Jose\u0301", "ＪＯＳÉ"])
def test_names_are_compared_in_normal_form(api: APIClient, name: str) -> None:
    assert api.post("/register/", {**BODY, "username": "josé"}).status_code == 201
    again = api.post("/register/", {**BODY, "username": name, "email": "other@example.com"})
    assert errors(again) == {("username", "unique")}
    assert api.post("/token/", {"username": name, "password": BODY["password"]}).status_code == 200


def test_spaces_in_a_password_count(api: APIClient) -> None:
    spaced = f" {BODY['password']} "
    assert api.post("/register/", {**BODY, "password": spaced, "repeat_password": spaced}).status_code == 201
    assert api.post("/token/", {"username": "carla", "password": spaced}).status_code == 200
    assert api.post("/token/", {"username": "carla", "password": spaced.strip()}).status_code == 401


def test_registering_cannot_set_staff_fields(api: APIClient) -> None:
    api.post("/register/", {**BODY, "is_staff": True, "is_superuser": True, "email_verified": True, "id": 1})
    user = get_user_model().objects.get()
    assert (user.is_staff, user.is_superuser, user.email_verified) == (False, False, False)


def test_get_is_not_allowed(api: APIClient) -> None:
    assert api.get("/register/").status_code == 405
