"""MAIL_PER_MINUTE: the rate limit of all workers together."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail as django_mail
from django.utils import timezone

from outbox import mails, sending
from outbox.models import Mail
from productbackend.caches.counters import counters
from tests import unreachable
from tests.concurrently import run_concurrently

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def kinds(monkeypatch: Any) -> None:
    def write(mail: Mail) -> mails.Message:
        return mails.Message(subject="News", text="News", html="<p>News</p>")

    monkeypatch.setattr(mails, "KINDS", {})
    mails.register("news", write, bulk=True)
    mails.register("reset", write)


def enqueue(many: int, kind: str = "news") -> list[int]:
    now = timezone.now()
    mail_rows = [Mail(kind=kind, key=f"{kind}:{n}", recipient=f"c{n}@example.com", due_at=now) for n in range(many)]
    mails.enqueue_many(mail_rows)
    return list(Mail.objects.filter(kind=kind).order_by("pk").values_list("pk", flat=True))


def sent() -> int:
    return Mail.objects.filter(status="sent").count()


def test_the_limit_holds_for_each_minute(settings: Any) -> None:
    settings.MAIL_PER_MINUTE = 3
    with time_machine.travel(NOON, tick=False) as clock:
        mail_ids = enqueue(8)
        after = []
        for _ in range(4):
            for mail_id in mail_ids:
                sending.send(mail_id)
            after.append(sent())
            clock.shift(timedelta(minutes=1))
    assert after == [3, 6, 8, 8]
    assert set(Mail.objects.values_list("attempts", flat=True)) == {1}


def test_a_sweep_queues_only_what_the_limit_allows(settings: Any) -> None:
    settings.MAIL_PER_MINUTE = 3
    with time_machine.travel(NOON, tick=False) as clock:
        enqueue(8)
        assert len(sending.due()) == 3
        sending.send(sending.due()[0])
        assert len(sending.due()) == 2
        for mail_id in sending.due():
            sending.send(mail_id)
        assert sending.due() == []
        clock.shift(timedelta(minutes=1))
        assert len(sending.due()) == 3


def test_a_mail_claimed_by_another_worker_is_not_counted(settings: Any) -> None:
    settings.MAIL_PER_MINUTE = 2
    with time_machine.travel(NOON, tick=False):
        first, second = enqueue(2)
        for _ in range(5):
            sending.send(first)
        sending.send(second)
    assert sent() == 2


@pytest.mark.parametrize("limit", [0, 100])
def test_urgent_mails_precede_bulk_mails(settings: Any, monkeypatch: Any, limit: int) -> None:
    settings.MAIL_PER_MINUTE = limit
    monkeypatch.setattr(sending, "SWEEP_BATCH", 4)
    news = enqueue(10)
    resets = enqueue(2, "reset")
    assert sending.due() == [*resets, *news[:2]]


def test_mail_waits_while_the_cache_is_unreachable(settings: Any, monkeypatch: Any, caplog: Any) -> None:
    settings.MAIL_PER_MINUTE = 5
    (mail_id,) = enqueue(1)
    with monkeypatch.context() as patch:
        unreachable.refuse(patch, counters, "count", "get")
        sending.send(mail_id)
        assert sending.due() == []
    assert sent() == 0
    assert "while the counters' cache is unreachable" in caplog.text
    sending.send(mail_id)
    assert sent() == 1


@pytest.mark.thorough
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("limit", "expected"), [(7, 7), (0, 20)])
def test_ten_workers_share_one_limit(settings: Any, limit: int, expected: int) -> None:
    settings.MAIL_PER_MINUTE = limit
    mail_ids = enqueue(20)

    def work() -> None:
        for mail_id in mail_ids:
            sending.send(mail_id)

    with time_machine.travel(NOON, tick=False):
        Mail.objects.update(due_at=NOON)
        assert run_concurrently([work] * 10) == [None] * 10
    assert sent() == len(django_mail.outbox) == expected
    assert sorted(Mail.objects.values_list("attempts", flat=True)) == [0] * (20 - expected) + [1] * expected
