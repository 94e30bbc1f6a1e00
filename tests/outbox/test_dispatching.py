"""One message tells the queue of the mails of an interval, and no mail is lost with a message."""

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.core import mail as django_mail
from django.db import connection

from outbox import dispatching, sending, tasks
from outbox.dispatching import MAILS_MAX, SEND, MailQueue
from outbox.models import Mail
from productbackend.observability import context
from productbackend.observability.context import on_behalf_of
from tests.outbox.rows import enqueue, state
from tests.waiting import wait_for

FORK = multiprocessing.get_context("fork")


@pytest.fixture
def sent(monkeypatch: Any) -> list[tuple[Any, ...]]:
    """The messages, each with the request that its task has."""
    messages: list[tuple[Any, ...]] = []
    monkeypatch.setattr(dispatching, "dispatch_task", lambda *task: messages.append((*task, context.current_request())))
    return messages


@pytest.fixture
def queue() -> Iterator[MailQueue]:
    own = MailQueue()
    yield own
    wait_for(lambda: own.thread is None, seconds=5, every=0.01)


def test_a_mail_is_told_immediately_and_those_of_the_interval_together(sent: Any, queue: MailQueue) -> None:
    with on_behalf_of("first", 7):
        queue.add(1)
    wait_for(lambda: sent, seconds=5, every=0.001)
    assert sent == [(SEND, 1, ("first", 7))]
    for number in (2, 3, 4):
        with on_behalf_of(f"request {number}", number):
            queue.add(number)
    wait_for(lambda: len(sent) == 2, seconds=5, every=0.01)
    assert sent[1] == (SEND, 2, [(3, "request 3", 3), (4, "request 4", 4)], ("request 2", 2))


def test_a_message_has_a_limited_number_of_mails(sent: Any, queue: MailQueue) -> None:
    queue.add(0)
    wait_for(lambda: sent, seconds=5, every=0.001)
    for number in range(1, 2 * MAILS_MAX + 2):
        queue.add(number)
    wait_for(lambda: len(sent) == 4, seconds=5, every=0.01)
    assert [len(message[2]) for message in sent[1:3]] == [MAILS_MAX - 1] * 2
    assert sent[3][1] == 2 * MAILS_MAX + 1


def test_the_queue_is_told_again_after_a_pause(sent: Any, queue: MailQueue) -> None:
    for number in (1, 2):
        queue.add(number)
        wait_for(lambda: queue.thread is None, seconds=5, every=0.01)
    assert [message[1] for message in sent] == [1, 2]


def test_a_process_that_ends_tells_the_queue_first(monkeypatch: Any) -> None:
    told, tell = FORK.Pipe(duplex=False)

    def enqueue_and_end() -> None:
        monkeypatch.setattr(dispatching, "dispatch_task", lambda *task: tell.send(task))
        queue = MailQueue()
        for number in (1, 2):
            queue.add(number)

    process = FORK.Process(target=enqueue_and_end)
    process.start()
    process.join(timeout=10)
    named = []
    while told.poll():
        _, first, *others = told.recv()
        named += [first, *(row[0] for rows in others for row in rows)]
    assert named == [1, 2]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("kinds")
def test_a_mail_of_a_killed_process_is_found_by_the_sweep() -> None:
    connection.close()  # a connection is not shared with a child
    pid = os.fork()
    if not pid:

        def die(*args: Any) -> None:
            os.kill(os.getpid(), signal.SIGKILL)

        dispatching.dispatch_mails = die  # type: ignore[assignment]
        enqueue()
        time.sleep(10)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status), "it was not killed: the queue was told"
    [mail_id] = sending.due()
    tasks.send(mail_id)
    assert len(django_mail.outbox) == 1


@pytest.mark.django_db
@pytest.mark.usefixtures("kinds")
def test_a_task_sends_the_mails_of_its_message_each_for_its_request(monkeypatch: Any) -> None:
    mails = [enqueue() for _ in range(3)]
    requests: list[Any] = []
    claim = sending.claim

    def recording_claim(mail_id: int) -> Mail | None:
        requests.append((mail_id, *context.current_request()))
        return claim(mail_id)

    monkeypatch.setattr(sending, "claim", recording_claim)
    with on_behalf_of("first", 1):
        tasks.send(mails[0].pk, [(mails[1].pk, "second", 2), (mails[2].pk, None, None)])
    assert requests == [(mails[0].pk, "first", 1), (mails[1].pk, "second", 2), (mails[2].pk, None, None)]
    assert [state(mail) for mail in mails] == [("sent", 1)] * 3


@pytest.mark.django_db
@pytest.mark.usefixtures("kinds")
def test_mails_behind_a_slow_server_get_a_message_of_their_own(sent: Any, monkeypatch: Any) -> None:
    mails = [enqueue() for _ in range(3)]
    monkeypatch.setattr(sending, "OTHERS_SECONDS", -1)
    tasks.send(mails[0].pk, [(mails[1].pk, "second", 2), (mails[2].pk, "third", 3)])
    assert [state(mail) for mail in mails] == [("sent", 1), ("pending", 0), ("pending", 0)]
    assert sent == [(SEND, mails[1].pk, [(mails[2].pk, "third", 3)], ("second", 2))]
