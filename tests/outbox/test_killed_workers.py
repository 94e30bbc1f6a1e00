"""A worker killed with -9 at each line of sending: how many mails arrive, with a real process and a real SMTP server.

One line is left at which a mail goes out twice: after the server's 250 and before the row says so.
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
from tests.outbox import server

pytestmark = pytest.mark.django_db(transaction=True)

LATER = sending.LEASE + timedelta(seconds=1)


@pytest.fixture
def mailbox(settings: Any, monkeypatch: Any) -> Iterator[server.Handler]:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.free_port()
    monkeypatch.setattr(mails, "_kinds", {})
    mails.register("news", lambda mail: mails.Message(subject="News", text="News", html="<p>News</p>"))
    with server.running(settings.EMAIL_PORT) as handler:
        yield handler


def die(*args: Any, **kwargs: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def before_the_claim() -> None:
    sending.claim = die


def claimed() -> None:
    sending.mails.kind_of = die


def before_the_text_is_sent() -> None:
    smtp.EmailBackend.send_messages = die  # type: ignore[method-assign]


def after_the_250() -> None:
    send_messages = smtp.EmailBackend.send_messages

    def send_and_die(backend: Any, messages: Any) -> Any:
        send_messages(backend, messages)
        die()

    smtp.EmailBackend.send_messages = send_and_die  # type: ignore[method-assign,assignment]


def before_the_commit() -> None:
    def die_at_the_last_word(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        return die() if Mail.Status.SENT in (params or ()) else execute(sql, params, many, context)

    connection.execute_wrappers.append(die_at_the_last_word)


def after_the_commit() -> None:
    smtp.EmailBackend.close = die  # type: ignore[method-assign]


def killed_at(line: Callable[[], None], mail: Mail) -> None:
    """Send the mail in a process that is killed there."""
    connection.close()  # a connection is not shared with a child
    pid = os.fork()
    if not pid:
        line()
        sending.send(mail.pk)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status), "it was not killed: the line was not reached"


LINES: list[tuple[Callable[[], None], int, str, int, int]] = [
    # The line, the mails taken by then, what the row says, the sweep's finds when the claim lapses, mails in the end.
    (before_the_claim, 0, "pending", 1, 1),
    (claimed, 0, "pending", 1, 1),
    (before_the_text_is_sent, 0, "pending", 1, 1),
    (after_the_250, 1, "pending", 1, 2),
    (before_the_commit, 1, "pending", 1, 2),
    (after_the_commit, 1, "sent", 0, 1),
]


@pytest.mark.parametrize(
    ("line", "taken", "status", "found", "in_the_end"), LINES, ids=lambda value: getattr(value, "__name__", None)
)
def test_what_comes_of_a_worker_that_is_killed(
    mailbox: server.Handler, line: Callable[[], None], taken: int, status: str, found: int, in_the_end: int
) -> None:
    mail = mails.owe(kind="news", recipient="carla@example.com")
    killed_at(line, mail)
    mail.refresh_from_db()
    assert (len(mailbox.taken), mail.status) == (taken, status)
    for _ in range(3):  # no other worker takes it up while the dead one may live
        if mail.claimed_at:
            sending.send(mail.pk)
    assert len(mailbox.taken) == taken
    with time_machine.travel(timezone.now() + LATER):
        assert len(sending.due()) == found
        for _ in range(3):
            sending.send(mail.pk)
    mail.refresh_from_db()
    assert (len(mailbox.taken), mail.status) == (in_the_end, "sent")
    # A server or a reader can see that the two are one.
    assert len({got["Message-ID"] for got in mailbox.taken}) == 1
