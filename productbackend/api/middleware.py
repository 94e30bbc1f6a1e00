"""Middleware for the limits of bodies, cache headers and unavailable back ends."""

import logging
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, UnreadablePostError

from productbackend.api import problems
from productbackend.api.limits import ANONYMOUS_FORM_MAX_BYTES, DRAIN_MAX_BYTES, body_max, view_max
from productbackend.errors import DomainError, FileStoreUnavailable

FORMS = {"multipart/form-data", "application/x-www-form-urlencoded"}
FIELD_MAX = 100_000  # characters of one field of a form

logger = logging.getLogger(__name__)


class ProblemMiddleware:
    """Rejects bodies that are too large before they are read, and keeps responses out of shared caches.

    Also responds with a 503 if the database or the file store is unreachable outside of DRF's views: in middleware
    that loads a session, or in a Django view.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        limit = body_max(request.META.get("CONTENT_TYPE", ""))
        response = self.refuse(request, limit) if self.length(request) > limit else self.get_response(request)
        if "Cache-Control" not in response:
            response["Cache-Control"] = "private, no-store" if response.status_code >= 400 else "private, no-cache"
        return response

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """Reject a body above the view's `body_max_bytes`, and parse the form that the CSRF check parses next.

        An exception while the CSRF check parses it would not reach process_exception.
        """
        limit, length = view_max(view, request.META.get("CONTENT_TYPE", "")), self.length(request)
        if length > ANONYMOUS_FORM_MAX_BYTES and not hasattr(view, "cls") and not request.user.is_authenticated:
            limit = ANONYMOUS_FORM_MAX_BYTES
        if limit is not None and length > limit:
            return self.refuse(request, limit)
        if request.content_type not in FORMS or getattr(view, "csrf_exempt", False):
            return None
        try:
            # A page shows refused text again: escaping it must not take long.
            if any(len(text) > FIELD_MAX for texts in request.POST.lists() for text in texts[1]):
                detail = f"A field of a form may have {FIELD_MAX:,} characters at most."
                return problems.problem_page(request, "too-large", detail)
        except FileStoreUnavailable as error:
            return problems.unavailable(request, error.detail)
        except UnreadablePostError:
            pass  # the client disconnected
        return None

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if why := problems.unavailability_of(error):
            logger.warning("%s %s", why, error)
            return problems.unavailable(request, why)
        if isinstance(error, DomainError) and error.code == "unavailable":
            return problems.unavailable(request, error.detail)
        return None

    @staticmethod
    def length(request: HttpRequest) -> int:
        value = request.META.get("CONTENT_LENGTH") or "0"
        return int(value) if value.isascii() and value.isdigit() and len(value) < 19 else 0

    def refuse(self, request: HttpRequest, limit: int) -> HttpResponse:
        # A client reads no response while it is sending: read its body, within bounds.
        left = min(self.length(request), DRAIN_MAX_BYTES)
        while left > 0 and (chunk := request.read(min(left, 65536))):
            left -= len(chunk)
        return problems.problem_page(request, "too-large", f"The body may have {limit} bytes at most.")
