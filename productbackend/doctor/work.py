"""Workers, beat, and what waits for them."""

from datetime import timedelta
from typing import Any

from celery import current_app
from django.apps import apps
from django.conf import settings
from django.utils import timezone

from productbackend.doctor.findings import Findings, bad, good, warn

ANSWER_WITHIN = 3.0  # seconds, all of which are waited: nobody knows how many workers there are
LONG = timedelta(minutes=5)


def workers() -> Findings:
    """Who takes from each queue."""
    if not settings.CELERY_WORKER_ENABLE_REMOTE_CONTROL:
        yield warn("cannot be asked while the queue is files; `waiting` shows whether they work")
        return
    answers: dict[str, Any] = current_app.control.inspect(timeout=ANSWER_WITHIN).active_queues() or {}
    for queue in settings.CELERY_TASK_QUEUES:
        names = sorted(name for name, queues in answers.items() if queue.name in {each["name"] for each in queues})
        if names:
            yield good(f"{len(names)} of the queue {queue.name}: {', '.join(names)}")
        else:
            service = "images" if queue.name == "images" else "worker"
            yield bad(
                f"none of the queue {queue.name} answers: start one (docker compose up --detach {service}), "
                "or see its log"
            )


def waiting() -> Findings:
    """Pictures and mails that a worker should have taken up by now."""
    late = timezone.now() - LONG
    images = apps.get_model("products", "ProductImage").objects.filter(status="pending", created_at__lt=late)
    mails = apps.get_model("outbox", "Mail").objects.filter(status="pending", due_at__lt=late)
    for what, rows, alert in (("pictures", images, "ImagesWaiting"), ("mails", mails, "MailsWaiting")):
        if count := rows.count():
            yield bad(f"{count} {what} for more than {LONG.seconds // 60} minutes: see {alert} in docs/runbook.md")
        else:
            yield good(f"no {what} for more than {LONG.seconds // 60} minutes")
