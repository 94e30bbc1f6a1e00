"""Checks workers, beat, and how long rows wait for them."""

import time
from typing import Any

from celery import current_app
from django.conf import settings

from productbackend.doctor.findings import Findings, bad, good, warn
from productbackend.observability.metrics.gauges import GAUGES
from productbackend.workers.beat import CLOCK_SKEW_MAX, recorded_tick

RESPONSE_SECONDS = 5.0  # always waited in full, since the number of workers is unknown
# Seconds, as in deploy/prometheus/alerts.yml.
BEAT_SILENT_MAX = 120
WAITING_MAX = 300


def workers() -> Findings:
    """The workers of each queue."""
    if not settings.CELERY_WORKER_ENABLE_REMOTE_CONTROL:
        yield warn("cannot be inspected with the file broker; `waiting` shows whether they work")
        return
    responses: dict[str, Any] = current_app.control.inspect(timeout=RESPONSE_SECONDS).active_queues() or {}
    for queue in settings.CELERY_TASK_QUEUES:
        names = sorted(name for name, queues in responses.items() if queue.name in {each["name"] for each in queues})
        if names:
            yield good(f"{len(names)} of the queue {queue.name}: {', '.join(names)}")
        else:
            service = "images" if queue.name == "images" else "worker"
            yield bad(
                f"no worker of the queue {queue.name} responds: start one (docker compose up --detach {service}), "
                "or see its log"
            )


def beat() -> Findings:
    """Whether a beat on any host runs: each records in the cache when it sends a task."""
    ticked = recorded_tick()
    silent = time.time() - ticked
    if silent < -CLOCK_SKEW_MAX:
        yield bad(
            f"the last task was sent {-silent:.0f} s in the future: a clock is or was ahead. Set the clocks of this "
            "host and beat's (timedatectl set-ntp true); beat then reschedules its jobs within a minute. If this "
            "finding stays, no beat is running: docker compose up --detach beat"
        )
    elif not ticked:
        yield bad(
            "no task was ever sent, or the cache was just cleared: docker compose up --detach beat, or see its log"
        )
    elif silent > BEAT_SILENT_MAX:
        yield bad(f"no task was sent for {silent:.0f} s: docker compose up --detach beat, or see its log")
    else:
        yield good(f"sent a task {max(0.0, silent):.0f} s ago")


def waiting() -> Findings:
    """Whether the work that waits for workers waits too long, as in the alerts."""
    for gauge in GAUGES.values():
        if not gauge.alert:
            continue
        if (waited := gauge.read() or 0.0) > WAITING_MAX:
            yield bad(
                f"a {gauge.waiting} has waited for {waited / 60:.0f} minutes: see {gauge.alert} in docs/runbook.md"
            )
        else:
            yield good(f"no {gauge.waiting} for more than {WAITING_MAX / 60:.0f} minutes")
