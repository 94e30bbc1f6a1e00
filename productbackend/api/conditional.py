"""ETags: 304 for readers, 412 for writers who have not seen the latest."""

import hashlib
import re
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from productbackend.api import encoding
from productbackend.errors import DomainError

PUBLIC = "public, no-cache"
PRIVATE = "private, no-cache"
VARY = "Accept, Authorization, Cookie"
TAG = re.compile(r'(?:W/)?("[^"]*")')


def etag(data: Any) -> str:
    """The tag of a representation: it changes exactly when what the reader sees does."""
    return f'"{hashlib.blake2b(encoding.dumps(data), digest_size=16).hexdigest()}"'


def tags(header: str) -> list[str]:
    """The tags in an If-Match or If-None-Match header, the weak ones without their mark."""
    return ["*"] if header.strip() == "*" else TAG.findall(header)


def matches(header: str, tag: str) -> bool:
    found = tags(header)
    return found == ["*"] or tag in found


def require_match(request: Request, data: Any, detail: str, **extra: Any) -> None:
    """Raise a 412 where `If-Match` is given and is not the tag of `data`.

    To be called inside the transaction that writes, with the row locked.
    """
    header = request.headers.get("If-Match")
    if header is not None and not matches(header, etag(data)):
        raise DomainError("precondition-failed", detail, **extra)


def tagged(request: Request, response: Response, *, public: bool = False) -> Response:
    """`response` with its ETag, or the 304 in its place where the reader has it already."""
    if request.accepted_renderer.format != "json":
        return response  # a page for a person: its bytes are not what the tag is of
    tag = etag(response.data)
    known = request.headers.get("If-None-Match")
    if known is not None and request.method in ("GET", "HEAD") and matches(known, tag):
        response = Response(status=304)
    response["ETag"] = tag
    anonymous = not request.user.is_authenticated
    response["Cache-Control"] = PUBLIC if public and anonymous and request.method in ("GET", "HEAD") else PRIVATE
    if public:
        response["Vary"] = VARY
    return response
