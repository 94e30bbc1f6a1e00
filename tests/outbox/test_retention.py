"""Old mails are anonymized."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from outbox.models import Mail
from outbox.retention import RECIPIENT_RETENTION
from outbox.tasks import forget_recipients

pytestmark = pytest.mark.django_db


def test_old_mails_are_anonymized_and_not_sent_twice() -> None:
    now = timezone.now()
    statuses = ("sent", "failed", "pending")
    for age in (RECIPIENT_RETENTION - timedelta(hours=1), RECIPIENT_RETENTION + timedelta(hours=1)):
        with time_machine.travel(now - age):
            for status in statuses:
                key = f"welcome:{status}:{age.days}"
                Mail.objects.create(kind="welcome", key=key, recipient="x@y.z", due_at=now, status=status)
    forget_recipients()
    assert Mail.objects.count() == 6
    assert list(Mail.objects.filter(recipient="").order_by("pk").values_list("status", flat=True)) == ["sent", "failed"]
