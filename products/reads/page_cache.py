"""Serves catalogue pages to anonymous clients from the cache, before Django's handlers run.

An entry is a rendered page with the version tokens that it depends on; see docs/adr/0003-catalogue-cache.md. A hit
costs one read of the cache, and for a list two if something was sold since the page was cached.
"""

import functools
import hashlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeGuard
from urllib.parse import urlencode

from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import SuspiciousOperation
from django.db import connection
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import ResponseHeaders
from django.utils.datastructures import CaseInsensitiveMapping
from rest_framework.response import Response

from productbackend.api import conditional, fast_path, pagination, parameters
from productbackend.observability import context
from products.models import Product
from products.reads import caching, page_entry, query
from products.reads.page_entry import Entry

TTL = 60  # seconds: how long a page can be stale if an invalidation is lost
QUERY_MAX = 1_000  # characters; pages of longer queries are not cached
PAGE_MAX = 128 * 1024  # bytes of a body; longer ones are not cached
FAMILY_MAX = 1024 * 1024  # bytes of a family, which may have 250 products
REQUESTED_ONCE = 1  # the value at the key of a page that was requested once; the second request caches the page
MEDIA_TYPE = "application/json"  # of the pages that are cached
LOCK_TTL = 5  # seconds; then another process may render the page
WAIT_MAX, WAIT_STEP = 1.0, 0.01  # seconds
RESULTS = {200: "hit", 304: "not_modified"}  # of a cached page, for logs and counters

locks: Any = cache  # has delete_if_equal, which Django's caches lack

ID = re.compile(r"/([0-9]{1,18})/")
SLUG = re.compile(r"/by-slug/[^/]{1,220}/")
# The cached routes, with their query parameters and whether each may be repeated.
ROUTES: dict[str, dict[str, bool]] = {
    "/products/": pagination.PARAMETERS | query.FILTER_PARAMETERS,
    "/products/facets/": query.FILTER_PARAMETERS,
    "/products/{id}/": {},
    "/products/by-slug/{slug}/": {},
    "/families/": pagination.PARAMETERS | query.FamilyFilter.parameters(),
    "/families/{id}/": {},
    "/families/by-slug/{slug}/": {},
    "/categories/": pagination.PARAMETERS | query.CategoryFilter.parameters(),
    "/categories/{id}/": {},
    "/categories/by-slug/{slug}/": {},
    "/categories/tree/": {},
}
# Any combination of these media types is answered with JSON, whatever their order and weights.
ACCEPTED = {"application/json", "application/problem+json", "*/*", "application/*", "text/plain"}
WEIGHT = re.compile(r"\s*q=[0-9.]+\s*")
ACCEPT_MAX = 1_000  # characters
PORT = re.compile(r"\.?(:[0-9]*)?$")  # of a Host header, with the trailing dot of its name


@dataclass(frozen=True)
class CacheKey:
    """The cache key of a page, its route, its normalised query, and whether it depends on the stock of all products.

    A product's own page depends on one product token, which is read together with the page.
    """

    key: str
    route: str
    query: str
    by_stock: bool
    product_token: str | None
    origin: str  # the beginning of the URLs in the response; a page is cached once for all ports

    @property
    def lock(self) -> str:
        return f"{self.key}:lock"


def cache_key_for(request: HttpRequest) -> CacheKey | None:
    """The cache key of the response to `request`; None if that is not cached."""
    meta = request.META
    if request.method != "GET" or names_account(request):
        return None
    if meta.get("CONTENT_LENGTH") not in (None, "", "0") or not wants_json(meta.get("HTTP_ACCEPT", "*/*")):
        return None
    if route_of(request.path_info) not in ROUTES or len(given := meta.get("QUERY_STRING", "")) > QUERY_MAX:
        return None
    if connection.in_atomic_block:  # a transaction sees uncommitted rows
        return None
    try:
        return _cache_key(request.scheme or "", request.get_host(), request.path, request.path_info, given)
    except SuspiciousOperation:
        return None  # the handler answers with the error


@functools.lru_cache(maxsize=500)  # one or two megabytes at most: every part of a URL is bounded
def _cache_key(scheme: str, host: str, path: str, path_info: str, query_string: str) -> CacheKey | None:
    given = QueryDict(query_string.encode("iso-8859-1"))  # as a server decodes it
    route, pk = route_of(path_info), ID.search(path_info)
    values = {name: given.getlist(name) for name in sorted(given) if not parameters.is_ignored(name)}
    known = ROUTES[route]
    if any(name not in known or (len(each) > 1 and not known[name]) for name, each in values.items()):
        return None  # the view answers with the error, or in another format
    normalised = urlencode(values, doseq=True)
    name = "\n".join([page_entry.RELEASE, MEDIA_TYPE, scheme, PORT.sub("", host.lower()), path, normalised])
    digest = hashlib.blake2b(name.encode(), digest_size=16).hexdigest()
    product_token = caching.product_token_key(int(pk[1])) if pk and route == "/products/{id}/" else None
    by_stock, origin = query.depends_on_stock(values), f"{scheme}://{host}"
    return CacheKey(f"catalogue:page:{digest}", route, normalised, by_stock, product_token, origin)


def route_of(path: str) -> str:
    return ID.sub("/{id}/", path, 1) if "/by-slug/" not in path else SLUG.sub("/by-slug/{slug}/", path, 1)


def names_account(request: HttpRequest) -> bool:
    """Whether the request has a session cookie or a bearer token. Other cookies and schemes are ignored."""
    if request.META.get("HTTP_AUTHORIZATION", "").lstrip()[:6].lower() == "bearer":
        return True
    name = settings.SESSION_COOKIE_NAME
    return name in request.META.get("HTTP_COOKIE", "") and bool(request.COOKIES.get(name))


def wants_json(accept: str) -> bool:
    if len(accept) > ACCEPT_MAX:
        return False
    ranges = set()
    for item in accept.split(","):
        name, _, weight = item.rpartition(";")
        ranges.add(name.strip() if name and WEIGHT.fullmatch(weight) else item.strip())
    return ranges <= ACCEPTED and ranges != {"text/plain"}


def find(key: CacheKey) -> Entry | None:
    """The cached page, if it is valid."""
    tokens = [caching.CATALOGUE_TOKEN, caching.STOCK_TOKEN, *filter(None, [key.product_token])]
    found = cache.get_many([key.key, *tokens])
    entry = page_entry.deserialize(found.get(key.key))
    return entry if entry is not None and is_valid(entry, key, found) else None


def is_valid(entry: Entry, key: CacheKey, found: dict[str, Any]) -> bool:
    """Whether the entry's tokens are those of the cache, of which `found` has the first ones."""
    if found.get(caching.CATALOGUE_TOKEN) != entry.version:
        return False
    if found.get(caching.STOCK_TOKEN) == entry.stock:
        return True
    if entry.by_stock:
        return False
    if key.product_token:
        return entry.product_tokens == {key.product_token: found.get(key.product_token)}
    return not entry.product_tokens or cache.get_many(entry.product_tokens) == entry.product_tokens


def store(key: CacheKey, before: dict[str, int], response: Response) -> None:
    """Cache a page that was rendered after the tokens in `before` were read, unless it may be stale already.

    The first request for a page only records that.
    """
    most = FAMILY_MAX if key.route.startswith("/families/") else PAGE_MAX
    if len(before) < 2 or len(response.content) > most or cache.add(key.key, REQUESTED_ONCE, TTL):
        return
    rows = shown_products(response.data)
    keys = [caching.product_token_key(pk) for pk in rows]
    tokens = caching.read_tokens([caching.STOCK_TOKEN, *keys])
    if missing := [name for name in keys if name not in tokens]:
        cache.set_many({name: caching.new_token() for name in missing}, caching.TOKEN_TTL)
        tokens = caching.read_tokens([caching.STOCK_TOKEN, *keys])
    stock = tokens.pop(caching.STOCK_TOKEN, None)
    if len(tokens) < len(keys):
        return
    if stock != before[caching.STOCK_TOKEN] and (key.by_stock or not are_unchanged(rows)):
        return
    version, stock = before[caching.CATALOGUE_TOKEN], before[caching.STOCK_TOKEN]
    headers = dict(response.items())
    entry = Entry(version, stock, key.by_stock, tokens, key.origin, headers, response.content)
    cache.set(key.key, page_entry.serialize(entry), TTL)


def shown_products(data: Any) -> dict[int, tuple[int, datetime | None]]:
    """The products in a response: their quantity and `updated_at`, by id. In a family they have no `updated_at`."""
    rows = data if isinstance(data, list) else data.get("results", [data])
    found = {row["id"]: (row["quantity"], datetime.fromisoformat(row["updated_at"])) for row in rows if "sku" in row}
    variants = [variant for row in rows if isinstance(row, dict) for variant in row.get("variants", ())]
    return found | {variant["id"]: (variant["quantity"], None) for variant in variants}


def are_unchanged(rows: dict[int, tuple[int, datetime | None]]) -> bool:
    """Whether the database still has the rows as the page shows them, after their tokens were read."""
    current = Product.objects.filter(pk__in=rows).order_by().values_list("pk", "quantity", "updated_at")
    return {pk: (quantity, updated_at) for pk, quantity, updated_at in current} == rows


def is_public(response: HttpResponse) -> TypeGuard[Response]:
    """Whether `response` can be cached for all clients."""
    return (
        response.status_code == 200
        and response.get("Cache-Control") == conditional.PUBLIC
        and response.get("Content-Type") == MEDIA_TYPE
        and "ETag" in response
        and not response.cookies
        and hasattr(response, "data")
    )


def find_again(key: CacheKey, path: str, known: str | None) -> fast_path.Answer | None:
    """The answer to another request with this key, as it is now; `known` is its If-None-Match."""
    entry = caching.cache_breaker.read(lambda: find(key))
    if entry is None:
        return None
    entry = page_entry.for_origin(key.origin, entry)
    status = status_for(known, entry.headers)
    body = entry.body if status == 200 else b""
    return fast_path.Answer(status, entry.headers["ETag"], body, path, key.route, RESULTS[status])


def status_for(known: str | None, headers: dict[str, str]) -> int:
    """304 if an If-None-Match has the ETag of these headers, else 200."""
    return 304 if known is not None and conditional.matches(known, headers["ETag"]) else 200


class CheckedHeaders(ResponseHeaders):
    """Headers that were checked when they were cached; Django's own class would check each again."""

    __init__ = CaseInsensitiveMapping.__init__


def response_from(request: HttpRequest, headers: dict[str, str], body: bytes) -> HttpResponse:
    """A response with these headers; a 304 if the client sent a matching If-None-Match."""
    if status_for(request.META.get("HTTP_IF_NONE_MATCH"), headers) == 200:
        response = HttpResponse(body, MEDIA_TYPE)
        response.headers = CheckedHeaders(headers)
        return response
    response = HttpResponse(b"", MEDIA_TYPE, 304)
    response.headers = CheckedHeaders(headers | {"Content-Length": "0"})
    del response["Content-Type"]
    return response


class CataloguePages:
    """Middleware. Of concurrent requests for one page the first renders it; the others wait, up to WAIT_MAX.

    The second request for a page caches it, so that made-up queries fill the cache with small markers only.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        key = cache_key_for(request)
        if key is None:
            return self.get_response(request)
        entry = caching.cache_breaker.read(lambda: find(key))
        if entry is not None:
            return self.serve_hit(request, key, entry)
        own = caching.new_token()
        if caching.cache_breaker.read(lambda: cache.add(key.lock, own, LOCK_TTL)):
            try:
                return self.render(request, key)
            finally:  # not the lock of another process, which took over after LOCK_TTL
                caching.cache_breaker.read(lambda: locks.delete_if_equal(key.lock, own))
        entry = caching.cache_breaker.read(lambda: self.wait(key))
        return self.render(request, key) if entry is None else self.serve_hit(request, key, entry)

    @staticmethod
    def serve_hit(request: HttpRequest, key: CacheKey, entry: Entry) -> HttpResponse:
        entry = page_entry.for_origin(key.origin, entry)
        response = response_from(request, entry.headers, entry.body)
        context.annotate(route=key.route, cache=RESULTS[response.status_code])
        request.META[fast_path.FIND_AGAIN] = functools.partial(find_again, key, request.path)
        return response

    @staticmethod
    def wait(key: CacheKey) -> Entry | None:
        """The page that another process renders; None if that takes too long or fails, or the page is stale already."""
        cache.add(key.key, REQUESTED_ONCE, TTL)  # so that the page is cached
        end = time.monotonic() + WAIT_MAX
        while cache.get(key.lock) is not None and time.monotonic() < end:
            time.sleep(WAIT_STEP)
        return find(key)

    def render(self, request: HttpRequest, key: CacheKey) -> HttpResponse:
        before = caching.cache_breaker.read(caching.current_tokens)
        # Rendered for all clients: with a body, and without anything in its URLs that only this client sent.
        known = request.META.pop("HTTP_IF_NONE_MATCH", None)
        for name in ("HTTP_COOKIE", "HTTP_AUTHORIZATION"):  # they name no account
            request.META.pop(name, None)
        request.META["QUERY_STRING"] = key.query
        request.GET = QueryDict(key.query)
        for name in ("headers", "COOKIES"):
            request.__dict__.pop(name, None)
        response = self.get_response(request)
        if known is not None:
            request.META["HTTP_IF_NONE_MATCH"] = known
        if not is_public(response):
            return response
        context.annotate(route=key.route, cache="miss")
        if before is not None:
            caching.cache_breaker.read(lambda: store(key, before, response))
        return response if known is None else response_from(request, dict(response.items()), response.content)
