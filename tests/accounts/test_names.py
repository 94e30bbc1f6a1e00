"""First and last names, which mails contain: no links, no control characters."""

import pytest
from rest_framework.test import APIClient

from outbox.models import Mail
from tests import factories

pytestmark = pytest.mark.django_db


LINKS = [
    "www.evil.example",
    "a http://evil.example",
    "WWW.Evil",
    "ｗｗｗ．evil",
    "Jo\r\nBcc: x",
    "Jo\u2028x",
    "J\x1bo",
    "\u202eoJ",
]


@pytest.mark.parametrize("name", LINKS)
def test_a_name_with_a_link_or_control_characters_is_rejected(api: APIClient, customer: APIClient, name: str) -> None:
    body = {"username": "evil", "email": "victim@example.com", "first_name": name, "last_name": name}
    response = api.post("/register/", {**body, "password": factories.PASSWORD, "repeat_password": factories.PASSWORD})
    assert {error["field"] for error in response.json()["errors"]} == {"first_name", "last_name"}
    response = customer.patch("/account/", {"last_name": name})
    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "last_name")
    assert Mail.objects.count() == 0


@pytest.mark.parametrize("name", ["Anne-Marie", "O'Neill", "Jr. Smith", "نرگس\u200cها", "Wwwei", "J: / Doe", "👩‍👧"])
def test_an_ordinary_name_is_accepted(customer: APIClient, name: str) -> None:
    assert customer.patch("/account/", {"first_name": name}).status_code == 200


def test_a_user_name_with_a_link_is_rejected(api: APIClient) -> None:
    body = {"username": "www.evil.example", "email": "x@example.com", "password": factories.PASSWORD}
    response = api.post("/register/", {**body, "repeat_password": factories.PASSWORD})
    assert response.json()["errors"][0]["field"] == "username"
