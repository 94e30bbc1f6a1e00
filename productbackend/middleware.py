"""Middleware that is not about the API."""

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

# A page of ours takes nothing from another host, sends nothing there, and has its scripts and styles in files.
POLICY = {
    "default-src": "'self'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "object-src": "'none'",
}


def policy(**looser: str) -> str:
    """The content security policy of a page, `looser` where that page cannot do without: `img_src="..."`."""
    directives = POLICY | {name.replace("_", "-"): sources for name, sources in looser.items()}
    return "; ".join(f"{name} {sources}" for name, sources in directives.items())


class ResponseHeaders:
    """Says on every answer which version of the API gave it, and on a page what it may load."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        # Pictures alone may come from another host, where the shop's settings say so.
        media = urlsplit(settings.MEDIA_URL)
        self.policy = policy(img_src=f"'self' {media.scheme}://{media.netloc}") if media.netloc else policy()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response["API-Version"] = settings.API_VERSION
        if response.get("Content-Type", "").startswith("text/html") and not self.is_djangos_own(response):
            response.setdefault("Content-Security-Policy", self.policy)
        return response

    @staticmethod
    def is_djangos_own(response: HttpResponse) -> bool:
        """Pages with tracebacks, which only developers see, have their styles and scripts in them."""
        return settings.DEBUG and response.status_code >= 400


class AdminTimeZoneMiddleware:
    """Shows the shop's own time in the admin; everything else speaks UTC."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith("/admin/"):
            return self.get_response(request)
        with timezone.override(settings.SHOP_TIME_ZONE):
            return self.get_response(request)
