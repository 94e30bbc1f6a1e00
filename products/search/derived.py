"""Recomputes the derived columns of products and categories, keys and search text, by the current rules.

It reads a table in slices by primary key and writes only rows that differ, so it can run while the shop is in
use, be interrupted, and be run again.
"""

from collections.abc import Callable, Sequence

from django.db import connections
from django.db.models import Model, QuerySet

from productbackend.database.fields import KEY_LENGTH, fold
from productbackend.database.transactions import atomic_with_retry
from products.models import Category, Product, category_names
from products.naming import name_key, sibling_key
from products.search.tokens import search_text

SLICE = 500  # rows in one query
PRODUCT_FIELDS = ("name_key", "brand_key", "search_text")


def product_columns(product: Product, categories: Sequence[str]) -> dict[str, str]:
    return {
        "name_key": name_key(product.name),
        "brand_key": fold(product.brand)[:KEY_LENGTH],
        "search_text": search_text(
            name=product.name,
            brand=product.brand,
            description=product.description,
            sku=product.sku,
            categories=categories,
        ),
    }


def category_columns(category: Category) -> dict[str, str]:
    return {"name_key": name_key(category.name), "sibling_key": sibling_key(category.parent_id, category.name)}


def refresh_products(
    products: QuerySet[Product], categories: QuerySet[Category], report: Callable[[list[int]], object]
) -> int:
    """Update all rows of the queryset. Calls `report` with the ids of each slice. Returns how many rows differed."""
    last = written = 0
    while ids := list(products.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:SLICE]):
        written += refresh_slice(products.filter(pk__in=ids), categories)
        report(ids)
        last = ids[-1]
    return written


def refresh_slice(products: QuerySet[Product], categories: QuerySet[Category]) -> int:
    """Update the rows of the queryset. Returns how many differed. No page of the cache is invalidated."""
    differing = [row.pk for row, columns in _computed(products, categories) if _outdated(row, columns)]
    return write_slice(products.filter(pk__in=differing), categories) if differing else 0


@atomic_with_retry
def write_slice(products: QuerySet[Product], categories: QuerySet[Category]) -> int:
    """Like `refresh_slice`, for rows of which most differ: computes them once, and locks all of them meanwhile."""
    changed: list[tuple[str | int, ...]] = [
        (*columns.values(), row.pk)
        for row, columns in _computed(products.select_for_update(), categories)
        if _outdated(row, columns)
    ]
    # Not bulk_update: it invalidates the cache, and takes longer to compile than this to run.
    columns = ", ".join(f"{name} = %s" for name in PRODUCT_FIELDS)
    with connections[products.db].cursor() as cursor:
        cursor.executemany(f"UPDATE products_product SET {columns} WHERE id = %s", changed)  # noqa: S608
    return len(changed)


def _computed(products: QuerySet[Product], categories: QuerySet[Category]) -> list[tuple[Product, dict[str, str]]]:
    """The rows, in the order in which they are locked, each with its derived columns as they should be."""
    rows = products.only("pk", "name", "brand", "description", "sku", "category_id", *PRODUCT_FIELDS).order_by("pk")
    used = {row.category_id for row in rows if row.category_id is not None}
    names = category_names(categories, dict(categories.filter(pk__in=used).values_list("pk", "lineage")))
    return [(row, product_columns(row, names.get(row.category_id or 0, []))) for row in rows]


def _outdated(row: Model, columns: dict[str, str]) -> bool:
    return any(getattr(row, name) != value for name, value in columns.items())


def refresh_categories(categories: QuerySet[Category]) -> list[int]:
    """Update all rows. Returns the ids of those whose name now equals a sibling's; they keep their `sibling_key`."""
    clashing = []
    for row in categories.order_by("pk"):
        columns = category_columns(row)
        if not _outdated(row, columns):
            continue
        if categories.filter(sibling_key=columns["sibling_key"]).exclude(pk=row.pk).exists():
            clashing.append(row.pk)
            del columns["sibling_key"]
        categories.filter(pk=row.pk).update(**columns)
    return clashing


def clash(ids: list[int]) -> str:
    """The error message for categories that `refresh_categories` returned."""
    listed = ", ".join(map(str, ids))
    return (
        f"These categories have the same name as a sibling, except for invisible characters. Rename them. Ids: {listed}"
    )
