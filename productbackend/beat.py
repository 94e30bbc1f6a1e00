"""The jobs of Celery beat, as rows that staff can see and change in the admin."""

import json
import time
from contextlib import suppress
from datetime import timedelta
from typing import Any

from celery.signals import after_task_publish, beat_init
from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask
from redis.exceptions import RedisError

TICK = "beat:tick"


def create_jobs(**kwargs: Any) -> None:
    """Create what is missing of `settings.BEAT_JOBS`; of what is there only the timezone follows the setting."""
    with transaction.atomic():
        for name, (task, when) in settings.BEAT_JOBS.items():
            job = PeriodicTask.objects.filter(name=name).select_related("crontab").first()
            if job is None:
                PeriodicTask.objects.create(name=name, task=task, headers=json.dumps({}), **_schedule(when))
            elif job.crontab and str(job.crontab.timezone) != settings.SHOP_TIME_ZONE:
                job.crontab, _ = CrontabSchedule.objects.get_or_create(
                    minute=job.crontab.minute,
                    hour=job.crontab.hour,
                    day_of_week=job.crontab.day_of_week,
                    day_of_month=job.crontab.day_of_month,
                    month_of_year=job.crontab.month_of_year,
                    timezone=settings.SHOP_TIME_ZONE,
                )
                job.save()  # and not update(): beat looks for the change that save() notes


def _schedule(when: timedelta | dict[str, str]) -> dict[str, CrontabSchedule | IntervalSchedule]:
    if isinstance(when, timedelta):
        interval, _ = IntervalSchedule.objects.get_or_create(
            every=int(when.total_seconds()), period=IntervalSchedule.SECONDS
        )
        return {"interval": interval}
    crontab, _ = CrontabSchedule.objects.get_or_create(timezone=settings.SHOP_TIME_ZONE, **when)
    return {"crontab": crontab}


def last_tick() -> float:
    """When a beat last sent a task, whichever and wherever it was; 0 for never."""
    return float(cache.get(TICK) or 0)


@beat_init.connect(dispatch_uid="tick")
def follow(**kwargs: Any) -> None:
    """Its sweeps are sent every 30 seconds."""
    after_task_publish.connect(tick, dispatch_uid="tick")


def tick(**kwargs: Any) -> None:
    with suppress(RedisError, OSError):  # a beat that cannot say it still works
        cache.set(TICK, time.time(), None)
