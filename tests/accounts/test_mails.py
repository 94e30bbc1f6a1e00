"""Mailed links: verifying an address, setting a new password."""

from datetime import timedelta
from html import unescape

import pytest
from django.contrib.auth import get_user_model
from django.core.mail import EmailMessage
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import welcome
from outbox.models import Mail
from tests import factories
from tests.mail import deliver, link, query
from tests.signing_in import client_of

pytestmark = pytest.mark.django_db


def html_of(mail: EmailMessage) -> str:
    (html, kind) = mail.alternatives[0]  # type: ignore[attr-defined]
    assert kind == "text/html"
    return str(html)


def test_a_mail_is_plain_text_and_html_with_the_same_link(registered: EmailMessage) -> None:
    assert link(registered) in unescape(html_of(registered))


def test_a_mail_to_an_unverified_address_contains_no_name(api: APIClient, registered: EmailMessage) -> None:
    """Whoever registers types the names, and the address may be a stranger's."""
    api.post("/password-reset/", {"email": "carla@example.com"})
    (reset,) = deliver()
    client_of(factories.account()).patch("/account/", {"email": "new@example.com", "password": factories.PASSWORD})
    others = deliver()
    assert len(others) == 2
    get_user_model().objects.update(date_joined=timezone.now() - timedelta(days=2))
    welcome.enqueue_welcome_mails()
    (greeting,) = deliver()
    for mail in (registered, reset, *others, greeting):
        assert str(mail.body).startswith("Hello,"), mail.subject
        assert "carla" not in f"{mail.subject}{mail.body}{html_of(mail)}".lower(), mail.subject


def test_a_mail_to_a_verified_address_contains_escaped_names(api: APIClient) -> None:
    factories.user("carla", first_name="<Carla>", email_verified=True)
    api.post("/password-reset/", {"email": "carla@example.com"})
    (mail,) = deliver()
    assert "Hello <Carla>," in str(mail.body)
    assert "your account carla:" in str(mail.body)
    assert "Hello &lt;Carla&gt;," in html_of(mail)


def test_no_secret_is_stored(api: APIClient) -> None:
    factories.user("carla")
    api.post("/password-reset/", {"email": "carla@example.com"})
    (mail,) = deliver()
    assert not any(query(mail)["token"] in str(value) for value in Mail.objects.values_list())
