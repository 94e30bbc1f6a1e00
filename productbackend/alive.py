"""A file that a worker and a beat touch while they do their work, for a health check that costs nothing."""

from typing import Any

from celery.signals import after_task_publish, beat_init, worker_ready
from django.conf import settings

EVERY = 10.0  # seconds


def touch(**kwargs: Any) -> None:
    settings.ALIVE_FILE.touch()


@worker_ready.connect(dispatch_uid="alive")
def follow_worker(sender: Any, **kwargs: Any) -> None:
    """The timer stands still while the worker has no queue, or hangs."""
    if settings.ALIVE_FILE:
        touch()
        sender.timer.call_repeatedly(EVERY, touch)


@beat_init.connect(dispatch_uid="alive")
def follow_beat(**kwargs: Any) -> None:
    """Its sweeps are sent every 30 seconds."""
    if settings.ALIVE_FILE:
        touch()
        after_task_publish.connect(touch, dispatch_uid="alive")
