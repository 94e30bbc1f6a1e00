"""Workers, beat, and what waits for them."""

import time
from typing import Any

from celery import current_app
from django.conf import settings

from productbackend.beat import last_tick
from productbackend.doctor.findings import Findings, bad, good, warn
from productbackend.metrics import gauges

ANSWER_WITHIN = 5.0  # seconds, all of which are waited: nobody knows how many workers there are
# As in deploy/prometheus/alerts.yml.
SILENT = 120
LONG = 300


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


def beat() -> Findings:
    """One that works is enough, on whichever host: each says in the cache when it has sent something."""
    ticked = last_tick()
    silent = time.time() - ticked
    if not ticked:
        yield bad(
            "nothing was ever sent, or the cache was emptied just now: docker compose up --detach beat, or see its log"
        )
    elif silent > SILENT:
        yield bad(f"nothing was sent for {silent:.0f} s: docker compose up --detach beat, or see its log")
    else:
        yield good(f"sent something {max(0.0, silent):.0f} s ago")


def waiting() -> Findings:
    """What a worker should have taken up by now, as the alerts see it."""
    for what, gauge, alert in (
        ("picture", "productbackend_image_oldest_pending_seconds", "ImagesWaiting"),
        ("mail", "productbackend_mail_oldest_due_seconds", "MailsWaiting"),
    ):
        if (waited := gauges.read(gauge)) > LONG:
            yield bad(f"a {what} has waited for {waited / 60:.0f} minutes: see {alert} in docs/runbook.md")
        else:
            yield good(f"no {what} for more than {LONG / 60:.0f} minutes")
