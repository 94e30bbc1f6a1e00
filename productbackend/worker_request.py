"""A task as a worker's main process sees it, which has to speak for a process of the pool that was killed."""

from typing import Any

from billiard.exceptions import WorkerLostError
from celery import Task
from celery.worker.request import Request

from productbackend.metrics import counters
from productbackend.work import Work, current


class ShopRequest(Request):
    """Its lines bear what the task's own would, and what is lost is counted."""

    def on_timeout(self, soft: bool, timeout: float) -> None:
        token = current.set(self.work())
        try:
            super().on_timeout(soft, timeout)
        finally:
            current.reset(token)

    def on_failure(self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False) -> None:
        if isinstance(exc_info.exception, WorkerLostError):
            counters.tasks.labels(self.name, "lost").inc()
        token = current.set(self.work())
        try:
            super().on_failure(exc_info, send_failed_event, return_ok)
        finally:
            current.reset(token)

    def work(self) -> Work:
        sent = self.request_dict
        return Work(sent.get("request_id"), sent_by=sent.get("user_id"), task=self.name, task_id=self.id)


class ShopTask(Task):
    Request = "productbackend.worker_request:ShopRequest"
