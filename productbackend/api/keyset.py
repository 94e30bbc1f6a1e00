"""Keyset pagination: a page of rows after the last row of the previous page, in a stable order, and a bounded count.

An order is a list of keys: columns, with `-` for descending ones, as in `order_by`. Nulls are last in both directions.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import F, Q, QuerySet

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
    nullable: Container[str] = ()  # the columns that have nulls
    counted: QuerySet[Any] | None = None  # as many rows as the queryset has, if they are counted another way
    known: int | None = None  # their number, up to COUNT_MAX + 1, if it is known

    def rows(self, keys: Sequence[Any], beyond: Q, start: int, stop: int) -> list[Any]:
        """The rows that match `beyond`, from `start` to `stop`. A key is a name, or an expression to order by."""
        return list(self.queryset.filter(beyond).order_by(*keys)[start:stop])

    def count(self, most: int) -> int:
        """The number of rows, up to `most`."""
        if self.known is not None:
            return min(self.known, most)
        rows = self.queryset if self.counted is None else self.counted
        return rows.order_by(*self.count_order).values("pk")[:most].count()


def read(source: IndexOrder, paging: Paging) -> Page:
    """Read a page. The rows are counted only if it does not show all of them."""
    cursor, limit, start = paging.cursor, paging.limit, paging.offset
    backwards = cursor is not None and cursor["d"] == "p"
    keys = [key[1:] if key.startswith("-") else f"-{key}" for key in paging.keys] if backwards else paging.keys
    values = cursor["v"] if cursor is not None else None
    rows = _rows(source, keys, values, start, start + limit + 1, nulls_first=backwards)
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


def _rows(
    source: IndexOrder, keys: Sequence[str], values: Sequence[Any] | None, start: int, stop: int, *, nulls_first: bool
) -> list[Any]:
    """The rows after the one with `values`, or from the beginning.

    If the first column has nulls, the rows with and without them are two reads: in an index the nulls are first in one
    direction.
    """
    first, terms = keys[0].removeprefix("-"), [_term(key, source.nullable, nulls_first) for key in keys]
    if first not in source.nullable:
        beyond = Q() if values is None else after(keys, values, source.nullable, nulls_first=nulls_first)
        return source.rows(terms, beyond, start, stop)
    given = (Q(**{f"{first}__isnull": False}), [keys[0], *terms[1:]], keys)
    missing = (Q(**{f"{first}__isnull": True}), terms[1:], keys[1:])
    parts = [missing, given] if nulls_first else [given, missing]
    if values is not None and (values[0] is None) != nulls_first:
        parts = parts[1:]  # the row is in the second part
    rows: list[Any] = []
    for number, (condition, part_terms, part_keys) in enumerate(parts):
        beyond = condition
        if values is not None and number == 0:
            beyond &= after(part_keys, values[-len(part_keys) :], source.nullable, nulls_first=nulls_first)
        found = source.rows(part_terms, beyond, start, stop)
        rows += found
        if number + 1 < len(parts) and not found and start:
            skipped = source.queryset.filter(condition).order_by()[:start].count()
            start, stop = start - skipped, stop - skipped
        elif len(found) < stop - start:
            start, stop = 0, stop - start - len(found)
        else:
            break
    return rows


def _term(key: str, nullable: Container[str], nulls_first: bool) -> Any:
    """What to order by for a key."""
    name = key.removeprefix("-")
    if name not in nullable:
        return key
    order = F(name).desc if key.startswith("-") else F(name).asc
    return order(nulls_first=True) if nulls_first else order(nulls_last=True)


def _cursor(keys: Sequence[str], direction: str, row: Any) -> Cursor:
    return {"o": keys, "d": direction, "v": [getattr(row, key.removeprefix("-")) for key in keys]}


def after(keys: Sequence[str], values: Sequence[Any], nullable: Container[str] = (), *, nulls_first: bool = False) -> Q:
    """The condition for the rows after the one with `values`.

    Written as `a >= x AND (a > x OR (a = x AND ...))`: an index serves the first bound, and a row
    comparison is 15 times slower on MariaDB. The first key's column is not null where it is compared.
    """
    first, value = keys[0].removeprefix("-"), values[0]
    operator = "lt" if keys[0].startswith("-") else "gt"
    strict = Q(**{f"{first}__{operator}": value})
    if len(keys) == 1:
        return strict
    equal = Q(**{first: value}) & _after_ties(keys[1:], values[1:], nullable, nulls_first)
    return Q(**{f"{first}__{operator}e": value}) & (strict | equal)


def _after_ties(keys: Sequence[str], values: Sequence[Any], nullable: Container[str], nulls_first: bool) -> Q:
    """As `after`, for the keys behind the first, whose columns can be null."""
    first, value = keys[0].removeprefix("-"), values[0]
    if first not in nullable:
        return after(keys, values, nullable, nulls_first=nulls_first)
    rest = _after_ties(keys[1:], values[1:], nullable, nulls_first)
    is_null = Q(**{f"{first}__isnull": True})
    if value is None:
        tied = is_null & rest
        return tied | ~is_null if nulls_first else tied
    operator = "lt" if keys[0].startswith("-") else "gt"
    beyond = Q(**{f"{first}__{operator}": value}) | (Q(**{first: value}) & rest)
    return beyond if nulls_first else beyond | is_null
