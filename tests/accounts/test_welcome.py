"""The welcome mail: to whom, when, and once."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core import mail as django_mail
from django.core.management import call_command
from django.utils import timezone
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from accounts import tasks, welcome
from outbox import sending
from outbox.models import Mail
from tests import factories

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def customer(name: str, *, days: float, **fields: Any) -> Any:
    return factories.user(name, date_joined=timezone.now() - days * DAY, **fields)


def deliver() -> list[str]:
    django_mail.outbox.clear()
    for mail_id in sending.due():
        sending.send(mail_id)
    return sorted(recipient for mail in django_mail.outbox for recipient in mail.to)


def test_who_gets_it(settings: Any) -> None:
    settings.SHOP_NAME = "Shoes & more"
    customer("old", days=1)
    customer("older", days=400)
    customer("new", days=0.99)
    customer("gone", days=2, is_active=False)
    customer("silent", days=2, email=None)
    tasks.send_welcome_mails()
    assert deliver() == ["old@example.com", "older@example.com"]
    mail = django_mail.outbox[0]
    assert mail.subject == "Welcome to Shoes & more"
    assert "welcome to Shoes & more" in str(mail.body)
    assert "Shoes &amp; more" in mail.alternatives[0][0]  # type: ignore[attr-defined]


def test_it_comes_once_and_missed_days_are_caught_up() -> None:
    start = datetime(2026, 3, 25, 8, tzinfo=UTC)
    got: list[str] = []
    with time_machine.travel(start, tick=False) as clock:
        for day in range(10):
            factories.user(f"joined{day}")
            if day not in (3, 4, 5):  # the machine was off
                tasks.send_welcome_mails()
                tasks.send_welcome_mails()
                got += deliver()
            clock.shift(DAY)
    assert got == [f"joined{day}@example.com" for day in range(9)]


def test_who_changed_or_left_between_being_owed_and_sent_is_looked_at_again() -> None:
    moved, left = customer("moved", days=2), customer("left", days=2)
    tasks.send_welcome_mails()
    moved.email = "elsewhere@example.com"
    moved.save(update_fields=["email"])
    left.is_active = False
    left.save(update_fields=["is_active"])
    assert deliver() == []
    tasks.send_welcome_mails()
    assert deliver() == ["elsewhere@example.com"]


def test_many_are_owed_in_batches(monkeypatch: Any, django_assert_max_num_queries: Any) -> None:
    monkeypatch.setattr(welcome, "BATCH", 2)
    for number in range(5):
        customer(f"c{number}", days=2)
    with django_assert_max_num_queries(20):
        assert welcome.owe_welcome_mails() == 5
    assert Mail.objects.filter(kind="welcome", status="pending").count() == 5
    assert welcome.owe_welcome_mails() == 0


def test_a_refusal_for_now_is_tried_the_next_day(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1  # nobody listens there
    customer("carla", days=2)
    tasks.send_welcome_mails()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for day in range(5):
            mail = Mail.objects.get()
            assert (mail.status, mail.attempts) == ("pending", day)
            sending.send(mail.pk)
            clock.shift(DAY)
    assert Mail.objects.get().status == "failed"


def test_the_command_shows_who_is_owed_one_and_owes_it() -> None:
    customer("carla", days=2)
    out = StringIO()
    call_command("send_welcome", "--dry-run", stdout=out)
    assert "carla@example.com" in out.getvalue()
    assert not Mail.objects.exists()
    call_command("send_welcome", stdout=out)
    assert out.getvalue().endswith("1 welcome mails are owed; a worker sends them.\n")
    assert deliver() == ["carla@example.com"]


def test_rows_of_expired_tokens_are_flushed(api: Any) -> None:
    factories.user("carla")

    def sign_out() -> None:
        pair = api.post("/token/", {"username": "carla", "password": factories.PASSWORD}).json()
        assert api.post("/token/revoke/", {"refresh": pair["refresh"]}).status_code == 204

    sign_out()
    with time_machine.travel(timezone.now() + 2 * DAY):
        sign_out()
        tasks.flush_expired_tokens()
    assert (OutstandingToken.objects.count(), BlacklistedToken.objects.count()) == (1, 1)
    assert OutstandingToken.objects.get().token == ""  # what was spent is known by its id alone
