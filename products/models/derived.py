"""Columns that are derived from others."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    from products.models.category import Category
    from products.models.family import Family
    from products.models.product import Product


def with_derived(row: "Category | Family | Product", fields: Iterable[str]) -> set[str]:
    """`fields`, and the columns of `row` that are derived from any of them (`row.DERIVED`).

    Other sources of these columns are read again from the database and locked: a derived column must not be
    computed from a stale value in `row`. Call it in the transaction that saves.
    """
    fields = {row._meta.get_field(name).name for name in fields}  # parent_id is parent
    derived = {column for column, sources in row.DERIVED.items() if fields & {column, *sources}}
    unsaved = {source for column in derived for source in row.DERIVED[column]} - fields
    if unsaved:
        locked: models.QuerySet[Any] = type(row).objects.select_for_update()
        row.refresh_from_db(fields=unsaved, from_queryset=locked)
    return fields | derived
