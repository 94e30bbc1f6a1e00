"""Sending enqueued mails, with a real SMTP server."""

from datetime import timedelta
from email.header import decode_header, make_header
from email.utils import parseaddr
from functools import partial
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from outbox import mails, sending, tasks
from outbox.models import Mail
from tests.concurrently import run_concurrently
from tests.mail_server import MailServer
from tests.outbox.conftest import compose
from tests.outbox.rows import enqueue, send_until_done, state

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("kinds")]


def test_a_mail_is_sent_once_if_the_task_runs_again(smtp: MailServer) -> None:
    mail = enqueue(reference="shoes")
    for _ in range(3):
        tasks.send(mail.pk)
    (received,) = smtp.mails
    assert state(mail) == ("sent", 1)
    assert mail.sent_at is not None
    assert mail.claimed_at is None
    assert received["To"] == "carla@example.com"
    assert received["Subject"] == "About shoes"
    assert received["Message-ID"] == sending.message_id(mail)
    assert [part.get_content_type() for part in received.get_payload()] == ["text/plain", "text/html"]  # type: ignore[union-attr]


def test_the_message_id_is_stable_and_unique(settings: Any) -> None:
    settings.DEFAULT_FROM_EMAIL = "The Shop <mail@shop.example>"
    one, other = enqueue(), enqueue()
    assert sending.message_id(one) == sending.message_id(Mail.objects.get(pk=one.pk)) != sending.message_id(other)
    assert sending.message_id(one).endswith("@shop.example>")


@pytest.mark.parametrize(
    ("sender", "address"),
    [
        ("Bücher, Söhne <mail@bücher.example>", "mail@xn--bcher-kva.example"),
        ('"Shoes, Inc." <mail@shop.example>', "mail@shop.example"),
    ],
)
def test_a_sender_with_a_comma_or_an_international_domain(
    smtp: MailServer, settings: Any, sender: str, address: str
) -> None:
    settings.DEFAULT_FROM_EMAIL = sender
    mail = enqueue()
    sending.send(mail.pk)
    (received,) = smtp.mails
    assert state(mail) == ("sent", 1)
    name, found = parseaddr(str(received["From"]))
    assert found == address
    assert str(make_header(decode_header(name))) in sender
    assert "," in str(make_header(decode_header(name)))
    assert received["Message-ID"].endswith(f"@{address.partition('@')[2]}>")
    assert received["Message-ID"].isascii()


@pytest.mark.parametrize("reply", ["550 No such user", "DATA 554 No spam here"])
def test_a_permanent_failure_is_not_retried(smtp: MailServer, reply: str) -> None:
    smtp.replies["carla@example.com"] = reply
    mail = enqueue()
    assert send_until_done(mail) == []
    assert state(mail) == ("failed", 1)
    assert reply[-12:] in mail.last_error


@pytest.mark.parametrize("reply", ["450 Busy", "DATA 451 Later"])
def test_a_temporary_failure_is_retried_until_it_fails(smtp: MailServer, reply: str) -> None:
    smtp.replies["carla@example.com"] = reply
    mail = enqueue()
    assert send_until_done(mail) == [timedelta(minutes=minutes) for minutes in (1, 5, 30, 120)]
    assert state(mail) == ("failed", 5)


def test_a_kind_has_its_own_delays(smtp: MailServer) -> None:
    smtp.replies["carla@example.com"] = "450 Busy"
    mail = enqueue(kind="patient")
    assert send_until_done(mail) == [timedelta(days=1)] * 4


def test_a_mail_is_retried_when_the_server_was_unreachable(stopped: MailServer) -> None:
    mail = enqueue()
    sending.send(mail.pk)
    assert state(mail) == ("pending", 1)
    assert "refused" in mail.last_error
    with stopped as smtp, time_machine.travel(mail.due_at):
        tasks.send(sending.due()[0])
        assert state(mail) == ("sent", 2)
        assert len(smtp.mails) == 1
        assert mail.last_error == ""


def test_an_invalid_address_fails_without_affecting_others(smtp: MailServer) -> None:
    bad, good = enqueue("carla@example.com\nBcc: all@example.com"), enqueue()
    for mail in (bad, good):
        sending.send(mail.pk)
    assert (state(bad)[0], state(good)[0]) == ("failed", "sent")
    assert len(smtp.mails) == 1


def test_an_obsolete_mail_is_deleted(smtp: MailServer) -> None:
    sending.send(enqueue(reference="unwanted").pk)
    assert not Mail.objects.exists()
    assert smtp.mails == []


def test_a_kind_without_a_composer_fails() -> None:
    mail = enqueue(kind="unknown")
    sending.send(mail.pk)
    assert state(mail) == ("failed", 1)


@pytest.mark.parametrize("error", [KeyError("name"), OSError("disk"), ValueError("x" * 600)])
def test_a_composer_error_is_retried(error: Exception, caplog: Any) -> None:
    def broken(mail: Mail) -> mails.Message:
        raise error

    mails.register("broken", broken)
    mail = enqueue(kind="broken")
    assert send_until_done(mail) == [timedelta(minutes=minutes) for minutes in (1, 5, 30, 120)]
    assert state(mail) == ("failed", 5)
    assert mail.last_error.startswith(f"The mail could not be composed: {type(error).__name__}: ")
    assert caplog.text.count(f"Mail {mail.pk} of the kind broken could not be composed") == 5
    assert caplog.text.count("Traceback") == 5


def test_a_mail_is_not_sent_before_it_is_due(smtp: MailServer) -> None:
    mail = enqueue()
    Mail.objects.update(due_at=timezone.now() + timedelta(minutes=1))
    sending.send(mail.pk)
    assert state(mail) == ("pending", 0)


def test_the_claim_of_a_killed_worker_expires(smtp: MailServer) -> None:
    mail = enqueue()
    assert sending.claim(mail.pk) is not None
    sending.send(mail.pk)
    assert (sending.due(), smtp.mails) == ([], [])
    with time_machine.travel(timezone.now() + sending.LEASE + timedelta(seconds=1)):
        assert sending.due() == [mail.pk]
        sending.send(mail.pk)
    assert state(mail) == ("sent", 2)
    assert len(smtp.mails) == 1


def test_a_mail_that_kills_every_worker_fails() -> None:
    mail = enqueue()
    now = timezone.now()
    for number in range(5):
        with time_machine.travel(now + number * timedelta(minutes=1)):
            assert sending.claim(mail.pk) is not None
    with time_machine.travel(now + timedelta(minutes=5)):
        sending.send(mail.pk)
    assert state(mail) == ("failed", 6)


def test_the_outcome_of_an_expired_claim_is_not_written(smtp: MailServer) -> None:
    def slow(mail: Mail) -> mails.Message | None:
        if mail.attempts == 1:
            with time_machine.travel(timezone.now() + sending.LEASE + timedelta(seconds=1)):
                sending.send(mail.pk)
            raise ValueError
        return compose(mail)

    mails.register("news", slow)
    mail = enqueue()
    sending.send(mail.pk)
    assert state(mail) == ("sent", 2)


@pytest.mark.django_db(transaction=True)
def test_ten_workers_send_it_once(smtp: MailServer) -> None:
    mail = enqueue()
    assert run_concurrently([partial(sending.send, mail.pk)] * 10) == [None] * 10
    assert len(smtp.mails) == 1
    assert state(mail) == ("sent", 1)
