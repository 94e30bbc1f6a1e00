"""Every response, log line and task bears the id of the request that caused it."""

import logging
import re
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from celery.signals import before_task_publish, task_postrun, task_prerun
from django.http import HttpRequest, HttpResponse

HEADER = "X-Request-ID"
ACCEPTED = re.compile(r"[A-Za-z0-9._-]{1,128}")

current: ContextVar[str] = ContextVar("request_id", default="-")


class RequestIDMiddleware:
    """Takes the client's own id where it is harmless, makes one where not, and answers with it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get(HEADER, "")
        request_id = given if ACCEPTED.fullmatch(given) else uuid.uuid4().hex
        token = current.set(request_id)
        try:
            response = self.get_response(request)
        finally:
            current.reset(token)
        response[HEADER] = request_id
        return response


class RequestIDFilter(logging.Filter):
    """Gives each log record its `request_id`."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = current.get()
        return True


@before_task_publish.connect(dispatch_uid="request_id")
def send_along(headers: dict[str, Any], **kwargs: Any) -> None:
    headers["request_id"] = current.get()


@task_prerun.connect(dispatch_uid="request_id")
def take_over(task: Any, **kwargs: Any) -> None:
    current.set(getattr(task.request, "request_id", None) or "-")


@task_postrun.connect(dispatch_uid="request_id")
def let_go(**kwargs: Any) -> None:
    current.set("-")
