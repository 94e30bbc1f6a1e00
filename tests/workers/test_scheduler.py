"""Beat reschedules immediately after its clock was ahead and is corrected, and doctor reports it."""

from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from productbackend.doctor import work
from productbackend.workers import beat
from tests.workers.recording import RecordingScheduler

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("one_transaction")]

SWEEPS = {"sweep: mail", "sweep: images", "sweep: search"}
MINUTE = timedelta(minutes=1)
EVERY = [schedule for _, schedule in settings.BEAT_JOBS.values() if isinstance(schedule, timedelta)]
# In the 70 seconds after a correction: a sweep twice, a job of each minute once.
MOST = sum(MINUTE // every for every in EVERY if every <= MINUTE)
AHEADS = [timedelta(minutes=10), timedelta(days=400)]


@pytest.mark.parametrize("ahead", AHEADS)
@pytest.mark.parametrize("is_restarted", [True, False])
def test_beat_reschedules_when_its_clock_is_set_back(ahead: timedelta, is_restarted: bool) -> None:
    now = timezone.now()
    with time_machine.travel(now + ahead, tick=False) as clock:
        scheduler = RecordingScheduler()
        assert set(scheduler.ticks(clock, 35)) >= SWEEPS
        scheduler.sync()
        clock.move_to(now)
        if is_restarted:
            scheduler = RecordingScheduler()
        assert set(scheduler.ticks(clock, 35)) >= SWEEPS
        assert set(scheduler.ticks(clock, 35)) >= SWEEPS
        assert len(scheduler.sent) <= MOST
        scheduler.sync()
        assert not PeriodicTask.objects.filter(last_run_at__gt=timezone.now()).exists()


def test_the_daily_job_runs_at_its_hour_though_it_ran_in_the_future() -> None:
    day = timezone.now().replace(hour=7, minute=0, second=0, microsecond=0)
    PeriodicTask.objects.update(last_run_at=day + timedelta(days=30))
    with time_machine.travel(day + timedelta(minutes=59, seconds=30), tick=False) as clock:
        assert "welcome mail" in RecordingScheduler().ticks(clock, 40)


@pytest.mark.parametrize("ahead", AHEADS)
def test_doctor_and_the_gauge_report_a_clock_that_was_ahead(ahead: timedelta) -> None:
    with time_machine.travel(timezone.now() + ahead):
        beat.tick()
    (finding,) = work.beat()
    assert finding.level == "bad"
    assert "s in the future: a clock is or was ahead" in finding.text
    assert beat.last_tick() == 0
    beat.tick()
    (finding,) = work.beat()
    assert (finding.level, beat.last_tick() > 0) == ("good", True)
