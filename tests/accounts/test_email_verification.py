"""Verifying an address by the link of a mail."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import signing
from django.core.mail import EmailMessage
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import email_verification
from accounts.models import User
from accounts.passwords import reset_tokens
from tests import factories
from tests.mail import deliver, link, query
from tests.passwords import NEW_PASSWORD, OTHER_KEY

pytestmark = pytest.mark.django_db


def test_a_new_account_verifies_its_address_once(api: APIClient, registered: EmailMessage, settings: Any) -> None:
    assert registered.to == ["carla@example.com"]
    assert settings.SHOP_NAME in registered.subject
    assert link(registered).startswith("http://127.0.0.1:8000/email/confirm/?token=")
    assert api.post("/email/confirm/", query(registered)).status_code == 204
    assert factories.account().email_verified is True
    again = api.post("/email/confirm/", query(registered))
    assert (again.status_code, again.json()["type"]) == (400, "/problems/invalid-token")


@pytest.mark.parametrize("token", ["", "x", "a:b:c", "\x00", "é" * 2000, None, ["x"]])
def test_a_malformed_token_is_a_400(api: APIClient, token: Any) -> None:
    assert api.post("/email/confirm/", {"token": token}).status_code == 400
    body = {"uid": token, "token": token, "new_password": NEW_PASSWORD}
    assert api.post("/password-reset/confirm/", body).status_code == 400


def test_a_verification_expires(api: APIClient, registered: EmailMessage) -> None:
    with time_machine.travel(timezone.now() + timedelta(days=3, minutes=1)):
        assert api.post("/email/confirm/", query(registered)).status_code == 400


def test_a_new_address_is_pending_until_it_is_verified(api: APIClient, customer: APIClient) -> None:
    changed = customer.patch("/account/", {"email": "New@Example.com", "password": factories.PASSWORD}).json()
    assert (changed["email"], changed["pending_email"]) == ("carla@example.com", "new@example.com")
    notice, verification = deliver()
    assert (notice.to, verification.to) == (["carla@example.com"], ["new@example.com"])
    assert "new@example.com" not in str(notice.body)
    assert api.post("/email/confirm/", query(verification)).status_code == 204
    changed = customer.get("/account/").json()
    assert (changed["email"], changed["pending_email"], changed["email_verified"]) == ("new@example.com", None, True)


def test_requesting_another_address_invalidates_the_link(api: APIClient, customer: APIClient) -> None:
    customer.patch("/account/", {"email": "first@example.com", "password": factories.PASSWORD})
    _, first = deliver()
    customer.patch("/account/", {"email": "second@example.com", "password": factories.PASSWORD})
    assert api.post("/email/confirm/", query(first)).status_code == 400
    customer.patch("/account/", {"email": "carla@example.com", "password": factories.PASSWORD})
    assert customer.get("/account/").json()["pending_email"] is None


def test_the_address_of_another_account_is_rejected(customer: APIClient) -> None:
    factories.user("otto")
    response = customer.patch("/account/", {"email": "OTTO@example.com", "password": factories.PASSWORD})
    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "email")


def test_the_first_account_to_verify_gets_the_address(
    api: APIClient, customer: APIClient, other_customer: APIClient
) -> None:
    for client in (customer, other_customer):
        client.patch("/account/", {"email": "wanted@example.com", "password": factories.PASSWORD})
    carlas, ottos = (mail for mail in deliver() if mail.to == ["wanted@example.com"])
    assert api.post("/email/confirm/", query(ottos)).status_code == 204
    assert api.post("/email/confirm/", query(carlas)).status_code == 400
    assert factories.account("otto").email == "wanted@example.com"
    assert factories.account("carla").email == "carla@example.com"


def test_verifying_takes_the_address_from_an_unverified_account(api: APIClient, customer: APIClient) -> None:
    customer.patch("/account/", {"email": "wanted@example.com", "password": factories.PASSWORD})
    (mail,) = (mail for mail in deliver() if mail.to == ["wanted@example.com"])
    squatter = factories.user("squatter", email="wanted@example.com")
    assert api.post("/email/confirm/", query(mail)).status_code == 204
    squatter.refresh_from_db()
    assert squatter.email is None
    assert factories.account("carla").email == "wanted@example.com"


def test_forged_verification_tokens_are_rejected(api: APIClient) -> None:
    carla, otto = factories.user("carla"), factories.user("otto")
    own, ottos = (email_verification.make_token(user, user.email) for user in (carla, otto))
    payload, signature = own.split(":", 1)
    forged = [
        f"{ottos.split(':', 1)[0]}:{signature}",
        f"{payload}:{signature[:-1]}{'A' if signature[-1] != 'A' else 'B'}",
        signing.dumps([carla.pk, carla.email], salt="another purpose"),
        signing.dumps([carla.pk, carla.email], key=OTHER_KEY, salt=email_verification.SALT),
        email_verification.make_token(carla, otto.email),  # a valid signature, for an address that was not requested
        email_verification.make_token(otto, carla.email),
        reset_tokens.make_token(carla),
    ]
    for guess in forged:
        response = api.post("/email/confirm/", {"token": guess})
        assert (response.status_code, response.json()["type"]) == (400, "/problems/invalid-token"), guess
    assert not User.objects.filter(email_verified=True).exists()
    assert api.post("/email/confirm/", {"token": own}).status_code == 204
