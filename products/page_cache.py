"""Answers catalogue reads of anonymous clients from the cache, before Django's handler is at work.

An entry is a page as it was rendered, with the tokens that it stands and falls with; see
docs/adr/0003-catalogue-cache.md. In a request it costs one read of the cache, and for a list two where
something was sold since the page was kept.
"""

import hashlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.core.cache import cache
from django.core.exceptions import SuspiciousOperation
from django.db import connection
from django.http import HttpRequest, HttpResponse, QueryDict

from productbackend import work
from productbackend.api import conditional
from products import caching
from products.filters import CategoryFilter, ProductFilter
from products.models import Product

LIFE = 60  # seconds that a page is kept at most: the bound of what a lost move can do
QUERY_MAX = 1_000  # characters; longer ones are not kept
SHAPE = 1
MEDIA_TYPE = "application/json"  # of the pages that are kept; others are not
LOCK_LIFE = 5  # seconds after which a page's maker counts as lost
WAIT_MAX, WAIT_STEP = 1.0, 0.01  # seconds

PAGING = {"limit", "ordering", "cursor", "offset"}
DETAIL = re.compile(r"/products/([0-9]{1,18})/")
# Each route that is kept, with its paths and the query parameters that it knows.
PATHS = [
    ("/products/", re.compile(r"/products/"), PAGING | ProductFilter.base_filters.keys()),
    ("/products/facets/", re.compile(r"/products/facets/"), set(ProductFilter.base_filters)),
    ("/products/{id}/", DETAIL, set()),
    ("/categories/", re.compile(r"/categories/"), PAGING | CategoryFilter.base_filters.keys()),
    ("/categories/{id}/", re.compile(r"/categories/[0-9]{1,18}/"), set()),
]
STOCK_FILTERS = {"in_stock", "min_quantity", "max_quantity"}
# What these ask for is answered with JSON, whatever their order and weights.
ACCEPTED = {"application/json", "application/problem+json", "*/*", "application/*", "text/plain"}
WEIGHT = re.compile(r"\s*;\s*q=[0-9.]+\s*$")


@dataclass(frozen=True)
class Place:
    """Where a page is kept: its key, its route, its query in normal form, and whether it hangs on all stock.

    Of a product's own page the path tells the one stamp that it hangs on, which is read along with the page.
    """

    key: str
    route: str
    query: str
    by_stock: bool
    stamp: str | None

    @property
    def lock(self) -> str:
        return f"{self.key}:lock"


class Entry(NamedTuple):
    """What is kept. Where this changes, `SHAPE` does: another version of the service may have filled the cache."""

    version: str
    stock: str  # with this, nothing at all was sold since
    by_stock: bool
    stamps: dict[str, str]
    headers: dict[str, str]
    body: bytes


def place(request: HttpRequest) -> Place | None:
    """Where the answer to `request` is kept; None where it is not."""
    meta = request.META
    if request.method != "GET" or meta.get("HTTP_COOKIE") or meta.get("HTTP_AUTHORIZATION"):
        return None
    if meta.get("CONTENT_LENGTH") not in (None, "", "0") or not wants_json(meta.get("HTTP_ACCEPT", "*/*")):
        return None
    kept = ((route, names) for route, path, names in PATHS if path.fullmatch(request.path_info))
    route, known = next(kept, ("", None))
    if known is None or connection.in_atomic_block:  # what a transaction sees is not for others
        return None
    try:
        given: Any = request.GET if meta.get("QUERY_STRING") else {}
        host = request.get_host()
    except SuspiciousOperation:
        return None  # the handler says what is wrong
    values = {name: given[name] for name in sorted(known & given.keys())}
    if "format" in given or any(len(given.getlist(name)) > 1 for name in values):
        return None
    query = urlencode(values)
    if len(query) > QUERY_MAX:
        return None
    name = "\n".join([MEDIA_TYPE, request.scheme or "", host, request.path, query])
    digest = hashlib.blake2b(name.encode(), digest_size=16).hexdigest()
    by_stock = bool(values.keys() & STOCK_FILTERS) or "quantity" in values.get("ordering", "")
    detail = DETAIL.fullmatch(request.path_info)
    stamp = caching.stamp(int(detail[1])) if detail else None
    return Place(f"catalogue:page:{SHAPE}:{digest}", route, query, by_stock, stamp)


def wants_json(accept: str) -> bool:
    ranges = {WEIGHT.sub("", item).strip() for item in accept.split(",")}
    return ranges <= ACCEPTED and ranges != {"text/plain"}


def find(place: Place) -> Entry | None:
    """The page that is kept, where it is still what the database says."""
    found = cache.get_many([place.key, caching.VERSION, caching.STOCK, *([place.stamp] if place.stamp else [])])
    if place.key not in found:
        return None
    entry = Entry(*found[place.key])
    if found.get(caching.VERSION) != entry.version:
        return None
    if found.get(caching.STOCK) == entry.stock:
        return entry
    if entry.by_stock:
        return None
    stamps = {place.stamp: found.get(place.stamp)} if place.stamp else cache.get_many(entry.stamps)
    return entry if stamps == entry.stamps else None


def keep(place: Place, before: dict[str, str], response: Any) -> None:
    """Keep a page that was made after the tokens in `before` were read, unless it may be old already."""
    rows = shown_products(response.data)
    keys = [caching.stamp(pk) for pk in rows]
    stamps = cache.get_many([caching.STOCK, *keys])
    if missing := [key for key in keys if key not in stamps]:
        cache.set_many({key: caching.token() for key in missing}, caching.STAMP_LIFE)
        stamps = cache.get_many([caching.STOCK, *keys])
    stock = stamps.pop(caching.STOCK, None)
    if len(stamps) < len(keys):
        return
    if stock != before[caching.STOCK] and (place.by_stock or not are_unsold(rows)):
        return
    headers = dict(response.items())
    entry = Entry(before[caching.VERSION], before[caching.STOCK], place.by_stock, stamps, headers, response.content)
    cache.set(place.key, tuple(entry), LIFE)


def shown_products(data: dict[str, Any]) -> dict[int, tuple[int, datetime]]:
    """The products in an answer: their quantity and when they last changed."""
    rows = data.get("results", [data])
    return {row["id"]: (row["quantity"], datetime.fromisoformat(row["updated_at"])) for row in rows if "sku" in row}


def are_unsold(rows: dict[int, tuple[int, datetime]]) -> bool:
    """Whether the rows are in the database as they were shown, after their stamps were read."""
    now = Product.objects.filter(pk__in=rows).order_by().values_list("pk", "quantity", "updated_at")
    return {pk: (quantity, updated_at) for pk, quantity, updated_at in now} == rows


def is_public(response: HttpResponse) -> bool:
    return (
        response.status_code == 200
        and response.get("Cache-Control") == conditional.PUBLIC
        and response.get("Content-Type") == MEDIA_TYPE
        and "ETag" in response
        and not response.cookies
        and hasattr(response, "data")
    )


def answer(request: HttpRequest, entry: Entry) -> HttpResponse:
    known = request.META.get("HTTP_IF_NONE_MATCH")
    if known is None or not conditional.matches(known, entry.headers["ETag"]):
        return HttpResponse(entry.body, headers=entry.headers)
    response = HttpResponse(status=304, headers=entry.headers | {"Content-Length": "0"})
    del response["Content-Type"]
    return response


class CataloguePages:
    """The middleware. A page that many ask for at once is made once; the others wait for it a little."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        where = place(request)
        if where is None:
            return self.get_response(request)
        entry = caching.link.read(lambda: find(where))
        if entry is not None:
            return self.kept(request, where, entry)
        if caching.link.read(lambda: cache.add(where.lock, 1, LOCK_LIFE)):
            try:
                return self.make(request, where)
            finally:
                caching.link.read(lambda: cache.delete(where.lock))
        entry = caching.link.read(lambda: self.wait(where))
        return self.make(request, where) if entry is None else self.kept(request, where, entry)

    @staticmethod
    def kept(request: HttpRequest, where: Place, entry: Entry) -> HttpResponse:
        response = answer(request, entry)
        work.note(route=where.route, cache="hit" if response.status_code == 200 else "not_modified")
        return response

    @staticmethod
    def wait(where: Place) -> Entry | None:
        """The page that another is making; None where that takes long, failed, or is old again."""
        end = time.monotonic() + WAIT_MAX
        while cache.get(where.lock) is not None and time.monotonic() < end:
            time.sleep(WAIT_STEP)
        return find(where)

    def make(self, request: HttpRequest, where: Place) -> HttpResponse:
        before = caching.link.read(caching.tokens)
        # Made for whoever asks next: in full, and with nothing in its links that only this client sent.
        known = request.META.pop("HTTP_IF_NONE_MATCH", None)
        request.META["QUERY_STRING"] = where.query
        request.GET = QueryDict(where.query)
        request.__dict__.pop("headers", None)
        response = self.get_response(request)
        if known is not None:
            request.META["HTTP_IF_NONE_MATCH"] = known
        if not is_public(response):
            return response
        work.note(route=where.route, cache="miss")
        if before is not None:
            caching.link.read(lambda: keep(where, before, response))
        return self.tailored(request, response)

    @staticmethod
    def tailored(request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """The answer that was made for all, as this client asked for it."""
        entry = Entry("", "", False, {}, dict(response.items()), response.content)
        return answer(request, entry) if "HTTP_IF_NONE_MATCH" in request.META else response
