"""The jobs that beat has after a migration."""

import pytest
from django.conf import settings
from django_celery_beat.models import PeriodicTask

from productbackend.celery import app


@pytest.mark.django_db
def test_every_job_is_there_and_names_a_task() -> None:
    jobs = dict(PeriodicTask.objects.filter(name__in=settings.BEAT_JOBS).values_list("name", "task"))
    assert jobs == {name: task for name, (task, _) in settings.BEAT_JOBS.items()}
    app.loader.import_default_modules()
    assert set(jobs.values()) <= set(app.tasks)
