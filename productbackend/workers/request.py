"""The worker's main process: logs and counts a task whose pool process was killed."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from billiard.einfo import ExceptionWithTraceback  # type: ignore[attr-defined]
from billiard.exceptions import WorkerLostError
from celery.apps import worker
from celery.worker.request import Request

from productbackend.observability import logs
from productbackend.observability.context import TaskContext, current_context
from productbackend.observability.metrics import counters

# Celery prints by it in signal handlers, such as "Warm shutdown".
worker.safe_say = logs.write_unlocked  # type: ignore[attr-defined]


class ShopRequest(Request):
    """Sets the task's context for log lines of the main process, and counts lost tasks."""

    def on_timeout(self, soft: bool, timeout: float) -> None:
        with self.task_context():
            super().on_timeout(soft, timeout)

    def on_failure(self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False) -> None:
        error = exc_info.exception
        with self.task_context():
            if isinstance(error.exc if isinstance(error, ExceptionWithTraceback) else error, WorkerLostError):
                counters.count_task(self.name, "lost")
            super().on_failure(exc_info, send_failed_event, return_ok)

    @contextmanager
    def task_context(self) -> Iterator[None]:
        sent = self.request_dict
        context = TaskContext(sent.get("request_id"), sent_by=sent.get("user_id"), task=self.name, task_id=self.id)
        if self.time_start:  # wall-clock time; set when a process started the task
            context.started_at -= time.time() - self.time_start
        token = current_context.set(context)
        try:
            yield
        finally:
            current_context.reset(token)
