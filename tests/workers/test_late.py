"""Jobs that beat should have sent, in the list of those that are late."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from productbackend.workers.late import late_jobs
from tests import factories

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def late() -> set[str]:
    return {job.name for job in late_jobs()}


def test_a_job_is_late_ten_minutes_after_it_was_due() -> None:
    jobs = PeriodicTask.objects.exclude(name="celery.backend_cleanup")
    with time_machine.travel(NOON, tick=False):
        jobs.update(last_run_at=timezone.now() - 5 * MINUTE)
        assert late() == set()
        PeriodicTask.objects.filter(name="check stock").update(last_run_at=NOON - 12 * MINUTE)  # each minute
        PeriodicTask.objects.filter(name="sweep: mail").update(last_run_at=NOON - HOUR, enabled=False)
        PeriodicTask.objects.filter(name="welcome mail").update(last_run_at=NOON - 28 * HOUR)  # at 8:00
        PeriodicTask.objects.filter(name="clear sessions").update(last_run_at=NOON - 9 * HOUR)  # at 3:20
        PeriodicTask.objects.filter(name="anonymize old orders").update(last_run_at=NOON - 8 * HOUR)  # at 3:45
        PeriodicTask.objects.filter(name="check orders").update(last_run_at=None, date_changed=NOON - HOUR)
        PeriodicTask.objects.filter(name="check payments").update(last_run_at=None, date_changed=NOON)
        assert late() == {"check stock", "welcome mail", "clear sessions", "check orders"}


def test_the_home_page_leads_to_them(client: Client) -> None:
    client.force_login(factories.user("stella", is_staff=True, is_superuser=True))
    for names in ([], ["check stock", "sweep: mail"]):
        PeriodicTask.objects.update(last_run_at=timezone.now())
        PeriodicTask.objects.filter(name__in=names).update(last_run_at=timezone.now() - HOUR)
        [found] = [each for each in client.get("/admin/").context["waits"] if each.label == "Jobs that are late"]
        assert found.count == len(names)
        rows = client.get(found.url).context["cl"].result_list
        assert sorted(job.name for job in rows) == names
