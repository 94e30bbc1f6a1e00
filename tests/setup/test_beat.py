"""The jobs of beat are rows that staff may change."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery import current_app
from django.conf import settings
from django.core.management import call_command
from django_celery_beat.models import CrontabSchedule, PeriodicTask

pytestmark = pytest.mark.django_db


def migrate() -> None:
    call_command("migrate", interactive=False, verbosity=0)


def test_migrate_creates_every_job_and_each_names_a_task_that_exists() -> None:
    current_app.loader.import_default_modules()
    jobs = {job.name: job for job in PeriodicTask.objects.exclude(name__startswith="celery.")}
    assert set(jobs) == set(settings.BEAT_JOBS)
    for job in jobs.values():
        assert job.task in current_app.tasks
        assert job.enabled


def test_the_sweeps_run_twice_a_minute_and_the_welcome_mail_at_eight() -> None:
    for name in ("sweep: mail", "sweep: images"):
        assert PeriodicTask.objects.get(name=name).schedule.run_every == timedelta(seconds=30)
    welcome = PeriodicTask.objects.get(name="welcome mail").crontab
    assert (welcome.hour, welcome.minute) == ("8", "0")


def test_what_staff_changed_stays_and_a_deleted_job_comes_back() -> None:
    job = PeriodicTask.objects.get(name="welcome mail")
    job.crontab = CrontabSchedule.objects.create(hour="9", minute="15", timezone="UTC")
    job.enabled = False
    job.save()
    PeriodicTask.objects.filter(name="sweep: mail").delete()
    migrate()
    job.refresh_from_db()
    assert (job.crontab.hour, job.crontab.minute, job.enabled) == ("9", "15", False)
    assert PeriodicTask.objects.filter(name="sweep: mail").exists()
    assert PeriodicTask.objects.filter(name="welcome mail").count() == 1


def test_the_time_zone_follows_the_setting_and_the_hour_stays(settings: Any) -> None:
    settings.SHOP_TIME_ZONE = "Europe/Berlin"
    migrate()
    job = PeriodicTask.objects.get(name="welcome mail")
    assert str(job.crontab.timezone) == "Europe/Berlin"
    assert (job.crontab.hour, job.crontab.minute) == ("8", "0")


@pytest.mark.parametrize(
    ("now", "due_in"),
    [
        (datetime(2026, 1, 15, 6, 30, tzinfo=UTC), timedelta(minutes=30)),  # 8:00 in Berlin is 7:00 UTC in winter
        (datetime(2026, 7, 15, 5, 30, tzinfo=UTC), timedelta(minutes=30)),  # and 6:00 in summer
    ],
)
def test_eight_is_eight_in_the_shops_own_time(settings: Any, now: datetime, due_in: timedelta) -> None:
    settings.SHOP_TIME_ZONE = "Europe/Berlin"
    migrate()
    schedule = PeriodicTask.objects.get(name="welcome mail").schedule
    schedule.nowfun = lambda: now
    assert schedule.remaining_estimate(now - timedelta(minutes=1)) == due_in
