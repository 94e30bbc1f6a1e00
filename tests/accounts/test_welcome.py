"""The welcome mail: recipients, time, and only once."""

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
from tests.mail import deliver

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def customer(name: str, *, days: float, **fields: Any) -> Any:
    return factories.user(name, date_joined=timezone.now() - days * DAY, **fields)


def recipients() -> list[str]:
    """Those to whom mails are delivered now."""
    return sorted(recipient for mail in deliver() for recipient in mail.to)


def test_active_accounts_with_an_address_get_it_after_a_day(settings: Any) -> None:
    settings.SHOP_NAME = "Shoes & more"
    customer("old", days=1)
    customer("older", days=400)
    customer("new", days=0.99)
    customer("gone", days=2, is_active=False)
    customer("silent", days=2, email=None)
    tasks.send_welcome_mails()
    assert recipients() == ["old@example.com", "older@example.com"]
    mail = django_mail.outbox[0]
    assert mail.subject == "Welcome to Shoes & more"
    assert "welcome to Shoes & more" in str(mail.body)
    assert "Shoes &amp; more" in mail.alternatives[0][0]  # type: ignore[attr-defined]


def test_it_is_sent_once_also_for_missed_days() -> None:
    start = datetime(2026, 3, 25, 8, tzinfo=UTC)
    got: list[str] = []
    with time_machine.travel(start, tick=False) as clock:
        for day in range(10):
            factories.user(f"joined{day}")
            if day not in (3, 4, 5):  # the machine was off
                tasks.send_welcome_mails()
                tasks.send_welcome_mails()
                got += recipients()
            clock.shift(DAY)
    assert got == [f"joined{day}@example.com" for day in range(9)]


def test_changes_between_enqueueing_and_sending_are_respected() -> None:
    moved, left = customer("moved", days=2), customer("left", days=2)
    tasks.send_welcome_mails()
    moved.email = "elsewhere@example.com"
    moved.save(update_fields=["email"])
    left.is_active = False
    left.save(update_fields=["is_active"])
    assert recipients() == []
    tasks.send_welcome_mails()
    assert recipients() == ["elsewhere@example.com"]


def test_mails_are_enqueued_in_batches(monkeypatch: Any, django_assert_max_num_queries: Any) -> None:
    monkeypatch.setattr(welcome, "BATCH", 2)
    for number in range(5):
        customer(f"c{number}", days=2)
    with django_assert_max_num_queries(20):
        assert welcome.enqueue_welcome_mails() == 5
    assert Mail.objects.filter(kind="welcome", status="pending").count() == 5
    assert welcome.enqueue_welcome_mails() == 0


def test_a_temporary_failure_is_retried_the_next_day(settings: Any) -> None:
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


def test_the_command_lists_due_users_and_enqueues_mails() -> None:
    customer("carla", days=2)
    out = StringIO()
    call_command("send_welcome", "--dry-run", stdout=out)
    assert "carla@example.com" in out.getvalue()
    assert not Mail.objects.exists()
    call_command("send_welcome", stdout=out)
    assert out.getvalue().endswith("1 welcome mails enqueued; a worker sends them.\n")
    assert recipients() == ["carla@example.com"]


def test_rows_of_expired_tokens_are_flushed(api: Any) -> None:
    factories.user("carla")

    def sign_out() -> None:
        pair = api.post("/token/", {"username": "carla", "password": factories.PASSWORD}).json()
        assert api.post("/token/revoke/", {"refresh": pair["refresh"]}).status_code == 204

    sign_out()
    with time_machine.travel(timezone.now() + 2 * DAY):
        sign_out()
        tasks.flush_expired_tokens()
    # Of the second: the token and its sign-in. The token itself is not stored.
    assert (OutstandingToken.objects.count(), BlacklistedToken.objects.count()) == (2, 2)
    assert set(OutstandingToken.objects.values_list("token", flat=True)) == {""}


def test_a_date_joined_in_the_future_is_reset() -> None:
    """The clock was ahead at registration."""
    now = timezone.now()
    user = factories.user("ahead", date_joined=now + timedelta(days=400))
    assert welcome.enqueue_welcome_mails() == 0
    user.refresh_from_db()
    assert abs(user.date_joined - now) < timedelta(minutes=5)
    with time_machine.travel(now + timedelta(days=1, minutes=5)):
        assert welcome.enqueue_welcome_mails() == 1
