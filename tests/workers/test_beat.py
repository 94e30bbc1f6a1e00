"""The jobs of beat are rows that staff can change."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery import current_app
from django.conf import settings
from django.core.management import call_command
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from productbackend.celery import app

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


def test_changes_by_staff_persist_and_a_deleted_job_is_created_again() -> None:
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


def released(jobs: dict[str, Any], settings: Any) -> None:
    """Migrate as another release with these jobs does."""
    settings.BEAT_JOBS = jobs
    migrate()


def schedule_of(name: str) -> Any:
    return PeriodicTask.objects.get(name=name).schedule


def test_a_released_schedule_updates_rows_that_staff_did_not_change(settings: Any) -> None:
    sweep, welcome = settings.BEAT_JOBS["sweep: mail"][0], settings.BEAT_JOBS["welcome mail"][0]
    changed = PeriodicTask.objects.get(name="sweep: images")
    changed.interval = IntervalSchedule.objects.create(every=5, period="minutes")
    changed.save()
    PeriodicTask.objects.filter(name="sweep: mail").update(enabled=False)
    new = timedelta(seconds=45)
    jobs = {"sweep: mail": (sweep, new), "sweep: images": ("products.tasks.sweep", new)}
    released(settings.BEAT_JOBS | jobs | {"welcome mail": (welcome, {"hour": "9", "minute": "5"})}, settings)
    assert schedule_of("sweep: mail").run_every == new
    assert not PeriodicTask.objects.get(name="sweep: mail").enabled  # as staff left it
    assert schedule_of("sweep: images").run_every == timedelta(minutes=5)
    assert PeriodicTask.objects.get(name="welcome mail").crontab.hour == "9"
    # Another kind of schedule in the following release.
    released(settings.BEAT_JOBS | {"welcome mail": (welcome, new), "sweep: mail": (sweep, {"hour": "4"})}, settings)
    assert schedule_of("welcome mail").run_every == new
    job = PeriodicTask.objects.get(name="sweep: mail")
    assert (job.crontab.hour, job.interval) == ("4", None)


def test_rows_of_the_first_releases_are_updated(settings: Any) -> None:
    """Their descriptions were empty."""
    PeriodicTask.objects.update(description="")
    migrate()
    new = timedelta(seconds=45)
    released(settings.BEAT_JOBS | {"sweep: mail": ("outbox.tasks.sweep", new)}, settings)
    assert schedule_of("sweep: mail").run_every == new


def test_a_removed_or_renamed_job_sends_no_unknown_task(settings: Any) -> None:
    interval = IntervalSchedule.objects.create(every=1, period="hours")
    PeriodicTask.objects.create(name="of staff", task="products.tasks.sweep", interval=interval)
    PeriodicTask.objects.create(name="old", task="products.tasks.gone", interval=interval)
    changed = PeriodicTask.objects.get(name="check stock")
    changed.interval, changed.task = interval, "products.tasks.former_name"
    changed.save()
    jobs = dict(settings.BEAT_JOBS)
    del jobs["sweep: images"]
    released(jobs, settings)
    enabled = dict(PeriodicTask.objects.values_list("name", "enabled"))
    assert (enabled["sweep: images"], enabled["old"], enabled["of staff"]) == (False, False, True)
    changed.refresh_from_db()
    assert (changed.task, changed.interval) == ("products.tasks.check_stock", interval)


def test_a_migration_that_changes_nothing_writes_no_row() -> None:
    before = dict(PeriodicTask.objects.values_list("name", "date_changed"))
    migrate()
    assert dict(PeriodicTask.objects.values_list("name", "date_changed")) == before


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
def test_schedules_are_in_the_shops_time_zone(settings: Any, now: datetime, due_in: timedelta) -> None:
    settings.SHOP_TIME_ZONE = "Europe/Berlin"
    migrate()
    schedule = PeriodicTask.objects.get(name="welcome mail").schedule
    schedule.nowfun = lambda: now
    assert schedule.remaining_estimate(now - timedelta(minutes=1)) == due_in


@pytest.mark.django_db
def test_every_job_exists_and_names_a_task() -> None:
    jobs = dict(PeriodicTask.objects.filter(name__in=settings.BEAT_JOBS).values_list("name", "task"))
    assert jobs == {name: task for name, (task, _) in settings.BEAT_JOBS.items()}
    app.loader.import_default_modules()
    assert set(jobs.values()) <= set(app.tasks)
