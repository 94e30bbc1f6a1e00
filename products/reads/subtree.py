"""Pages of the products in a category with subcategories."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL

from productbackend.api.keyset import IndexOrder
from products.reads.query import ProductQuery
from products.reads.rows import rows_by_id

CATEGORIES_MAX = 200
MERGED_MAX = 20_000  # rows that are read from all categories for a page; beyond this, sorting all is as fast
SLOT = object()  # in the parameters of a compiled query: the id of a category, which is given later


@dataclass(frozen=True)
class SubtreeMerge(IndexOrder):
    """Merges the first rows of each category, since for one query over all of them the database would sort all rows."""

    query: ProductQuery = field(kw_only=True)

    def rows(self, keys: Sequence[Any], beyond: Q, start: int, stop: int) -> list[Any]:
        categories = self.query.categories or []
        merges = connections[self.queryset.db].features.supports_slicing_ordering_in_compound
        merges = merges and len(categories) <= CATEGORIES_MAX and len(categories) * stop <= MERGED_MAX
        merges = merges and all(isinstance(key, str) for key in keys)  # no nulls among the ties
        found = self.query.rows(RawSQL("%s", [SLOT])) if merges else self.queryset
        ordered = found.filter(beyond).order_by(*keys)
        if merges:
            ids = merged_ids(ordered, keys, categories, start, stop)
        else:
            ids = [pk for (pk,) in ordered.values_list("pk")[start:stop]]
        return rows_by_id(ids, include_hidden=self.query.include_hidden)


def merged_ids(part: QuerySet[Any], keys: Sequence[str], categories: Sequence[int], start: int, stop: int) -> list[int]:
    """The ids of the page, in one statement.

    The reads of two categories differ in one parameter. Django compiles `part`, the read of one: for a hundred
    categories that takes a hundredth of the time.
    """
    columns = [key.removeprefix("-") for key in keys]
    try:
        sql, parameters = part.values_list(*columns)[:stop].query.get_compiler(part.db).as_sql()
    except EmptyResultSet:  # no row can match, such as a quantity below the column's range
        return []
    union = " UNION ALL ".join([f"({sql})"] * len(categories))
    order = ", ".join(f"{number}{' DESC' if key.startswith('-') else ''}" for number, key in enumerate(keys, start=1))
    filled = [category if each is SLOT else each for category in categories for each in parameters]
    with connections[part.db].cursor() as cursor:
        cursor.execute(f"{union} ORDER BY {order} LIMIT %s OFFSET %s", [*filled, stop - start, start])
        return [row[columns.index("id")] for row in cursor.fetchall()]
