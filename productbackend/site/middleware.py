"""Middleware for response headers and the admin's time zone."""

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

# Pages load nothing from other hosts, send nothing there, and have no inline scripts or styles.
POLICY = {
    "default-src": "'self'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "object-src": "'none'",
}


def policy(**overrides: str) -> str:
    """The content security policy of a page, with directives that a page overrides: `img_src="..."`."""
    directives = POLICY | {name.replace("_", "-"): sources for name, sources in overrides.items()}
    return "; ".join(f"{name} {sources}" for name, sources in directives.items())


class ResponseHeaders:
    """Sets API-Version on every response, and Content-Security-Policy on pages."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        # Only images may be loaded from another host, that of MEDIA_URL.
        media = urlsplit(settings.MEDIA_URL)
        self.policy = policy(img_src=f"'self' {media.scheme}://{media.netloc}") if media.netloc else policy()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response["API-Version"] = settings.API_VERSION
        if response.get("Content-Type", "").startswith("text/html") and not self.is_debug_page(response):
            response.setdefault("Content-Security-Policy", self.policy)
        return response

    @staticmethod
    def is_debug_page(response: HttpResponse) -> bool:
        """Whether it is one of Django's traceback pages, which have inline styles and scripts."""
        return settings.DEBUG and response.status_code >= 400


class AdminTimeZoneMiddleware:
    """Shows the shop's time zone in the admin; everything else uses UTC."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith("/admin/"):
            return self.get_response(request)
        with timezone.override(settings.SHOP_TIME_ZONE):
            return self.get_response(request)
