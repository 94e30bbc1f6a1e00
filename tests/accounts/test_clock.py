"""A year of beat's clock: the welcome mail is owed every day at 8:00 of the shop, once, whatever the clocks do."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django_celery_beat.models import PeriodicTask
from django_celery_beat.schedulers import DatabaseScheduler, ModelEntry

from productbackend import beat
from productbackend.celery import app

pytestmark = pytest.mark.django_db

YEAR = 2026
JOB = "welcome mail"
# When beat looks, of all the seconds in which it does: often around 8:00, and at the hours in which the clocks change.
LOOKS = [
    *(time(hour) for hour in (0, 1, 2, 3, 4, 5)),
    time(7),
    *(time(7, 59, second) for second in (0, 50, 59)),
    *(time(8, 0, second) for second in (0, 1, 5)),
    *(time(8, 1), time(9), time(10), time(13), time(18), time(23)),
]


def moments(first: date, days: int, zone: ZoneInfo) -> Iterator[datetime]:
    """An hour that does not exist in spring, or exists twice in autumn, only brings one look more or less."""
    for number in range(days):
        day = first + timedelta(days=number)
        yield from sorted({datetime.combine(day, look, zone).astimezone(UTC) for look in LOOKS})


def assert_fired_daily(fired: list[datetime], first: date, days: int, zone: ZoneInfo) -> None:
    local = [moment.astimezone(zone) for moment in fired]
    assert [moment.date() for moment in local] == [first + timedelta(days=number) for number in range(days)]
    assert {moment.time() for moment in local} == {time(8)}


@pytest.fixture(params=["Europe/Berlin", "America/New_York"])
def zone(request: Any, settings: Any, monkeypatch: Any) -> ZoneInfo:
    """A shop there."""
    settings.SHOP_TIME_ZONE = request.param
    monkeypatch.setattr(app.conf, "timezone", request.param)
    return ZoneInfo(request.param)


def job() -> PeriodicTask:
    """The job as a new shop gets it."""
    PeriodicTask.objects.all().delete()
    beat.create_jobs()
    PeriodicTask.objects.exclude(name=JOB).delete()
    return PeriodicTask.objects.get()


def test_it_is_due_at_8_every_day_of_a_year(zone: ZoneInfo) -> None:
    fired = []
    first, days = date(YEAR, 1, 1), 365
    with time_machine.travel(datetime.combine(first, time(0), zone), tick=False) as clock:
        entry = ModelEntry(job(), app=app)
        for moment in moments(first, days, zone):
            clock.move_to(moment)
            if entry.is_due().is_due:
                fired.append(moment)
                entry = next(entry)
    assert_fired_daily(fired, first, days, zone)


class Beat(DatabaseScheduler):
    """django-celery-beat's own, which writes down when it would have queued a task."""

    def __init__(self) -> None:
        self.fired: list[datetime] = []
        super().__init__(app=app)
        self._finalize.cancel()  # at the end of the process the test's database is gone

    def apply_async(self, entry: Any, *args: Any, **kwargs: Any) -> Any:
        if entry.name == JOB:
            self.fired.append(datetime.now(UTC))


CHANGES = {"Europe/Berlin": [(3, 29), (10, 25)], "America/New_York": [(3, 8), (11, 1)]}


def test_beat_itself_fires_once_a_day_around_each_change_of_the_clocks(zone: ZoneInfo, monkeypatch: Any) -> None:
    # It would roll back the test's own transaction.
    monkeypatch.setattr("django_celery_beat.schedulers.close_old_connections", lambda: None)
    for month, day in CHANGES[zone.key]:
        first, days = date(YEAR, month, day) - timedelta(days=2), 5
        with time_machine.travel(datetime.combine(first, time(0), zone), tick=False) as clock:
            job()
            scheduler = Beat()
            for moment in moments(first, days, zone):
                clock.move_to(moment)
                scheduler.tick()
        assert_fired_daily(scheduler.fired, first, days, zone)
