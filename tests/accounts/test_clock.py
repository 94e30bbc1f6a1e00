"""A year of beat's schedule: the welcome job runs once a day at 8:00 shop time, also when daylight saving changes."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django_celery_beat.models import PeriodicTask
from django_celery_beat.schedulers import ModelEntry

from productbackend.celery import app
from productbackend.workers import beat
from tests.workers.recording import RecordingScheduler

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]

YEAR = 2026
JOB = "welcome mail"
# A sample of beat's ticks: often around 8:00, and in the hours in which daylight saving changes.
TICKS = [
    *(time(hour) for hour in (0, 1, 2, 3, 4, 5)),
    time(7),
    *(time(7, 59, second) for second in (0, 50, 59)),
    *(time(8, 0, second) for second in (0, 1, 5)),
    *(time(8, 1), time(9), time(10), time(13), time(18), time(23)),
]


def moments(first: date, days: int, zone: ZoneInfo) -> Iterator[datetime]:
    """Yield the ticks. An hour that is skipped in spring or repeated in autumn only adds or removes a tick."""
    for number in range(days):
        day = first + timedelta(days=number)
        yield from sorted({datetime.combine(day, tick, zone).astimezone(UTC) for tick in TICKS})


def assert_fired_daily(fired: list[datetime], first: date, days: int, zone: ZoneInfo) -> None:
    local = [moment.astimezone(zone) for moment in fired]
    assert [moment.date() for moment in local] == [first + timedelta(days=number) for number in range(days)]
    assert {moment.time() for moment in local} == {time(8)}


@pytest.fixture(params=["Europe/Berlin", "America/New_York"])
def zone(request: Any, settings: Any, monkeypatch: Any) -> ZoneInfo:
    """The time zone of the shop."""
    settings.SHOP_TIME_ZONE = request.param
    monkeypatch.setattr(app.conf, "timezone", request.param)
    return ZoneInfo(request.param)


def job() -> PeriodicTask:
    """Create the job as in a new shop."""
    PeriodicTask.objects.all().delete()
    beat.create_jobs()
    PeriodicTask.objects.exclude(name=JOB).delete()
    return PeriodicTask.objects.get()


def test_the_job_is_due_at_8_every_day_of_a_year(zone: ZoneInfo) -> None:
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


CHANGES = {"Europe/Berlin": [(3, 29), (10, 25)], "America/New_York": [(3, 8), (11, 1)]}


@pytest.mark.thorough  # two simulated weeks
@pytest.mark.usefixtures("one_transaction")
@pytest.mark.parametrize("zone", ["Europe/Berlin"], indirect=True)  # the entry of the other zone is tested above
def test_beat_fires_once_a_day_around_daylight_saving_changes(zone: ZoneInfo) -> None:
    for month, day in CHANGES[zone.key]:
        first, days = date(YEAR, month, day) - timedelta(days=1), 3
        with time_machine.travel(datetime.combine(first, time(0), zone), tick=False) as clock:
            job()
            scheduler = RecordingScheduler()
            for moment in moments(first, days, zone):
                clock.move_to(moment)
                scheduler.tick()
        assert_fired_daily([time for name, time in scheduler.sent if name == JOB], first, days, zone)
