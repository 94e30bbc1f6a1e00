"""Invalidation of the cached catalogue pages, by random version tokens in the cache.

Domain functions say what they changed. `catalogue_changed` rotates `CATALOGUE_TOKEN`, which invalidates all pages.
`stock_changed`, for a change of nothing but stock and for an image that becomes ready, rotates `STOCK_TOKEN` and the
tokens of the products, which invalidates the pages that show them. Signals and `CatalogueQuerySet` are the safety net
for other writes: they invalidate all pages.
Tokens are random, not counted: one that the cache has evicted is replaced by another, and the pages that were cached
under the old one are invalid.
"""

import secrets
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, TypeVar

from django.core.cache import cache
from django.db import connection, transaction
from django.db.models import Model
from redis.exceptions import RedisError

from productbackend.caches.circuit_breaker import CircuitBreaker
from productbackend.database.recorded import RecordedQuerySet

T = TypeVar("T")
M = TypeVar("M", bound=Model)

# Cache keys of the tokens.
CATALOGUE_TOKEN = "catalogue:version"  # noqa: S105
STOCK_TOKEN = "catalogue:stock"  # noqa: S105
TOKEN_TTL = 3600  # seconds, of a product's token; without it the pages that show the product are invalid
CACHE_ERRORS = (RedisError, OSError)  # what an unreachable cache raises
REPAIR_EVERY = 1.0
REPAIR_FOR = 90.0  # seconds: no page is cached for longer, whatever its tokens are


def product_token_key(product_id: int) -> str:
    """The cache key of a product's token."""
    return f"catalogue:product:{product_id}"


def new_token() -> int:
    return secrets.randbits(62)


def read_tokens(keys: Iterable[str]) -> dict[str, int]:
    """The tokens of `keys` that the cache has. Values of another type are ignored."""
    return {key: value for key, value in cache.get_many(keys).items() if type(value) is int}


def current_tokens() -> dict[str, int]:
    """The values of `CATALOGUE_TOKEN` and `STOCK_TOKEN`; missing ones are created.

    One that the cache evicts in between is left out: the page that is rendered then is not cached.
    """
    names = (CATALOGUE_TOKEN, STOCK_TOKEN)
    found = read_tokens(names)
    # `add` lets one of several processes win, but does not replace a value of another type.
    for write in (cache.add, cache.set):
        if len(found) < len(names):
            for key in set(names) - found.keys():
                write(key, new_token(), None)
            found = read_tokens(names)
    return found


def catalogue_changed() -> None:
    """Invalidate all cached pages, because a product, category or image was written, when that is committed.

    Call it after the write: outside a transaction the write is committed by then.
    """
    if not _catalogue_will_change():
        transaction.on_commit(_rotate_catalogue_token, robust=True)


def _catalogue_will_change() -> bool:
    """Whether this transaction invalidates all pages already."""
    return any(function is _rotate_catalogue_token for _, function, *_ in connection.run_on_commit)


def stock_changed(product_ids: Iterable[int | None]) -> None:
    """Invalidate the pages that show these products, because nothing but their stock, or a ready image, was written.

    The caller also sets their `updated_at`, by which a page that is being rendered notices the change.
    """
    if _catalogue_will_change():
        return
    keys = [STOCK_TOKEN, *(product_token_key(pk) for pk in product_ids if pk is not None)]
    rotated = {key: new_token() for key in keys}
    transaction.on_commit(lambda: _write(lambda: cache.set_many(rotated, TOKEN_TTL)), robust=True)


def _rotate_catalogue_token() -> None:
    _write(lambda: cache.set(CATALOGUE_TOKEN, new_token(), None))


class CacheBreaker(CircuitBreaker):
    """Whether the cache is reachable, as this process knows it, and whether an invalidation is still to be repeated."""

    def __init__(self) -> None:
        super().__init__("The cache is unreachable; the catalogue is read from the database")
        self.invalidation_pending = False
        self.repair_lock = threading.Lock()

    def read(self, function: Callable[[], T]) -> T | None:
        """The result of `function`, which reads the cache; None if the cache is unreachable."""
        if self.is_open():
            return None
        try:
            if self.invalidation_pending:
                self.repair()
            found = function()
        except CACHE_ERRORS as error:
            self.trip(error)
            return None
        self.reset()
        return found

    def invalidation_failed(self, error: Exception) -> None:
        """Repeat an invalidation that did not reach the cache, whether or not this process reads the cache again.

        It is repeated only while a page from before the write can still be cached.
        """
        self.trip(error)
        self.invalidation_pending = True
        if self.repair_lock.acquire(blocking=False):
            threading.Thread(target=self._repeat, name="cache-invalidation", daemon=True).start()

    def repair(self) -> None:
        self.invalidation_pending = False  # before the write: another that fails meanwhile sets it again
        try:
            cache.set(CATALOGUE_TOKEN, new_token(), None)
        except CACHE_ERRORS:
            self.invalidation_pending = True
            raise

    def _repeat(self) -> None:
        end = time.monotonic() + REPAIR_FOR
        try:
            while self.invalidation_pending and time.monotonic() < end:
                time.sleep(REPAIR_EVERY)
                with suppress(*CACHE_ERRORS):
                    if self.invalidation_pending and self is cache_breaker:
                        self.repair()
        finally:
            self.repair_lock.release()


cache_breaker = CacheBreaker()


def _write(rotate: Callable[[], Any]) -> None:
    """Rotate tokens, also while the circuit breaker is open for readers. A failed rotation is repeated."""
    try:
        rotate()
    except CACHE_ERRORS as error:
        cache_breaker.invalidation_failed(error)


class CatalogueQuerySet(RecordedQuerySet[M]):
    """Invalidates all cached pages after writes of many rows, which send no signal."""

    def update(self, **fields: Any) -> int:
        rows = super().update(**fields)
        catalogue_changed()
        return rows

    def update_without_invalidation(self, **fields: Any) -> int:
        """An update whose caller says what it changed, or of columns that no cached page shows."""
        return super().update(**fields)

    def bulk_create(self, *args: Any, **kwargs: Any) -> list[M]:
        rows = super().bulk_create(*args, **kwargs)
        catalogue_changed()
        return rows
