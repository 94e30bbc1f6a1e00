"""Sets the request id: in the response, and by `context.py` in log lines and in tasks."""

import re
import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from productbackend.observability.context import TaskContext, current_context

HEADER = "X-Request-ID"
ENVIRON_KEY = "HTTP_X_REQUEST_ID"
ACCEPTED = re.compile(r"[A-Za-z0-9._-]{1,128}")


def accepted(given: str) -> str:
    """The client's id if it is well-formed, else a new one."""
    return given if ACCEPTED.fullmatch(given) else uuid.uuid4().hex


class RequestIDMiddleware:
    """Accepts the client's id if it is well-formed, else generates one; the response has it in X-Request-ID."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = accepted(request.META.get(ENVIRON_KEY, ""))  # `request.headers` would parse all headers
        token = current_context.set(TaskContext(request_id, request, parent=current_context.get()))
        try:
            response = self.get_response(request)
        finally:
            current_context.reset(token)
        response[HEADER] = request_id
        return response
