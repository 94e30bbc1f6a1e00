"""A worker's main process, where it has more to say than Celery's: for a process of its pool that was killed."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from billiard.einfo import ExceptionWithTraceback  # type: ignore[attr-defined]
from billiard.exceptions import WorkerLostError
from celery.apps import worker
from celery.worker.request import Request

from productbackend import logs
from productbackend.metrics import counters
from productbackend.work import Work, current

# What Celery prints in the handlers of signals, such as "Warm shutdown".
worker.safe_say = logs.say  # type: ignore[attr-defined]


class ShopRequest(Request):
    """Its lines bear what the task's own would, and what is lost is counted."""

    def on_timeout(self, soft: bool, timeout: float) -> None:
        with self.at_work():
            super().on_timeout(soft, timeout)

    def on_failure(self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False) -> None:
        error = exc_info.exception
        with self.at_work():
            if isinstance(error.exc if isinstance(error, ExceptionWithTraceback) else error, WorkerLostError):
                counters.count_task(self.name, "lost")
            super().on_failure(exc_info, send_failed_event, return_ok)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        sent = self.request_dict
        work = Work(sent.get("request_id"), sent_by=sent.get("user_id"), task=self.name, task_id=self.id)
        if self.time_start:  # by the clock; set when a process took the task up
            work.began -= time.time() - self.time_start
        token = current.set(work)
        try:
            yield
        finally:
            current.reset(token)
