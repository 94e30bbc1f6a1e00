"""A worker killed by SIGKILL at each step of sending: how many mails arrive, with a real process and SMTP server.

One window remains in which a mail is sent twice: after the server's 250 and before the commit of its status.
"""

import os
import signal
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.mail.backends import smtp
from django.db import connection
from django.utils import timezone

from outbox import mails, sending
from outbox.models import Mail
from tests.mail_server import MailServer

pytestmark = pytest.mark.django_db(transaction=True)

LATER = sending.LEASE + timedelta(seconds=1)


@pytest.fixture
def mailbox(settings: Any, monkeypatch: Any) -> Iterator[MailServer]:
    monkeypatch.setattr(mails, "KINDS", {})
    mails.register("news", lambda mail: mails.Message(subject="News", text="News", html="<p>News</p>"))
    with MailServer() as server:
        server.configure(settings)
        yield server


def die(*args: Any, **kwargs: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def before_the_claim() -> None:
    sending.claim = die


def after_the_claim() -> None:
    sending.mails.kind_for = die


def before_sending() -> None:
    smtp.EmailBackend.send_messages = die  # type: ignore[method-assign]


def after_the_250() -> None:
    send_messages = smtp.EmailBackend.send_messages

    def send_and_die(backend: Any, messages: Any) -> Any:
        send_messages(backend, messages)
        die()

    smtp.EmailBackend.send_messages = send_and_die  # type: ignore[method-assign,assignment]


def before_the_commit() -> None:
    def die_at_the_update(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        return die() if Mail.Status.SENT in (params or ()) else execute(sql, params, many, context)

    connection.execute_wrappers.append(die_at_the_update)


def after_the_commit() -> None:
    smtp.EmailBackend.close = die  # type: ignore[method-assign]


def send_and_kill_at(step: Callable[[], None], mail: Mail) -> None:
    """Send the mail in a process that is killed at the given step."""
    connection.close()  # a connection is not shared with a child
    pid = os.fork()
    if not pid:
        step()
        sending.send(mail.pk)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status), "it was not killed: the step was not reached"


STEPS: list[tuple[Callable[[], None], int, str, int, int]] = [
    # Step, mails accepted by then, status, mails that the sweep finds when the claim expires, mails in the end.
    (before_the_claim, 0, "pending", 1, 1),
    (after_the_claim, 0, "pending", 1, 1),
    (before_sending, 0, "pending", 1, 1),
    (after_the_250, 1, "pending", 1, 2),
    (before_the_commit, 1, "pending", 1, 2),
    (after_the_commit, 1, "sent", 0, 1),
]


@pytest.mark.thorough  # a process for each kill
@pytest.mark.parametrize(
    ("step", "accepted", "status", "found", "in_the_end"), STEPS, ids=lambda value: getattr(value, "__name__", None)
)
def test_a_killed_worker_sends_at_most_twice(
    mailbox: MailServer, step: Callable[[], None], accepted: int, status: str, found: int, in_the_end: int
) -> None:
    mail = mails.enqueue(kind="news", recipient="carla@example.com")
    send_and_kill_at(step, mail)
    mail.refresh_from_db()
    assert (len(mailbox.mails), mail.status) == (accepted, status)
    for _ in range(3):  # no other worker claims it before the lease ends
        if mail.claimed_at:
            sending.send(mail.pk)
    assert len(mailbox.mails) == accepted
    with time_machine.travel(timezone.now() + LATER):
        assert len(sending.due()) == found
        for _ in range(3):
            sending.send(mail.pk)
    mail.refresh_from_db()
    assert (len(mailbox.mails), mail.status) == (in_the_end, "sent")
    # Duplicates have the same Message-ID.
    assert len({got["Message-ID"] for got in mailbox.mails}) == 1
