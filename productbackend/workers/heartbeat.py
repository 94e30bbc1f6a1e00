"""The heartbeat file that workers and beat touch, for a cheap health check."""

from typing import Any

from celery.signals import after_task_publish, beat_init, worker_ready
from django.conf import settings

INTERVAL = 10.0  # seconds


def touch(**kwargs: Any) -> None:
    settings.ALIVE_FILE.touch()


@worker_ready.connect(dispatch_uid="alive")
def start_worker_heartbeat(sender: Any, **kwargs: Any) -> None:
    """Touch the file every 10 seconds. The timer stops while the worker has no broker, or hangs."""
    if settings.ALIVE_FILE:
        touch()
        sender.timer.call_repeatedly(INTERVAL, touch)


@beat_init.connect(dispatch_uid="alive")
def start_beat_heartbeat(**kwargs: Any) -> None:
    """Touch the file after each task that beat sends: a sweep every 30 seconds at least."""
    if settings.ALIVE_FILE:
        touch()
        after_task_publish.connect(touch, dispatch_uid="alive")
