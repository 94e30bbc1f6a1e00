"""Answers a request for a cached page as an equal one was answered before, without building Django's request.

Each rule stays where it is: the middleware answers the first request, and its status and headers are recorded by all
that they depend on, REQUEST. Whether the page is still valid is asked of the page cache, which leaves a function for it
in the environ. What each answer has for itself is made here, by the functions of the middleware: the request id, the
log line and the counters.
"""

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.conf import settings

from productbackend.api import limits
from productbackend.observability import access_log, request_id
from productbackend.observability.context import TaskContext, current_context

# The environ key for a function that finds a page again. Of None or an If-None-Match it makes the answer; None if the
# page is not cached any more.
FIND_AGAIN = "productbackend.find_again"
RECORDED_MAX = 500  # requests in each process; some kilobytes each
VALUE_MAX = 1_000  # characters of each of REQUEST
# What the recorded headers, the page and the route depend on. A middleware outside of the page cache that reads
# anything else has to be added.
REQUEST = (
    "SCRIPT_NAME",
    "PATH_INFO",
    "QUERY_STRING",
    "wsgi.url_scheme",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_HOST",
    "SERVER_NAME",
    "SERVER_PORT",
    "HTTP_ACCEPT",
    "HTTP_ORIGIN",
)
# Requests with one of these are left to Django.
LEFT = ("CONTENT_TYPE", "HTTP_AUTHORIZATION", "HTTP_TRANSFER_ENCODING", "HTTP_EXPECT")

Headers = list[tuple[str, str]]
StartResponse = Callable[..., Any]
Application = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


class Answer(NamedTuple):
    """A page as it is now: 304 with an empty body if the client has it. `cache` is the result for logs and counters."""

    status: int
    tag: str
    body: bytes
    path: str
    route: str
    cache: str


FindAgain = Callable[[str | None], Answer | None]


@dataclass(slots=True)
class Recorded:
    """What was answered to requests with the same values of REQUEST: for each status the ETag, its line and headers."""

    find_again: FindAgain | None = None
    heads: dict[int, tuple[str, str, Headers]] = field(default_factory=dict)

    def add(self, environ: dict[str, Any], line: str, headers: Headers) -> None:
        """Record an answer, if it is a page of the cache."""
        find_again = environ.get(FIND_AGAIN)
        tag = dict(headers).get("ETag")
        if find_again is None or tag is None:
            return
        shared = [(name, value) for name, value in headers if name != request_id.HEADER]
        self.heads[int(line.split(" ", 1)[0])] = (tag, line, shared)
        self.find_again = find_again


@functools.lru_cache(maxsize=RECORDED_MAX)
def recorded(*values: str | None) -> Recorded:
    return Recorded()


def recorded_for(environ: dict[str, Any]) -> Recorded | None:
    """What was recorded for equal requests; None if a request is to be answered by Django in any case."""
    if environ.get("REQUEST_METHOD") != "GET" or environ.get("CONTENT_LENGTH", "0") not in ("", "0"):
        return None
    if any(environ.get(name) for name in LEFT) or limits.long_header(environ):
        return None
    cookies = environ.get("HTTP_COOKIE")
    if cookies and (settings.SESSION_COOKIE_NAME in cookies or "\\" in cookies):
        return None
    values = [environ.get(name) for name in REQUEST]
    return recorded(*values) if all(len(value) <= VALUE_MAX for value in values if value) else None


def respond(environ: dict[str, Any], start_response: StartResponse, application: Application) -> Iterable[bytes]:
    """Answer as before if that is still right, else by `application`, and record what it answers."""
    known = recorded_for(environ)
    if known is None:
        return application(environ, start_response)
    if known.find_again is not None:
        body = _answer_again(known, known.find_again, environ, start_response)
        if body is not None:
            return [body]

    def start(line: str, headers: Headers, *error: Any) -> Any:
        known.add(environ, line, headers)
        return start_response(line, headers, *error)

    return application(environ, start)


def _answer_again(
    known: Recorded, find_again: FindAgain, environ: dict[str, Any], start_response: StartResponse
) -> bytes | None:
    own_id = request_id.accepted(environ.get(request_id.ENVIRON_KEY, ""))
    context = TaskContext(own_id, parent=current_context.get())
    token = current_context.set(context)
    try:
        answer = find_again(environ.get("HTTP_IF_NONE_MATCH"))
        tag, line, headers = known.heads.get(answer.status, ("", "", [])) if answer else ("", "", [])
        if answer is None or tag != answer.tag:
            return None
        context.cache = answer.cache
        access_log.record("GET", answer.path, answer.route, answer.status, context)
    finally:
        current_context.reset(token)
    start_response(line, [*headers, (request_id.HEADER, own_id)])
    return answer.body
