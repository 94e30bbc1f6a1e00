"""What tells whether a kept page of the catalogue still holds: random tokens in the cache.

`VERSION` is moved by every write of a product, category or image. A sale, or an image that becomes
ready, moves the stamp of its product and `STOCK`, and leaves the rest of the catalogue as it is.
Tokens are random and never counted: one that the cache has lost comes back as another, and what was
kept under the old is void.
"""

import logging
import secrets
import time
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from django.core.cache import cache
from django.db import connection, transaction
from django.db.models import Model, QuerySet
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

T = TypeVar("T")
M = TypeVar("M", bound=Model)

VERSION = "catalogue:version"
STOCK = "catalogue:stock"
STAMP_LIFE = 3600  # seconds; a stamp that has gone makes its pages void
GONE = (RedisError, OSError)  # how a cache that does not answer shows itself
REST = 2.0  # seconds that readers leave such a cache alone
LOG_EVERY = 60.0
UNSEEN = {"attempts", "claimed_at"}  # columns that no page shows


def stamp(product_id: int) -> str:
    """The key of a product's stamp."""
    return f"catalogue:stamp:{product_id}"


def token() -> str:
    return secrets.token_hex(8)


def tokens() -> dict[str, str]:
    """`VERSION` and `STOCK` as they are now, made where they are not there."""
    found = cache.get_many([VERSION, STOCK])
    for key in (VERSION, STOCK):
        if key not in found:
            cache.add(key, token(), None)
            found[key] = cache.get(key)
    return found


def catalogue_changed() -> None:
    """A product, category or image was written: what is kept is void once that is committed.

    To be called after the write: outside of a transaction it is committed by then.
    """
    if not any(function is _move_version for _, function, *_ in connection.run_on_commit):
        transaction.on_commit(_move_version, robust=True)


def stock_changed(product_ids: Iterable[int | None]) -> None:
    """The stock of these products, or an image that became ready, and nothing else, was written.

    Their `updated_at` has moved with it, by which a page that is being made notices.
    """
    keys = [STOCK, *(stamp(pk) for pk in product_ids if pk is not None)]
    moved = {key: token() for key in keys}
    transaction.on_commit(lambda: _write(lambda: cache.set_many(moved, STAMP_LIFE)), robust=True)


def _move_version() -> None:
    _write(lambda: cache.set(VERSION, token(), None))


class Link:
    """What this process knows of the cache: since when it does not answer, and whether a move was lost."""

    def __init__(self) -> None:
        self.resting_until = 0.0
        self.logged_at = -LOG_EVERY
        self.owes_a_move = False

    def read(self, function: Callable[[], T]) -> T | None:
        """What `function` gets from the cache; None where it does not answer, which is logged now and then."""
        if time.monotonic() < self.resting_until:
            return None
        try:
            if self.owes_a_move:
                cache.set(VERSION, token(), None)
                self.owes_a_move = False
            return function()
        except GONE as error:
            self.note(error)
            return None

    def note(self, error: Exception) -> None:
        now = time.monotonic()
        self.resting_until = now + REST
        if now - self.logged_at >= LOG_EVERY:
            self.logged_at = now
            logger.warning("The cache does not answer; the catalogue is read from the database: %s", error)


link = Link()


def _write(move: Callable[[], Any]) -> None:
    """Move tokens, also in a cache that readers leave alone. What is lost is made good at the next contact."""
    try:
        move()
    except GONE as error:
        link.owes_a_move = True
        link.note(error)


class CatalogueQuerySet(QuerySet[M]):
    """Writes of many rows at once send no signal: here they void what is kept, as the others do."""

    # Set where each row has one of some values of a column: its name, those values, and the condition.
    parts: tuple[str, list[Any], Any] | None = None
    count_order: tuple[str, ...] = ()

    def in_parts(self, column: str, values: list[Any]) -> "CatalogueQuerySet[M]":
        """The rows with one of `values`; the pagination may read each value's by themselves and merge them."""
        found = self.filter(**{f"{column}__in": values})
        found.parts = (column, values, found.query.where.children[-1])
        return found

    def part(self, value: Any) -> "CatalogueQuerySet[M]":
        """Those with this one of the values, asked for by that alone."""
        assert self.parts is not None
        return self.of_any_part().filter(**{self.parts[0]: value})

    def of_any_part(self) -> "CatalogueQuerySet[M]":
        """The same rows and those with other values: for who names the rows of a part and need not name it again."""
        assert self.parts is not None
        found = self.all()
        found.query.where.children = [child for child in found.query.where.children if child is not self.parts[2]]
        return found

    def counted_by(self, column: str) -> "CatalogueQuerySet[M]":
        """The same rows; what counts them goes along the index of `column`, where MySQL would choose any."""
        found = self.all()
        found.count_order = (column,)
        return found

    def _clone(self) -> "CatalogueQuerySet[M]":
        copy: CatalogueQuerySet[M] = super()._clone()  # type: ignore[misc]
        copy.parts, copy.count_order = self.parts, self.count_order
        return copy

    def update(self, **fields: Any) -> int:
        rows = super().update(**fields)
        if not fields.keys() <= UNSEEN:
            catalogue_changed()
        return rows

    update.alters_data = True  # type: ignore[attr-defined]

    def update_stock(self, **fields: Any) -> int:
        """An update of the stock, for `products.stock`, which names the products to `stock_changed`."""
        return super().update(**fields)

    update_stock.alters_data = True  # type: ignore[attr-defined]

    def update_unseen(self, **fields: Any) -> int:
        """An update that no kept page shows, or whose product the caller names to `stock_changed`."""
        return super().update(**fields)

    update_unseen.alters_data = True  # type: ignore[attr-defined]

    def bulk_create(self, *args: Any, **kwargs: Any) -> list[M]:
        rows = super().bulk_create(*args, **kwargs)
        catalogue_changed()
        return rows

    bulk_create.alters_data = True  # type: ignore[attr-defined]
