"""Conditional requests (RFC 9110): ETags, 304 Not Modified, 412 Precondition Failed."""

import hashlib
import re
from collections.abc import Callable
from typing import Any, TypeVar

from rest_framework.request import Request
from rest_framework.response import Response

from productbackend.api import encoding
from productbackend.errors import DomainError

PUBLIC = "public, no-cache"
PRIVATE = "private, no-cache"
VARY = "Accept, Authorization, Cookie"
TAG = re.compile(r'(?:W/)?("[^"]*")')
UNSAFE = ("PUT", "PATCH", "DELETE")

T = TypeVar("T")


def etag(data: Any) -> str:
    """The ETag of a representation: it changes exactly when the representation does."""
    return etag_of_bytes(encoding.dumps(data))


def etag_of_bytes(body: bytes) -> str:
    """The ETag of a rendered representation."""
    return f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'


def parse_etags(header: str) -> list[str]:
    """The ETags in an If-Match or If-None-Match header, without W/ prefixes; an empty list if it is malformed."""
    if header.strip() == "*":
        return ["*"]
    return TAG.findall(header) if not TAG.sub("", header).strip(", \t") else []


def matches(header: str, tag: str) -> bool:
    found = parse_etags(header)
    return found == ["*"] or tag in found


def is_conditional(request: Request) -> bool:
    return "If-Match" in request.headers or "If-None-Match" in request.headers


def require_match(request: Request, data: Any, detail: str, **extra: Any) -> None:
    """Check the request's preconditions against the current representation `data` (RFC 9110, 13.2.2).

    Called inside the transaction that writes, with the row locked. Raises DomainError `precondition-failed` if
    If-Match does not match or If-None-Match does. A malformed If-Match matches nothing, so that the client
    overwrites nothing.
    """
    wanted, refused = request.headers.get("If-Match"), request.headers.get("If-None-Match")
    if wanted is not None and not matches(wanted, etag(data)):
        raise DomainError("precondition-failed", detail, **extra)
    if refused is not None and request.method in UNSAFE and matches(refused, etag(data)):
        raise DomainError("precondition-failed", "If-None-Match matches the current ETag.", **extra)


def precondition(request: Request, represent: Callable[[T], Any], name: str) -> Callable[[T], None]:
    """Return a function that checks the request's preconditions against a locked object, by `require_match`.

    `represent` returns the object as GET shows it to this user; it is not called if the request has no preconditions.
    """

    def check(locked: T) -> None:
        if is_conditional(request):
            require_match(request, represent(locked), f"The {name} has changed since you read it.")

    return check


def with_etag(request: Request, response: Response, *, public: bool = False) -> Response:
    """Add an ETag and Cache-Control to `response`; return a 304 instead if the client has this representation."""
    if request.accepted_renderer.format != "json":
        return response  # an HTML page, whose bytes the ETag would not describe
    tag = etag(response.data)
    known = request.headers.get("If-None-Match")
    if known is not None and request.method in ("GET", "HEAD") and matches(known, tag):
        response = Response(status=304)
    response["ETag"] = tag
    return with_cache_control(request, response, public=public)


def with_cache_control(request: Request, response: Response, *, public: bool = False) -> Response:
    """Add Cache-Control to `response`. If `public`, caches may share it among anonymous clients."""
    anonymous = not request.user.is_authenticated
    response["Cache-Control"] = PUBLIC if public and anonymous and request.method in ("GET", "HEAD") else PRIVATE
    if public:
        response["Vary"] = VARY
    return response
