"""Every response bears the id of its request; so do the log lines and the tasks that it causes (`work.py`)."""

import re
import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from productbackend.work import Work, current

HEADER = "X-Request-ID"
ACCEPTED = re.compile(r"[A-Za-z0-9._-]{1,128}")


class RequestIDMiddleware:
    """Takes the client's own id where it is harmless, makes one where not, and answers with it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get(HEADER, "")
        request_id = given if ACCEPTED.fullmatch(given) else uuid.uuid4().hex
        token = current.set(Work(request_id, request, outer=current.get()))
        try:
            response = self.get_response(request)
        finally:
            current.reset(token)
        response[HEADER] = request_id
        return response
