"""The periodic jobs of Celery beat, as rows that staff can change in the admin."""

import json
import logging
import time
from contextlib import suppress
from datetime import timedelta
from typing import Any

from celery import current_app
from celery.signals import after_task_publish, beat_init
from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule
from redis.exceptions import RedisError

from productbackend.database.changes import Kind, unrecorded
from productbackend.database.recorded import register

logger = logging.getLogger(__name__)

TICK = "beat:tick"
RELEASED = "As released: "
CRONTAB = ("minute", "hour", "day_of_week", "day_of_month", "month_of_year")
JOB_FIELDS = (
    "name", "task", "enabled", "interval", "crontab", "solar", "clocked", "one_off", "start_time", "expires",
    "expire_seconds", "queue", "priority", "args", "kwargs", "headers",
)  # fmt: skip
CLOCK_SKEW_MAX = 60.0  # seconds by which another host's clock may be ahead of this one's


def record_changes() -> None:
    """Record changes of the jobs and their schedules. Arguments may hold a secret: only that they changed."""
    register(Kind(PeriodicTask, JOB_FIELDS, name="{name}", hidden=("args", "kwargs", "headers")))
    register(Kind(CrontabSchedule, (*CRONTAB, "timezone"), name=" ".join(f"{{{name}}}" for name in CRONTAB)))
    register(Kind(IntervalSchedule, ("every", "period"), name="every {every} {period}"))
    register(Kind(SolarSchedule, ("event", "latitude", "longitude"), name="{event} {latitude} {longitude}"))
    register(Kind(ClockedSchedule, ("clocked_time",), name="{clocked_time}"))


def create_jobs(**kwargs: Any) -> None:
    """Create and update the rows of `settings.BEAT_JOBS`, except what staff have changed.

    A row's description records the schedule as released. A row that still matches it follows the next release; of a
    changed row only the time zone follows the setting. A job that is no longer in the settings is disabled.
    """
    current_app.loader.import_default_modules()  # registers all tasks
    with transaction.atomic():
        for name, (task, when) in settings.BEAT_JOBS.items():
            job = PeriodicTask.objects.filter(name=name).select_related("crontab", "interval").first()
            if job is None:
                job = PeriodicTask(name=name, headers=json.dumps({}))
            _update_job(job, task, when)
        for job in PeriodicTask.objects.filter(enabled=True).exclude(name__in=settings.BEAT_JOBS):
            if job.description.startswith(RELEASED) or job.task not in current_app.tasks:
                logger.warning("The job %r is disabled: this release has no such job.", job.name)
                job.enabled = False
                job.save()


def _update_job(job: PeriodicTask, task: str, when: timedelta | dict[str, str]) -> None:
    before = (job.task, job.interval, job.crontab, job.description)
    said = _release_description(task, _schedule(when))
    is_untouched = job.pk is None or job.description == _release_description(job.task, job)
    if is_untouched:
        job.task, job.interval, job.crontab = task, None, None
        for kind, schedule in _schedule(when).items():
            setattr(job, kind, schedule)
    elif job.task not in current_app.tasks:
        job.task = task  # the old task no longer exists; staff change the schedule only
    if is_untouched or (not job.description and said == _release_description(job.task, job)):
        job.description = said
    if job.crontab and str(job.crontab.timezone) != settings.SHOP_TIME_ZONE:
        fields = {name: getattr(job.crontab, name) for name in CRONTAB}
        job.crontab = CrontabSchedule.objects.filter(**fields, timezone=settings.SHOP_TIME_ZONE).first()
        job.crontab = job.crontab or CrontabSchedule.objects.create(**fields, timezone=settings.SHOP_TIME_ZONE)
    if job.pk is None:
        with unrecorded():
            job.save()
    elif before != (job.task, job.interval, job.crontab, job.description):
        job.save()  # not update(): beat reloads after the change that save() records


def _release_description(task: str, schedule: Any) -> str:
    """The description of a released job: its task and schedule, without the time zone."""
    kinds = schedule if isinstance(schedule, dict) else {"interval": schedule.interval, "crontab": schedule.crontab}
    if interval := kinds.get("interval"):
        when = f"every {interval.every} {interval.period}"
    elif crontab := kinds.get("crontab"):
        when = " ".join(str(getattr(crontab, name)) for name in CRONTAB)
    else:
        when = "at no time"
    return f"{RELEASED}{task}, {when}"


def _schedule(when: timedelta | dict[str, str]) -> dict[str, CrontabSchedule | IntervalSchedule]:
    with unrecorded():
        if isinstance(when, timedelta):
            interval, _ = IntervalSchedule.objects.get_or_create(
                every=int(when.total_seconds()), period=IntervalSchedule.SECONDS
            )
            return {"interval": interval}
        crontab, _ = CrontabSchedule.objects.get_or_create(timezone=settings.SHOP_TIME_ZONE, **when)
        return {"crontab": crontab}


def last_tick() -> float:
    """When a beat on any host last sent a task; 0 if never, or if the recorded time is in the future."""
    ticked = recorded_tick()
    return ticked if ticked <= time.time() + CLOCK_SKEW_MAX else 0.0


def recorded_tick() -> float:
    """The time that beat last recorded, unchecked."""
    tick = cache.get(TICK)
    return float(tick) if isinstance(tick, int | float) else 0.0


@beat_init.connect(dispatch_uid="tick")
def record_ticks(**kwargs: Any) -> None:
    """Record the time of each task that beat sends: a sweep every 30 seconds at least."""
    after_task_publish.connect(tick, dispatch_uid="tick")


def tick(**kwargs: Any) -> None:
    with suppress(RedisError, OSError):  # beat works without the cache
        cache.set(TICK, time.time(), None)
