"""CORS: which pages of other origins may use the API."""

from collections.abc import Callable

from corsheaders.middleware import CorsMiddleware as HeadersMiddleware
from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase


class CorsMiddleware(HeadersMiddleware):
    """Sets the CORS headers of every response, and answers preflight requests.

    It is outside the page cache, so that one cached page serves all origins. Without a setting it is not used.
    """

    async_capable = False

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        if not settings.CORS_ALLOWED_ORIGINS and not settings.CORS_ALLOWED_ORIGIN_REGEXES:
            raise MiddlewareNotUsed
        super().__init__(get_response)

    def check_preflight(self, request: HttpRequest) -> HttpResponseBase | None:
        response = super().check_preflight(request)
        if response is not None:
            response["Cache-Control"] = "private, no-cache"
        return response
