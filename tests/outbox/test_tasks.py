"""The sweep queues due mails in batches, one at a time."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail as django_mail
from django.core.cache import cache
from django.utils import timezone

from outbox import mails, sending, tasks
from outbox.models import Mail
from productbackend.celery import app
from tests import unreachable

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def seven_mails(monkeypatch: Any) -> None:
    monkeypatch.setattr(mails, "KINDS", {})
    mails.register("news", lambda mail: mails.Message(subject="News", text="News", html="<p>News</p>"))
    monkeypatch.setattr(sending, "SWEEP_BATCH", 2)
    now = timezone.now()
    mails.enqueue_many([Mail(kind="news", key=str(n), recipient=f"c{n}@example.com", due_at=now) for n in range(7)])


@pytest.fixture
def queue(monkeypatch: Any) -> list[tuple[Any, ...]]:
    """The queued tasks; no worker runs."""
    queued: list[tuple[Any, ...]] = []
    for task in (tasks.send, tasks.sweep):

        def apply_async(args: tuple[Any, ...], expires: int, name: str = task.name) -> None:
            queued.append((name, *args))

        monkeypatch.setattr(task, "apply_async", apply_async)
    return queued


@pytest.fixture
def eager_worker() -> Iterator[None]:
    """Run each task when it is queued."""
    app.conf.task_always_eager = True
    yield
    app.conf.task_always_eager = False


@pytest.mark.usefixtures("eager_worker")
def test_one_sweep_sends_every_batch() -> None:
    tasks.sweep()
    assert len(django_mail.outbox) == 7
    assert not Mail.objects.exclude(status="sent").exists()


def test_one_batch_is_queued_at_a_time(queue: Any) -> None:
    for _ in range(4):  # two beats, twice each
        tasks.sweep()
    first, second, *_ = Mail.objects.order_by("pk").values_list("pk", flat=True)
    send, sweep = "outbox.tasks.send", "outbox.tasks.sweep"
    batch = [(send, first), (send, second), (sweep, True)]
    assert queue == batch
    tasks.sweep(True)
    assert queue == batch * 2  # no worker had run the first batch


def test_a_batch_that_was_lost_is_queued_again(queue: Any) -> None:
    tasks.sweep()
    cache.delete(tasks.BATCH.key)  # as after its TTL
    tasks.sweep()
    assert len(queue) == 6


def test_a_batch_in_the_future_does_not_count(queue: Any) -> None:
    """The file cache expires by the clock, which was ahead when the batch was queued."""
    with time_machine.travel(timezone.now() + timedelta(days=1)):
        tasks.sweep()
        tasks.sweep()
    assert len(queue) == 3
    tasks.sweep()
    tasks.sweep()
    assert len(queue) == 6


def test_nothing_is_queued_if_nothing_is_due(queue: Any) -> None:
    Mail.objects.update(status="sent")
    tasks.sweep()
    assert queue == []
    Mail.objects.update(status="pending")
    tasks.sweep()
    assert len(queue) == 3


def test_mail_is_queued_while_the_cache_is_unreachable(queue: Any, monkeypatch: Any) -> None:
    unreachable.refuse(monkeypatch, cache, "add", "delete")
    tasks.sweep()
    tasks.sweep(True)
    assert len(queue) == 6
