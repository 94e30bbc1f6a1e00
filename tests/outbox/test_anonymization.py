"""Mails of closed accounts are anonymized."""

import pytest
from rest_framework.test import APIClient

from outbox.models import Mail
from tests import factories

pytestmark = pytest.mark.django_db


def test_closing_anonymizes_the_outbox(api: APIClient, customer: APIClient) -> None:
    customer.patch("/account/", {"email": "new@example.com", "password": factories.PASSWORD})
    api.post("/password-reset/", {"email": "carla@example.com"})
    api.post("/password-reset/", {"email": "other@example.com"})
    Mail.objects.filter(kind="email-change").update(status="sent", last_error="450 <carla@example.com> is busy")
    customer.delete("/account/", {"password": factories.PASSWORD})
    rows = set(Mail.objects.values_list("kind", "recipient", "status", "last_error"))
    assert rows == {
        ("email-confirm", "", "failed", ""),
        ("email-change", "", "sent", ""),
        ("password-reset", "", "failed", ""),
        ("password-reset", "other@example.com", "pending", ""),
    }
