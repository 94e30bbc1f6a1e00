"""MAIL_PER_MINUTE: no more mails than that are taken up in a minute, however many workers there are."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail as django_mail
from django.core.cache import cache
from django.db import connection
from django.utils import timezone
from redis.exceptions import ConnectionError as RedisConnectionError

from outbox import mails, sending
from outbox.models import Mail

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def kinds(monkeypatch: Any) -> None:
    def write(mail: Mail) -> mails.Message:
        return mails.Message(subject="News", text="News", html="<p>News</p>")

    monkeypatch.setattr(mails, "_kinds", {})
    mails.register("news", write, bulk=True)
    mails.register("reset", write)


def owe(many: int, kind: str = "news") -> list[int]:
    now = timezone.now()
    made = [Mail(kind=kind, key=f"{kind}:{n}", recipient=f"c{n}@example.com", due_at=now) for n in range(many)]
    mails.owe_all(made)
    return list(Mail.objects.filter(kind=kind).order_by("pk").values_list("pk", flat=True))


def sent() -> int:
    return Mail.objects.filter(status="sent").count()


def test_each_minute_takes_up_so_many(settings: Any) -> None:
    settings.MAIL_PER_MINUTE = 3
    with time_machine.travel(NOON, tick=False) as clock:
        owed = owe(8)
        after = []
        for _ in range(4):
            for mail_id in owed:
                sending.send(mail_id)
            after.append(sent())
            clock.shift(timedelta(minutes=1))
    assert after == [3, 6, 8, 8]
    assert set(Mail.objects.values_list("attempts", flat=True)) == {1}


def test_a_sweep_queues_what_the_minute_still_takes(settings: Any) -> None:
    settings.MAIL_PER_MINUTE = 3
    with time_machine.travel(NOON, tick=False) as clock:
        owe(8)
        assert len(sending.due()) == 3
        sending.send(sending.due()[0])
        assert len(sending.due()) == 2
        for mail_id in sending.due():
            sending.send(mail_id)
        assert sending.due() == []
        clock.shift(timedelta(minutes=1))
        assert len(sending.due()) == 3


def test_a_mail_that_another_worker_has_is_not_counted(settings: Any) -> None:
    settings.MAIL_PER_MINUTE = 2
    with time_machine.travel(NOON, tick=False):
        first, second = owe(2)
        for _ in range(5):
            sending.send(first)
        sending.send(second)
    assert sent() == 2


@pytest.mark.parametrize("limit", [0, 100])
def test_what_somebody_waits_for_goes_before_the_bulk(settings: Any, monkeypatch: Any, limit: int) -> None:
    settings.MAIL_PER_MINUTE = limit
    monkeypatch.setattr(sending, "SWEEP_BATCH", 4)
    news = owe(10)
    resets = owe(2, "reset")
    assert sending.due() == [*resets, *news[:2]]


def test_while_the_cache_is_away_mail_waits(settings: Any, monkeypatch: Any, caplog: Any) -> None:
    def away(*args: Any, **kwargs: Any) -> None:
        raise RedisConnectionError("Connection refused")

    settings.MAIL_PER_MINUTE = 5
    (mail_id,) = owe(1)
    with monkeypatch.context() as patch:
        for name in ("add", "incr", "get"):
            patch.setattr(cache, name, away, raising=False)
        sending.send(mail_id)
        assert sending.due() == []
    assert sent() == 0
    assert "while the cache that counts them is away" in caplog.text
    sending.send(mail_id)
    assert sent() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("limit", "expected"), [(7, 7), (0, 20)])
def test_ten_workers_share_one_limit(settings: Any, limit: int, expected: int) -> None:
    settings.MAIL_PER_MINUTE = limit
    owed = owe(20)

    def work(number: int) -> None:
        try:
            for mail_id in owed:
                sending.send(mail_id)
        finally:
            connection.close()

    with time_machine.travel(NOON, tick=False), ThreadPoolExecutor(10) as pool:
        Mail.objects.update(due_at=NOON)
        list(pool.map(work, range(10)))
    assert sent() == len(django_mail.outbox) == expected
    assert sorted(Mail.objects.values_list("attempts", flat=True)) == [0] * (20 - expected) + [1] * expected
