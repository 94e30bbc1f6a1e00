"""Counts each request and writes one log line for it: route, status, duration and user."""

import functools
import logging
import re
from collections.abc import Callable

from django.conf import settings
from django.contrib.admindocs.views import simplify_regex
from django.http import HttpRequest, HttpResponse

from productbackend.observability.context import TaskContext, current_context
from productbackend.observability.logs import PATH_MAX, redact
from productbackend.observability.metrics.counters import count_request

logger = logging.getLogger("productbackend.access")  # a stable name, by which operators filter lines

NO_ROUTE = "(none)"  # the route of unknown paths
LAST_RESORT = "last-resort"  # the name of the catch-all route
STATIC = f"{settings.STATIC_URL}{{path}}"
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


class AccessMiddleware:
    """Wraps every middleware that may respond. The path is logged without its query, which may hold a mail's token."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        context = current_context.get()
        assert context is not None  # set by RequestIDMiddleware
        method = request.method if request.method in METHODS else "OTHER"
        record(method, request.path, context.route or route_of(request), response.status_code, context)
        return response


def record(method: str, path: str, route: str, status: int, context: TaskContext) -> None:
    """Count and log the request of this context, which is the current one."""
    path = redact(path, PATH_MAX)
    fields = {"method": method, "route": route, "path": path, "status": status, "cache": context.cache}
    count_request(method, route, status, context)
    extra = {"fields": fields, "is_redacted": True}
    logger.info("%s %s %d", method, path, status, extra=extra)


def route_of(request: HttpRequest) -> str:
    """The matched route in the notation of the OpenAPI document: `/things/{id}/`."""
    match = request.resolver_match
    if match is None:  # a middleware responded before the URL was resolved
        return STATIC if request.path_info.startswith(settings.STATIC_URL) else NO_ROUTE
    return NO_ROUTE if match.url_name == LAST_RESORT else openapi_path(match.route)


@functools.lru_cache(maxsize=1000)
def openapi_path(route: str) -> str:
    """Convert Django's URL pattern to an OpenAPI path."""
    path = re.sub(r"<(?:[^>:]+:)?(\w+)>", r"{\1}", simplify_regex(route))
    return path.replace("{pk}", "{id}")
