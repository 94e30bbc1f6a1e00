"""Times in the future, written while a clock was ahead, delay no mail."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from outbox import sending
from tests.mail_server import MailServer
from tests.outbox.rows import enqueue, enqueue_ahead, state

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("kinds")]


@pytest.mark.parametrize("ahead", [timedelta(minutes=5), timedelta(hours=3), timedelta(days=400)])
def test_a_clock_that_was_ahead_delays_no_mail(smtp: MailServer, ahead: timedelta) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        mail = enqueue_ahead(ahead, clock)
        assert sending.due() == [mail.pk]
        sending.send(mail.pk)
        assert state(mail) == ("sent", 1)


@pytest.mark.parametrize("ahead", [timedelta(minutes=5), timedelta(days=400)])
def test_a_claim_in_the_future_does_not_count(smtp: MailServer, ahead: timedelta) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        mail, now = enqueue(), timezone.now()
        clock.move_to(now + ahead)
        assert sending.claim(mail.pk) is not None
        clock.move_to(now)
        assert sending.due() == [mail.pk]
        sending.send(mail.pk)
        assert state(mail) == ("sent", 2)


@pytest.mark.parametrize("kind", ["news", "patient"])
def test_a_due_time_too_far_in_the_future_is_reset(smtp: MailServer, kind: str) -> None:
    smtp.replies["carla@example.com"] = "450 Busy"
    with time_machine.travel(timezone.now(), tick=False) as clock:
        mail, now = enqueue(kind=kind), timezone.now()
        clock.move_to(now + timedelta(days=3))
        sending.send(mail.pk)
        clock.move_to(now)
        assert sending.due() == [mail.pk]
        sending.send(mail.pk)
        assert state(mail) == ("pending", 2)
        assert sending.due() == []  # a delay of a correct clock counts
        assert sending.oldest_pending_seconds() == 0.0
