"""Rows of the outbox."""

from datetime import timedelta
from typing import Any

import time_machine
from django.utils import timezone

from outbox import mails, sending
from outbox.models import Mail


def enqueue(recipient: str = "carla@example.com", kind: str = "news", **fields: Any) -> Mail:
    return mails.enqueue(kind=kind, recipient=recipient, **fields)


def state(mail: Mail) -> tuple[str, int]:
    mail.refresh_from_db()
    return mail.status, mail.attempts


def send_until_done(mail: Mail) -> list[timedelta]:
    """Send the mail each time that it is due; return the delays."""
    waits: list[timedelta] = []
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(10):
            sending.send(mail.pk)
            mail.refresh_from_db()
            if mail.status != Mail.Status.PENDING:
                return waits
            waits.append(mail.due_at - timezone.now())
            clock.move_to(mail.due_at - timedelta(seconds=1))
            assert mail.pk not in sending.due()
            clock.move_to(mail.due_at)
    raise AssertionError("It is retried for ever.")


def enqueue_ahead(ahead: timedelta, clock: Any, reference: str = "") -> Mail:
    """Enqueue a mail while the clock is ahead."""
    now = timezone.now()
    clock.move_to(now + ahead)
    mail = enqueue(reference=reference)
    clock.move_to(now)
    return mail
