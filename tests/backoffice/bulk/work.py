"""Bulk work that is taken to its end without a worker, and what its pages show."""

from collections.abc import Collection
from typing import Any

from backoffice.bulk import starting
from backoffice.bulk.models import BulkChange
from backoffice.bulk.operations import Operation
from backoffice.imports import planning, progress
from backoffice.imports.models import ImportRow
from products.models import Product

Shown = list[tuple[str, str, str, str]]


def preview(operation: Operation, may: Collection[str] = planning.PERMISSIONS, **filters: Any) -> BulkChange:
    products = Product.objects.filter(**filters).order_by("name_key", "id")
    row = starting.preview(products=products, operation=operation, user_id=None, may=may)
    progress.work(row.pk)
    return BulkChange.objects.get(pk=row.pk)


def run(row: BulkChange, user_id: int | None = None, may: Collection[str] = planning.PERMISSIONS) -> BulkChange:
    starting.run(bulk_id=row.pk, user_id=user_id, may=may)
    progress.work(row.pk)
    return BulkChange.objects.get(pk=row.pk)


def lines(row: BulkChange) -> Shown:
    """Of each product its name, the value before and after, and the outcome."""
    rows = ImportRow.objects.filter(parent=row).order_by("number")
    return list(rows.values_list("name", "before", "after", "outcome"))


def messages(row: BulkChange) -> list[str]:
    return list(ImportRow.objects.filter(parent=row).order_by("number").values_list("message", flat=True))
