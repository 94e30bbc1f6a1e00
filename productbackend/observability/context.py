"""The current request or task of a thread. Log lines include it, and tasks that it sends inherit it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any

from celery.signals import before_task_publish, task_postrun, task_prerun
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject, empty


@dataclass(slots=True)
class TaskContext:
    """One request or one task, and its user."""

    request_id: str | None
    request: HttpRequest | None = None
    task: str | None = None
    task_id: str | None = None
    sent_by: int | None = None  # the user whose request sent the task
    # Of a catalogue page, which the page cache may answer without a view: its route and its cache result.
    route: str | None = None
    cache: str | None = None
    started_at: float = field(default_factory=time.perf_counter)
    parent: "TaskContext | None" = None

    @property
    def user_id(self) -> int | None:
        """The id of the signed-in user, if the user was already loaded: a log line makes no query."""
        user = getattr(self.request, "user", None)
        if isinstance(user, SimpleLazyObject) and user._wrapped is empty:
            return None
        return getattr(user, "pk", None) or self.sent_by

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self.started_at


current_context: ContextVar[TaskContext | None] = ContextVar("work", default=None)


def current_request() -> tuple[str | None, int | None]:
    """The id of the current request, and its user. A task has those of the request that sent it."""
    context = current_context.get()
    return (context.request_id, context.user_id) if context else (None, None)


@contextmanager
def on_behalf_of(request_id: str | None, user_id: int | None) -> Iterator[None]:
    """Work for another request than the current one: log lines have its id and its user, and tasks inherit them."""
    context = current_context.get() or TaskContext(None)
    token = current_context.set(replace(context, request_id=request_id, sent_by=user_id, request=None))
    try:
        yield
    finally:
        current_context.reset(token)


def annotate(*, route: str, cache: str) -> None:
    """Set the route and the cache result of a catalogue page, which the URL resolver does not see."""
    if context := current_context.get():
        context.route, context.cache = route, cache


@before_task_publish.connect(dispatch_uid="work")
def propagate_context(headers: dict[str, Any], **kwargs: Any) -> None:
    if context := current_context.get():
        headers |= {"request_id": context.request_id, "user_id": context.user_id}


@task_prerun.connect(dispatch_uid="work")
def adopt_context(task: Any, task_id: str, **kwargs: Any) -> None:
    sender = vars(task.request)
    current_context.set(
        TaskContext(
            sender.get("request_id"),
            sent_by=sender.get("user_id"),
            task=task.name,
            task_id=task_id,
            parent=current_context.get(),
        )
    )


@task_postrun.connect(dispatch_uid="work")
def restore_context(**kwargs: Any) -> None:
    context = current_context.get()
    current_context.set(context.parent if context else None)
