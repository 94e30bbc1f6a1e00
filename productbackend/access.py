"""Each request is counted, and has one log line: which route, what came of it, how long it took, and for whom."""

import functools
import logging
import re
from collections.abc import Callable

from django.conf import settings
from django.contrib.admindocs.views import simplify_regex
from django.http import HttpRequest, HttpResponse

from productbackend.logs import redacted
from productbackend.metrics.counters import count_request
from productbackend.work import current

logger = logging.getLogger(__name__)

NOWHERE = "(none)"  # the route of paths that do not exist
LAST_RESORT = "last-resort"  # the name of the route that takes them
STATIC = f"{settings.STATIC_URL}{{path}}"
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


class AccessMiddleware:
    """Stands outside of all that may answer. The path is logged without its query, which may hold a mail's token."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        work = current.get()
        assert work is not None  # of RequestIDMiddleware
        method = request.method if request.method in METHODS else "OTHER"
        path = redacted(request.path)
        route = work.route or route_of(request)
        fields = {
            "method": method,
            "route": route,
            "path": path,
            "status": response.status_code,
            "cache": work.cache,
        }
        count_request(method, route, response.status_code, work)
        logger.info("%s %s %d", method, path, response.status_code, extra={"fields": fields})
        return response


def route_of(request: HttpRequest) -> str:
    """The route as the OpenAPI document writes it, whatever the path: `/products/{id}/`."""
    match = request.resolver_match
    if match is None:  # answered before any route was looked for
        return STATIC if request.path_info.startswith(settings.STATIC_URL) else NOWHERE
    return NOWHERE if match.url_name == LAST_RESORT else written(match.route)


@functools.lru_cache(maxsize=1000)
def written(route: str) -> str:
    """Django's pattern of a route, in the document's words."""
    path = re.sub(r"<(?:[^>:]+:)?(\w+)>", r"{\1}", simplify_regex(route))
    return path.replace("{pk}", "{id}")
