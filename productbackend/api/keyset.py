"""Keyset pagination: a page of rows after the last row of the previous page, in a stable order, and a bounded count.

An order is a list of keys: columns, with `-` for descending ones, as in `order_by`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q, QuerySet

COUNT_MAX = 1_000
BY_RANK = "rank"  # the order in the cursors of a list without keys

Cursor = dict[str, Any]  # "o": the keys of its list; "d": next or previous; "v": the values of a row, or a position


@dataclass(frozen=True)
class Paging:
    """Which page of a list is requested, in the order of `keys`; without keys, by the position in the list."""

    keys: Sequence[str]
    limit: int
    offset: int
    cursor: Cursor | None


@dataclass(frozen=True)
class Page:
    """The rows of a page, the count of its list, which is exact up to COUNT_MAX, and the cursors of its neighbours."""

    rows: list[Any]
    count: int
    is_exact: bool
    edges: tuple[Cursor | None, Cursor | None]  # of the next page and the previous one
    members: Mapping[str, Any] = field(default_factory=dict)  # further members of the response


@dataclass(frozen=True)
class IndexOrder:
    """Reads the rows of a queryset in the order of an index, if there is one for the keys."""

    queryset: QuerySet[Any]
    count_order: Sequence[str] = ()  # the index to count along; MySQL could choose another

    def rows(self, keys: Sequence[str], beyond: Q, start: int, stop: int) -> list[Any]:
        """The rows that match `beyond`, from `start` to `stop`."""
        return list(self.queryset.filter(beyond).order_by(*keys)[start:stop])

    def count(self, most: int) -> int:
        """The number of rows, up to `most`."""
        return self.queryset.order_by(*self.count_order).values("pk")[:most].count()


def read(source: IndexOrder, paging: Paging) -> Page:
    """Read a page. The rows are counted only if it does not show all of them."""
    cursor, limit, start = paging.cursor, paging.limit, paging.offset
    backwards = cursor is not None and cursor["d"] == "p"
    keys = [key[1:] if key.startswith("-") else f"-{key}" for key in paging.keys] if backwards else paging.keys
    beyond = after(keys, cursor["v"]) if cursor is not None else Q()
    rows = source.rows(keys, beyond, start, start + limit + 1)
    more = len(rows) > limit
    rows = rows[:limit]
    if backwards:
        rows.reverse()
    has_next = bool(rows) and (more or backwards)
    has_previous = bool(rows) and ((more if backwards else cursor is not None) or start > 0)
    is_whole = cursor is None and not start and not has_next
    found = len(rows) if is_whole else source.count(COUNT_MAX + 1)
    following = _cursor(paging.keys, "n", rows[-1]) if has_next else None
    preceding = _cursor(paging.keys, "p", rows[0]) if has_previous else None
    return Page(rows, min(found, COUNT_MAX), found <= COUNT_MAX, (following, preceding))


def _cursor(keys: Sequence[str], direction: str, row: Any) -> Cursor:
    return {"o": keys, "d": direction, "v": [getattr(row, key.removeprefix("-")) for key in keys]}


def after(keys: Sequence[str], values: Sequence[Any]) -> Q:
    """The condition for the rows after the one with `values`.

    Written as `a >= x AND (a > x OR (a = x AND ...))`: an index serves the first bound, and a row
    comparison is 15 times slower on MariaDB.
    """
    first, value = keys[0].removeprefix("-"), values[0]
    operator = "lt" if keys[0].startswith("-") else "gt"
    strict = Q(**{f"{first}__{operator}": value})
    if len(keys) == 1:
        return strict
    return Q(**{f"{first}__{operator}e": value}) & (strict | (Q(**{first: value}) & after(keys[1:], values[1:])))
