"""Beat's scheduler: django-celery-beat's, which corrects times in the future."""

import logging
import time
from datetime import timedelta
from typing import Any

from celery.schedules import schedstate
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from django_celery_beat.schedulers import DatabaseScheduler, ModelEntry

logger = logging.getLogger(__name__)

CLOCK_SKEW_MAX = timedelta(seconds=5)  # by which another host's clock may be ahead of this one's


class Entry(ModelEntry):
    """Treats a last run in the future, from when the clock was ahead, as a run now."""

    def is_due(self) -> schedstate:
        now, last = timezone.now(), self.model.last_run_at
        if last > now + CLOCK_SKEW_MAX:
            logger.warning("%s: last run at %s, in the future: it counts as run now", self.name, last)
            self.last_run_at = self.model.last_run_at = now
            # Written immediately: otherwise each reload of the rows would postpone it again.
            PeriodicTask.objects.filter(pk=self.model.pk).update(last_run_at=now)
        return super().is_due()


class Scheduler(DatabaseScheduler):
    """Reschedules all jobs after the clock was set back: otherwise they would wait until the wrong time."""

    Entry = Entry
    _ticked_at = 0.0  # wall-clock time; ticks are seconds apart

    def tick(self, *args: Any, **kwargs: Any) -> float:
        now = time.time()
        if now < self._ticked_at - CLOCK_SKEW_MAX.total_seconds():
            logger.warning("The clock was set back by %.0f s: rescheduling all jobs", self._ticked_at - now)
            self._heap = None  # filled again, by when each job is due now
        self._ticked_at = now
        return float(super().tick(*args, **kwargs))
