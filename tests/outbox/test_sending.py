"""What becomes of a mail that is owed, with a real SMTP server."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
import time_machine
from celery import Celery
from django.db import connection, transaction
from django.utils import timezone

from outbox import mails, sending, tasks
from outbox.models import Mail
from tests.outbox import server

pytestmark = pytest.mark.django_db


def write(mail: Mail) -> mails.Message | None:
    if mail.reference == "unwanted":
        return None
    return mails.Message(subject=f"About\n{mail.reference}", text="Grüße", html="<p>Grüße</p>")


@pytest.fixture(autouse=True)
def kinds(monkeypatch: Any) -> None:
    monkeypatch.setattr(mails, "_kinds", {})
    mails.register("news", write)
    mails.register("patient", write, delays=[timedelta(days=1)] * 4)


@pytest.fixture
def port(settings: Any) -> int:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_PORT = server.free_port()
    return settings.EMAIL_PORT


@pytest.fixture
def smtp(port: int) -> Iterator[server.Handler]:
    with server.running(port) as handler:
        yield handler


def owe(recipient: str = "carla@example.com", kind: str = "news", **fields: Any) -> Mail:
    return mails.owe(kind=kind, recipient=recipient, **fields)


def state(mail: Mail) -> tuple[str, int]:
    mail.refresh_from_db()
    return mail.status, mail.attempts


def try_until_it_ends(mail: Mail) -> list[timedelta]:
    """Send it each time that it is due; how long each wait was."""
    waits: list[timedelta] = []
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(10):
            sending.send(mail.pk)
            mail.refresh_from_db()
            if mail.status != Mail.Status.PENDING:
                return waits
            waits.append(mail.due_at - timezone.now())
            clock.move_to(mail.due_at - timedelta(seconds=1))
            assert mail.pk not in sending.due()
            clock.move_to(mail.due_at)
    raise AssertionError("It is tried for ever.")


def test_a_mail_is_sent_once_however_often_the_task_runs(smtp: server.Handler) -> None:
    mail = owe(reference="shoes")
    for _ in range(3):
        tasks.send(mail.pk)
    (taken,) = smtp.taken
    assert state(mail) == ("sent", 1)
    assert mail.sent_at is not None
    assert mail.claimed_at is None
    assert taken["To"] == "carla@example.com"
    assert taken["Subject"] == "About shoes"
    assert taken["Message-ID"] == sending.message_id(mail)
    assert [part.get_content_type() for part in taken.get_payload()] == ["text/plain", "text/html"]  # type: ignore[union-attr]


def test_the_message_id_is_the_rows_own(settings: Any) -> None:
    settings.DEFAULT_FROM_EMAIL = "The Shop <mail@shop.example>"
    one, other = owe(), owe()
    assert sending.message_id(one) == sending.message_id(Mail.objects.get(pk=one.pk)) != sending.message_id(other)
    assert sending.message_id(one).endswith("@shop.example>")


@pytest.mark.parametrize("answer", ["550 No such user", "DATA 554 No spam here"])
def test_a_permanent_refusal_is_not_tried_again(smtp: server.Handler, answer: str) -> None:
    smtp.answers["carla@example.com"] = answer
    mail = owe()
    assert try_until_it_ends(mail) == []
    assert state(mail) == ("failed", 1)
    assert answer[-12:] in mail.last_error


@pytest.mark.parametrize("answer", ["450 Busy", "DATA 451 Later"])
def test_a_refusal_for_now_is_tried_again_and_in_the_end_given_up(smtp: server.Handler, answer: str) -> None:
    smtp.answers["carla@example.com"] = answer
    mail = owe()
    assert try_until_it_ends(mail) == [timedelta(minutes=minutes) for minutes in (1, 5, 30, 120)]
    assert state(mail) == ("failed", 5)


def test_a_kind_may_wait_longer(smtp: server.Handler) -> None:
    smtp.answers["carla@example.com"] = "450 Busy"
    mail = owe(kind="patient")
    assert try_until_it_ends(mail) == [timedelta(days=1)] * 4


def test_a_server_that_was_down_gets_the_mail_when_it_is_back(port: int) -> None:
    mail = owe()
    sending.send(mail.pk)
    assert state(mail) == ("pending", 1)
    assert "refused" in mail.last_error
    with server.running(port) as smtp, time_machine.travel(mail.due_at):
        tasks.send(sending.due()[0])
        assert state(mail) == ("sent", 2)
        assert len(smtp.taken) == 1
        assert mail.last_error == ""


def test_an_address_that_no_header_can_hold_fails_alone(smtp: server.Handler) -> None:
    bad, good = owe("carla@example.com\nBcc: all@example.com"), owe()
    for mail in (bad, good):
        sending.send(mail.pk)
    assert (state(bad)[0], state(good)[0]) == ("failed", "sent")
    assert len(smtp.taken) == 1


def test_a_mail_that_is_no_longer_wanted_is_deleted(smtp: server.Handler) -> None:
    sending.send(owe(reference="unwanted").pk)
    assert not Mail.objects.exists()
    assert smtp.taken == []


def test_a_kind_that_nobody_writes_fails() -> None:
    mail = owe(kind="forgotten")
    sending.send(mail.pk)
    assert state(mail) == ("failed", 1)


def test_a_mail_is_not_sent_before_it_is_due(smtp: server.Handler) -> None:
    mail = owe()
    Mail.objects.update(due_at=timezone.now() + timedelta(minutes=1))
    sending.send(mail.pk)
    assert state(mail) == ("pending", 0)


def test_the_claim_of_a_dead_worker_lapses(smtp: server.Handler) -> None:
    mail = owe()
    assert sending.claim(mail.pk) is not None
    sending.send(mail.pk)
    assert (sending.due(), smtp.taken) == ([], [])
    with time_machine.travel(timezone.now() + sending.LEASE + timedelta(seconds=1)):
        assert sending.due() == [mail.pk]
        sending.send(mail.pk)
    assert state(mail) == ("sent", 2)
    assert len(smtp.taken) == 1


def test_a_mail_that_costs_every_worker_its_life_is_given_up() -> None:
    mail = owe()
    now = timezone.now()
    for number in range(5):
        with time_machine.travel(now + number * timedelta(minutes=1)):
            assert sending.claim(mail.pk) is not None
    with time_machine.travel(now + timedelta(minutes=5)):
        sending.send(mail.pk)
    assert state(mail) == ("failed", 6)


def test_what_came_of_a_lapsed_claim_does_not_undo_what_came_after(smtp: server.Handler) -> None:
    mail = owe()
    slow = sending.claim(mail.pk)
    assert slow is not None
    with time_machine.travel(timezone.now() + sending.LEASE + timedelta(seconds=1)):
        sending.send(mail.pk)
    sending._fail(slow, "too late")
    assert state(mail) == ("sent", 2)


def test_a_key_is_owed_once() -> None:
    first = owe(key="order:1")
    assert owe("other@example.com", key="order:1") == first
    mails.owe_all(
        [Mail(kind="news", key=key, recipient="x@example.com", due_at=first.due_at) for key in ("order:1", "2")]
    )
    assert list(Mail.objects.order_by("pk").values_list("key", flat=True)) == ["order:1", "2"]


def test_a_mail_is_owed_only_if_the_transaction_commits(django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks() as nudges:
        with transaction.atomic():
            owe()
            transaction.set_rollback(True)
        assert (Mail.objects.count(), nudges) == (0, [])
        owe()
    assert len(nudges) == 1


def test_a_queue_that_is_away_is_logged_alone(
    django_capture_on_commit_callbacks: Any, caplog: Any, monkeypatch: Any
) -> None:
    away = Celery("away", broker=f"redis://127.0.0.1:{server.free_port()}/0", set_as_current=False)
    away.conf.update(task_publish_retry=False, broker_connection_timeout=1)
    monkeypatch.setattr(mails, "app", away)
    with django_capture_on_commit_callbacks(execute=True):
        owe()
    assert "The queue does not take outbox.tasks.send" in caplog.text
    assert Mail.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_ten_workers_send_it_once(smtp: server.Handler) -> None:
    mail = owe()
    barrier = Barrier(10)

    def work(number: int) -> None:
        barrier.wait()
        try:
            sending.send(mail.pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(work, range(10)))
    assert len(smtp.taken) == 1
    assert state(mail) == ("sent", 1)
