"""What holds for every response, whichever view made it."""

import logging
from collections.abc import Callable

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse

from productbackend.api import problems
from productbackend.errors import FileStoreUnavailable

logger = logging.getLogger(__name__)

DRAIN_MAX_BYTES = 64_000_000


class ProblemMiddleware:
    """Refuses bodies that are too large before they are read, and keeps answers out of shared caches.

    Also turns a database or a file store that does not answer into a 503 where that happens outside of DRF's
    views: in middleware that loads a session, or in a page of ours.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        limit = self.limit(request)
        if limit is not None and self.length(request) > limit:
            response = self.refuse(request, limit)
        else:
            response = self.get_response(request)
        if "Cache-Control" not in response:
            response["Cache-Control"] = "private, no-store" if response.status_code >= 400 else "private, no-cache"
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, DatabaseError) and problems.database_is_unavailable(error):
            logger.warning("The database does not answer: %s", error)
            return problems.unavailable(request)
        if isinstance(error, FileStoreUnavailable):
            return problems.unavailable(request, error.detail)
        return None

    @staticmethod
    def length(request: HttpRequest) -> int:
        value = request.META.get("CONTENT_LENGTH") or "0"
        return int(value) if value.isdigit() else 0

    @staticmethod
    def limit(request: HttpRequest) -> int:
        if request.content_type == "multipart/form-data":
            return settings.IMAGE_MAX_BYTES + settings.JSON_MAX_BYTES  # the other fields, and the boundaries
        return settings.JSON_MAX_BYTES

    def refuse(self, request: HttpRequest, limit: int) -> HttpResponse:
        # A client that is still sending reads no answer: take what it sends, within bounds.
        left = min(self.length(request), DRAIN_MAX_BYTES)
        while left > 0 and (chunk := request.read(min(left, 65536))):
            left -= len(chunk)
        return problems.problem_page(request, "too-large", f"The body may have {limit} bytes at most.")
