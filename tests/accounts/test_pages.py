"""The pages that mailed links open."""

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.mail import EmailMessage
from rest_framework.test import APIClient

from tests import factories
from tests.mail import deliver, link
from tests.signing_in import client_of

pytestmark = pytest.mark.django_db


def test_the_page_of_the_link_changes_nothing_before_its_form_is_submitted(
    api: APIClient, registered: EmailMessage
) -> None:
    parts = urlsplit(link(registered))
    page = api.get(f"{parts.path}?{parts.query}", HTTP_ACCEPT="text/html,*/*;q=0.8")
    assert page.status_code == 200
    assert page["Content-Type"] == "text/html; charset=utf-8"
    assert page["Cache-Control"] == "private, no-store"
    assert "<script" not in page.content.decode()
    assert factories.account().email_verified is False
    form = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page.content.decode()))
    body = "&".join(f"{name}={value}" for name, value in form.items())
    response = api.generic(
        "POST", "/email/confirm/", body, "application/x-www-form-urlencoded", HTTP_ACCEPT="text/html,*/*;q=0.8"
    )
    assert response.status_code == 200
    assert "verified" in response.content.decode()
    assert factories.account().email_verified is True
    again = api.generic(
        "POST", "/email/confirm/", body, "application/x-www-form-urlencoded", HTTP_ACCEPT="text/html,*/*;q=0.8"
    )
    assert again.status_code == 400
    assert again["Content-Type"].startswith("text/html")
    assert "no longer valid" in again.content.decode()


def test_the_query_is_escaped_on_the_page(api: APIClient) -> None:
    page = api.get("/password-reset/confirm/", {"uid": '"><script>', "token": "x"}, HTTP_ACCEPT="text/html")
    assert "<script" not in page.content.decode()
    assert api.get("/email/confirm/").status_code == 200
    assert api.get("/email/confirm/", HTTP_ACCEPT="application/json").status_code == 406


def test_links_lead_to_the_configured_front_end(api: APIClient, settings: Any) -> None:
    settings.EMAIL_CONFIRM_URL = "https://shop.example/verify?lang=en"
    settings.PASSWORD_RESET_URL = "https://shop.example/reset"
    factories.user("carla")
    client = client_of(factories.account())
    client.patch("/account/", {"email": "new@example.com", "password": factories.PASSWORD})
    api.post("/password-reset/", {"email": "carla@example.com"})
    links = [link(mail) for mail in deliver() if mail.subject.startswith(("Verify", "A new password"))]
    assert links[0].startswith("https://shop.example/verify?lang=en&token=")
    assert links[1].startswith("https://shop.example/reset?uid=")
