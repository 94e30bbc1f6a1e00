"""How a page is read from a stable order: from an index, from where the one before it ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import Q, QuerySet

PARTS_MAX = 200


@dataclass(frozen=True)
class Key:
    """One column of an order."""

    column: str
    descending: bool

    @property
    def reversed(self) -> "Key":
        return Key(self.column, not self.descending)

    @property
    def term(self) -> str:
        return f"-{self.column}" if self.descending else self.column


def beyond(keys: Sequence[Key], values: Sequence[Any]) -> Q:
    """The rows behind the one that has `values`.

    Written as `a >= x AND (a > x OR (a = x AND ...))`: the first bound is what an index serves,
    and MariaDB takes a row comparison 15 times slower.
    """
    first, value = keys[0], values[0]
    strict = Q(**{f"{first.column}__{'lt' if first.descending else 'gt'}": value})
    if len(keys) == 1:
        return strict
    bound = Q(**{f"{first.column}__{'lte' if first.descending else 'gte'}": value})
    return bound & (strict | (Q(**{first.column: value}) & beyond(keys[1:], values[1:])))


def read(queryset: QuerySet[Any], keys: Sequence[Key], start: int, stop: int) -> list[Any]:
    """The rows from `start` to `stop` in the order of `keys`.

    Where the queryset says that it consists of parts that each have an index in this order, the
    first rows of each are read and merged: of all together the database would sort all.
    """
    ordered = queryset.order_by(*[key.term for key in keys])
    merges = connections[queryset.db].features.supports_slicing_ordering_in_compound
    _, values, _ = getattr(queryset, "parts", None) or ("", [], None)
    if not (1 < len(values) <= PARTS_MAX and merges):
        return list(ordered[start:stop])
    whole: Any = queryset
    try:
        ids = merged_ids(ordered, keys, values, start, stop)
    except EmptyResultSet:  # Django sees that the filters leave nothing, such as a quantity below all numbers
        return []
    return in_order(whole.of_any_part(), ids)


def merged_ids(ordered: Any, keys: Sequence[Key], values: Sequence[Any], start: int, stop: int) -> list[int]:
    """The ids of the page, from the first rows of each of the queryset's parts, in one statement.

    The parts differ in one parameter: one is put together by Django, and the others after it, which
    for a hundred parts takes a hundredth of the time.
    """
    columns = [key.column for key in keys]
    (sql, one), (_, other) = (
        ordered.part(value).values_list(*columns)[:stop].query.sql_with_params() for value in values[:2]
    )
    [place] = [index for index, pair in enumerate(zip(one, other, strict=True)) if pair[0] != pair[1]]
    parameters = [each for value in values for each in (*one[:place], value, *one[place + 1 :])]
    order = ", ".join(f"{number} {'DESC' if key.descending else 'ASC'}" for number, key in enumerate(keys, start=1))
    union = " UNION ALL ".join([f"({sql})"] * len(values))
    with connections[ordered.db].cursor() as cursor:
        cursor.execute(f"{union} ORDER BY {order} LIMIT %s OFFSET %s", [*parameters, stop - start, start])
        return [row[columns.index("id")] for row in cursor.fetchall()]


def in_order(queryset: QuerySet[Any], ids: Sequence[int]) -> list[Any]:
    """The rows with these ids, as they are named; those that are gone meanwhile are left out."""
    rows = {row.id: row for row in queryset.order_by().filter(pk__in=ids)} if ids else {}
    return [rows[pk] for pk in ids if pk in rows]


def bounded_count(queryset: QuerySet[Any], most: int) -> int:
    """How many rows there are, up to `most`; counted in the order that the queryset prefers, or in any."""
    return queryset.order_by(*getattr(queryset, "count_order", ())).values("pk")[:most].count()
