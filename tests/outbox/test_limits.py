"""Limits of mails to an unverified address."""

import re
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import pytest
import time_machine
from django.core import mail as django_mail
from django.utils import timezone
from rest_framework.test import APIClient

from outbox import mails, sending
from outbox.models import Mail
from tests import factories
from tests.mail import deliver

pytestmark = pytest.mark.django_db

STRANGER = "victim@example.com"


def enqueue(many: int, recipient: str = STRANGER) -> None:
    for number in range(many):
        mails.enqueue(kind=("welcome", "password-reset")[number % 2], recipient=recipient, user=user_of(recipient))


def user_of(address: str) -> Any:
    name = address.partition("@")[0]
    return factories.get_user_model().objects.filter(username=name).first() or factories.user(name, email=address)


def states() -> dict[str, int]:
    return {status: Mail.objects.filter(status=status).count() for status in ("sent", "pending", "failed")}


def test_five_per_hour_are_sent_twenty_wait_and_others_fail() -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        enqueue(30)
        assert len(deliver()) == 5
        assert states() == {"sent": 5, "pending": 20, "failed": 5}
        reasons = set(Mail.objects.filter(status="failed").values_list("last_error", flat=True))
        assert reasons == {"The address is not verified, and 20 mails to it are waiting already."}
        assert set(Mail.objects.filter(status="pending").values_list("attempts", flat=True)) == {0}
        sent = [5]
        for _ in range(5):
            clock.shift(timedelta(minutes=59))
            assert len(deliver()) == 0
            clock.shift(timedelta(minutes=1))
            sent.append(len(deliver()))
        assert sent == [5, 5, 5, 5, 5, 0]


def test_the_period_is_a_sliding_window() -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        enqueue(4)
        assert len(deliver()) == 4
        clock.shift(timedelta(minutes=50))
        enqueue(6)
        assert len(deliver()) == 1
        clock.shift(timedelta(minutes=10))
        assert len(deliver()) == 4
        clock.shift(timedelta(minutes=50))
        assert len(deliver()) == 1


def test_verified_and_other_addresses_are_not_limited() -> None:
    factories.user("carla", email_verified=True)
    enqueue(30, "carla@example.com")
    assert len(deliver()) == 30
    enqueue(6)
    enqueue(3, "other@example.com")
    assert len(deliver()) == 8


def test_mails_claimed_by_other_workers_count() -> None:
    enqueue(6)
    ids = list(Mail.objects.order_by("pk").values_list("pk", flat=True))
    for mail_id in ids[:5]:
        assert sending.claim(mail_id) is not None
    sending.send(ids[5])
    assert django_mail.outbox == []
    assert Mail.objects.get(pk=ids[5]).due_at <= timezone.now() + timedelta(minutes=1)


def test_mails_of_all_kinds_count_together(customer: APIClient, api: APIClient, settings: Any) -> None:
    product = factories.product(quantity=100)
    for _ in range(8):
        customer.post("/cart-items/", {"product": product.pk, "quantity": 1})
        cart = customer.get("/carts/").json()["results"][0]["id"]
        assert customer.post(f"/carts/{cart}/checkout/").status_code == 201
    assert len(deliver()) == 5
    api.post("/password-reset/", {"email": "carla@example.com"})
    customer.patch("/account/", {"email": "new@example.com", "password": factories.PASSWORD})
    assert len(deliver()) == 1
    assert django_mail.outbox[-1].to == ["new@example.com"]


def test_the_notice_to_a_former_address_is_not_limited(customer: APIClient, api: APIClient) -> None:
    """A thief must not delay the notice to the owner by other mails."""
    user = user_of("carla@example.com")
    user.email_verified = True
    user.save()
    enqueue(5, "carla@example.com")
    customer.patch("/account/", {"email": "thief@example.com", "password": factories.PASSWORD})
    deliver()
    verification = next(mail for mail in django_mail.outbox if mail.to == ["thief@example.com"])
    (link,) = re.findall(r"token=(\S+)", str(verification.body))
    assert api.post("/email/confirm/", {"token": unquote(link)}).status_code == 204
    enqueue(30, "carla@example.com")
    deliver()
    assert "has been changed" in django_mail.outbox[-1].subject
