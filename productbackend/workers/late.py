"""Which periodic jobs are late: beat has not sent them when their schedule says."""

from datetime import timedelta

from django.utils import timezone
from django_celery_beat.models import PeriodicTask

# Beat writes only every few minutes when it has sent a job last.
GRACE = timedelta(minutes=10)


def late_jobs() -> list[PeriodicTask]:
    """The enabled jobs that should have been sent more than 10 minutes ago, by name."""
    jobs = PeriodicTask.objects.filter(enabled=True).select_related("interval", "crontab", "solar", "clocked")
    return [job for job in jobs.order_by("name") if _is_late(job)]


def _is_late(job: PeriodicTask) -> bool:
    # A job that was never sent is due since it was created or changed.
    last = job.last_run_at or job.date_changed
    if last > timezone.now() - GRACE:
        return False
    return bool(job.schedule.remaining_estimate(last) < -GRACE)
