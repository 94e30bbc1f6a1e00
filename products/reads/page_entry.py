"""The cache entry of a page: its tokens and headers as one line of JSON, then its body."""

import hashlib
from typing import Any, NamedTuple

import orjson
from django.conf import settings
from django.core.files.storage import default_storage

from productbackend.api import conditional

# The members of a response that are URLs of this service if they begin with its origin.
PAGE_URLS = ("next", "previous")
IMAGE_URLS = ("full", "thumb", "large", "url")
TYPES = (int, int, bool, dict, str, dict)


class Entry(NamedTuple):
    version: int
    stock: int  # the value of STOCK_TOKEN: while it is current, nothing has been sold
    by_stock: bool
    product_tokens: dict[str, int]
    origin: str  # the beginning of its URLs
    headers: dict[str, str]
    body: bytes


def release() -> str:
    """A digest of the code and the settings that shape a response. Pages of another release are not found."""
    digest = hashlib.blake2b(digest_size=16)
    for folder in ("productbackend", "products"):
        for path in sorted((settings.BASE_DIR / folder).rglob("*.py")):
            digest.update(path.read_bytes())
    shaping = ("API_VERSION", "MEDIA_URL", "SITE_URL", "CURRENCY", "IMAGE_RENDITIONS", "SEARCH_LANGUAGE", "SECRET_KEY")
    values = [getattr(settings, name) for name in shaping]
    digest.update(repr([*values, settings.STORAGES["default"]]).encode())
    return digest.hexdigest()


RELEASE = release()


def serialize(entry: Entry) -> bytes:
    return orjson.dumps(entry[:-1]) + b"\n" + entry.body


def deserialize(cached: Any) -> Entry | None:
    """The entry that `serialize` was given; None for any other value."""
    if not isinstance(cached, bytes):
        return None
    head, _, body = cached.partition(b"\n")
    try:
        values = orjson.loads(head)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(values, list) or tuple(map(type, values)) != TYPES:
        return None
    entry = Entry._make([*values, body])
    return entry if are_headers(entry.headers) else None


def are_headers(headers: dict[str, Any]) -> bool:
    """Whether `headers` can be sent: with an ETag, without line breaks."""
    try:
        text = "".join([*headers, *headers.values()])
    except TypeError:
        return False
    return text.isascii() and text.isprintable() and "ETag" in headers


def for_origin(origin: str, entry: Entry) -> Entry:
    """The entry for a request to `origin`, which differs from the cached one in its port or its case only."""
    if origin == entry.origin:
        return entry
    names = PAGE_URLS + IMAGE_URLS if default_storage.url("").startswith("/") else PAGE_URLS
    body = entry.body
    for name in names:  # quotes inside a JSON string are escaped, so no string is changed
        body = body.replace(f'"{name}":"{entry.origin}/'.encode(), f'"{name}":"{origin}/'.encode())
    changed = {"ETag": conditional.etag_of_bytes(body), "Content-Length": str(len(body))}
    return entry._replace(origin=origin, body=body, headers=entry.headers | changed)
