"""What this thread is at, a request or a task: every log line bears it, and a task that it sends as well."""

import time
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from celery.signals import before_task_publish, task_postrun, task_prerun
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject, empty


@dataclass(slots=True)
class Work:
    """One request or one task, and whose."""

    request_id: str | None
    request: HttpRequest | None = None
    task: str | None = None
    task_id: str | None = None
    sent_by: int | None = None  # the user whose request sent the task
    # Of a page of the catalogue, which no view answers where it is kept: its route, and where it came from.
    route: str | None = None
    cache: str | None = None
    began: float = field(default_factory=time.perf_counter)
    outer: "Work | None" = None

    @property
    def user_id(self) -> int | None:
        """Who is signed in, as far as that was asked already: no log line makes a query."""
        user = getattr(self.request, "user", None)
        if isinstance(user, SimpleLazyObject) and user._wrapped is empty:
            return None
        return getattr(user, "pk", None) or self.sent_by

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self.began


current: ContextVar[Work | None] = ContextVar("work", default=None)


def note(*, route: str, cache: str) -> None:
    """Say of a page of the catalogue what the router cannot know."""
    if work := current.get():
        work.route, work.cache = route, cache


@before_task_publish.connect(dispatch_uid="work")
def send_along(headers: dict[str, Any], **kwargs: Any) -> None:
    if work := current.get():
        headers |= {"request_id": work.request_id, "user_id": work.user_id}


@task_prerun.connect(dispatch_uid="work")
def take_over(task: Any, task_id: str, **kwargs: Any) -> None:
    sender = vars(task.request)
    current.set(
        Work(
            sender.get("request_id"),
            sent_by=sender.get("user_id"),
            task=task.name,
            task_id=task_id,
            outer=current.get(),
        )
    )


@task_postrun.connect(dispatch_uid="work")
def let_go(**kwargs: Any) -> None:
    work = current.get()
    current.set(work.outer if work else None)
