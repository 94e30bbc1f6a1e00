"""Starts bulk work: stores which products were selected, and makes the preview; runs it once staff have seen that.

The first slice of products is done immediately, so that the page shows it. Workers do the others.
"""

from collections.abc import Collection

from django.db import transaction
from django.db.models import QuerySet

from backoffice.bulk.models import BulkChange
from backoffice.bulk.operations import Operation
from backoffice.cells import guarded
from backoffice.imports import progress, starting, uploading
from backoffice.imports.models import BULK, Import
from backoffice.imports.tables import Row
from productbackend.errors import DomainError, InvalidValue
from products.models import Product

SELECTED_MAX = 200_000  # products: reading and storing their SKUs takes some two seconds


def preview(
    *, products: QuerySet[Product], operation: Operation, user_id: int | None, may: Collection[str]
) -> BulkChange:
    """Store the products of the queryset in its order, and begin to check what the operation would do with each.

    Raises InvalidValue if they are none, or more than SELECTED_MAX.
    """
    skus = list(products.values_list("sku", flat=True)[: SELECTED_MAX + 1])
    if not skus:
        raise InvalidValue("products", "empty", "None of the selected products exists any more.")
    if len(skus) > SELECTED_MAX:
        detail = f"At most {SELECTED_MAX:,} products are changed together: select fewer by a filter of the list."
        raise InvalidValue("products", "too_many", detail)
    with transaction.atomic():
        row = BulkChange.objects.create(
            kind=BULK,
            mode=Import.Mode.ROW_BY_ROW,
            columns=["sku"],
            operation=operation.as_json(),
            has_decimal_commas=False,
            user_id=user_id,
            may=sorted(may),
            claimed_at=progress.now(),
        )
        uploading.store(row, (Row(number, [guarded(sku)]) for number, sku in enumerate(skus, start=1)))
    progress.go_on(progress.Claim.of(row), seconds=0)
    return row


def run(*, bulk_id: int, user_id: int | None, may: Collection[str]) -> None:
    """Write what the preview has shown, once.

    Raises DomainError: `not-found`, and `import-state` before the preview is complete.
    """
    if not BulkChange.objects.filter(pk=bulk_id).exists():
        raise DomainError("not-found", "There is no such bulk change.")
    row, is_new = starting.start(import_id=bulk_id, user_id=user_id, may=may, is_local=True)
    if is_new:
        progress.go_on(progress.Claim.of(row), seconds=0)
