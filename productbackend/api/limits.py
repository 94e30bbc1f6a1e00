"""Limits that are checked before a request is parsed: lengths of headers and bodies, and UTF-8."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.http import parse_header_parameters
from rest_framework.request import Request
from rest_framework.views import APIView

from productbackend.api import problems
from productbackend.api.parameters import KnownParameters

URI_MAX = 8_190  # characters, as are all of these
HEADER_MAX = 8_190  # of all lines with one name, which the server joins
CONTENT_TYPE_MAX = 500  # the longest boundary has 70
UTF_8 = {"utf-8", "utf8"}
DRAIN_MAX_BYTES = 64_000_000
# Of a URL-encoded form: decoding takes 100 ms a megabyte. An admin page of 1,000 lines has less.
FORM_MAX_BYTES = 150_000
# Of a form of an anonymous client, such as the admin's log-in: each is parsed for its CSRF token.
ANONYMOUS_FORM_MAX_BYTES = 10_000
# The environ key for the error of a Content-Type that Django must not parse; see productbackend/wsgi.py.
REFUSED = "productbackend.refused_content_type"


def content_type_error(value: str) -> str | None:
    """Why a Content-Type is rejected; None if it is accepted."""
    if len(value) > CONTENT_TYPE_MAX:
        return f"The Content-Type may have {CONTENT_TYPE_MAX} characters at most."
    if "*" in value.partition(";")[2]:  # RFC 2231: such a parameter names a codec
        return "The Content-Type's parameters are encoded: send them as plain text."
    if "charset" not in value.lower():
        return None
    try:
        charset = str(parse_header_parameters(value)[1].get("charset", "utf-8"))
    except ValueError:
        return "The Content-Type cannot be read."
    if charset.strip(" \t'\"").lower() in UTF_8:
        return None
    return "The Content-Type names another charset than UTF-8: send the body in UTF-8."


def body_max(content_type: str) -> int:
    """The maximum size in bytes of a body of that type."""
    match content_type.partition(";")[0].strip().lower():
        case "multipart/form-data":
            return max(settings.IMAGE_MAX_BYTES, settings.IMPORT_MAX_BYTES) + settings.JSON_MAX_BYTES
        case "application/x-www-form-urlencoded":
            return FORM_MAX_BYTES
    return settings.JSON_MAX_BYTES


def view_max(view: Any, content_type: str) -> int | None:
    """The maximum size of a body that a view takes, if it is another one than that of all; see `body_max`.

    A view says `body_max_bytes`, or `upload_setting`, the name of the setting with the size of its uploads, or
    `upload_settings`, of which the largest counts.
    """
    target = getattr(view, "cls", view)
    if (most := getattr(target, "body_max_bytes", None)) is not None:
        return int(most)
    if content_type.partition(";")[0].strip().lower() != "multipart/form-data":
        return None
    # For the other fields and the boundaries an upload may have as much again as JSON.
    names = getattr(target, "upload_settings", (getattr(target, "upload_setting", "IMAGE_MAX_BYTES"),))
    return int(max(getattr(settings, name) for name in names) + settings.JSON_MAX_BYTES)


def long_header(meta: dict[str, Any]) -> str | None:
    """The name of a header that is too long."""
    for name, value in meta.items():
        if len(name) > 5 and name[:5] == "HTTP_" and len(value) > HEADER_MAX:
            return name[5:].replace("_", "-").title()
    return None


class RequestLimits:
    """Rejects requests that would take disproportionate time, before a query, a cookie or a body is parsed.

    Only UTF-8 is accepted: Django would decode bodies and queries by the charset of the Content-Type.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        meta = request.META
        if len(meta.get("QUERY_STRING", "")) + len(request.path_info) > URI_MAX:
            detail = f"The path and its query may have {URI_MAX} characters at most."
            return self.uncached(problems.problem_page(request, "uri-too-long", detail))
        if name := long_header(meta):
            return self.too_long(request, name)
        if meta.get("CONTENT_TYPE") or REFUSED in meta:
            fault = meta.get(REFUSED) or content_type_error(meta["CONTENT_TYPE"])
            request.encoding = "utf-8"  # normalizes the spelling of the charset
            if fault:
                return self.uncached(problems.problem_page(request, "unsupported-media-type", fault))
        if meta.get("HTTP_TRANSFER_ENCODING"):  # from a server that does not delimit the body
            detail = "The body has no Content-Length: send it with one."
            return self.uncached(problems.problem_page(request, "length-required", detail))
        cookies = meta.get("HTTP_COOKIE", "")
        if "\\" in cookies:  # Python unescapes in quadratic time, and the shop's cookies have no escapes
            meta["HTTP_COOKIE"] = ";".join(cookie for cookie in cookies.split(";") if "\\" not in cookie)
        return self.get_response(request)

    def too_long(self, request: HttpRequest, name: str) -> HttpResponse:
        request.META["HTTP_ACCEPT"] = request.META.get("HTTP_ACCEPT", "")[:HEADER_MAX]
        detail = f"The header {name} may have {HEADER_MAX} characters at most, all its lines together."
        return self.uncached(problems.problem_page(request, "headers-too-large", detail))

    @staticmethod
    def uncached(response: HttpResponse) -> HttpResponse:
        response["Cache-Control"] = "private, no-store"
        return response


class SmallBodyView(KnownParameters, APIView):
    """A public view with a small body limit, which stops at the first throttle that rejects a request."""

    body_max_bytes = 10_000

    def check_throttles(self, request: Request) -> None:
        """Stop at the first throttle. DRF calls all, including those that parse the body of a throttled client."""
        for throttle in self.get_throttles():
            if not throttle.allow_request(request, self):
                self.throttled(request, throttle.wait() or 0)
