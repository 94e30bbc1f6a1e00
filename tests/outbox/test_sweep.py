"""The sweep: everything that lies there is queued, in batches, of which one is out at a time."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core import mail as django_mail
from django.core.cache import cache
from django.utils import timezone
from redis.exceptions import ConnectionError as RedisConnectionError

from outbox import mails, sending, tasks
from outbox.models import Mail
from productbackend.celery import app

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def seven_owed(monkeypatch: Any) -> None:
    monkeypatch.setattr(mails, "_kinds", {})
    mails.register("news", lambda mail: mails.Message(subject="News", text="News", html="<p>News</p>"))
    monkeypatch.setattr(sending, "SWEEP_BATCH", 2)
    now = timezone.now()
    mails.owe_all([Mail(kind="news", key=str(n), recipient=f"c{n}@example.com", due_at=now) for n in range(7)])


@pytest.fixture
def queue(monkeypatch: Any) -> list[tuple[Any, ...]]:
    """What is queued and lies there, since no worker runs."""
    queued: list[tuple[Any, ...]] = []
    for task in (tasks.send, tasks.sweep):

        def apply_async(args: tuple[Any, ...], expires: int, name: str = task.name) -> None:
            queued.append((name, *args))

        monkeypatch.setattr(task, "apply_async", apply_async)
    return queued


@pytest.fixture
def quick_worker() -> Iterator[None]:
    """One that runs each task as it is queued."""
    app.conf.task_always_eager = True
    yield
    app.conf.task_always_eager = False


@pytest.mark.usefixtures("quick_worker")
def test_one_sweep_leads_to_all_of_it() -> None:
    tasks.sweep()
    assert len(django_mail.outbox) == 7
    assert not Mail.objects.exclude(status="sent").exists()


def test_one_batch_is_out_at_a_time(queue: Any) -> None:
    for _ in range(4):  # two beats, twice each
        tasks.sweep()
    first, second, *_ = Mail.objects.order_by("pk").values_list("pk", flat=True)
    send, sweep = "outbox.tasks.send", "outbox.tasks.sweep"
    batch = [(send, first), (send, second), (sweep, True)]
    assert queue == batch
    tasks.sweep(True)
    assert queue == batch * 2  # nobody had taken up the first


def test_a_batch_that_was_lost_is_queued_again(queue: Any) -> None:
    tasks.sweep()
    cache.delete(tasks.BATCH_IS_OUT)  # as it is when BATCH_LIFE has gone
    tasks.sweep()
    assert len(queue) == 6


def test_where_nothing_is_due_nothing_is_out(queue: Any) -> None:
    Mail.objects.update(status="sent")
    tasks.sweep()
    assert queue == []
    Mail.objects.update(status="pending")
    tasks.sweep()
    assert len(queue) == 3


def test_without_the_cache_mail_is_queued_all_the_same(queue: Any, monkeypatch: Any) -> None:
    def away(*args: Any, **kwargs: Any) -> None:
        raise RedisConnectionError("Connection refused")

    monkeypatch.setattr(cache, "add", away, raising=False)
    monkeypatch.setattr(cache, "delete", away, raising=False)
    tasks.sweep()
    tasks.sweep(True)
    assert len(queue) == 6
