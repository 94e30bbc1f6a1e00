"""Stock: the only place that changes `Product.quantity` after a product was made.

Every function joins the caller's transaction, or opens one, and writes a StockMovement for
each change, so that for every product `quantity == sum(delta)`.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Sum
from django.utils import timezone

from productbackend.errors import DomainError, InvalidValue
from products import caching
from products.models import QUANTITY_MAX, Product, StockMovement

Reason = StockMovement.Reason


@dataclass(frozen=True)
class Wanted:
    """So many of a product; `product_id` is None where the product was deleted."""

    product_id: int | None
    name: str
    quantity: int
    sku: str = ""


class InsufficientStock(DomainError):
    """Names each product that is short: `{"product", "name", "requested", "available"}`."""

    def __init__(self, shortages: list[dict[str, Any]]) -> None:
        names = ", ".join(f"{row['name']} ({row['available']} of {row['requested']})" for row in shortages)
        super().__init__("insufficient-stock", f"There is not enough in stock: {names}.", shortages=shortages)


def check(*, wanted: Wanted) -> None:
    """Raise InsufficientStock where less is there than wanted. Holds nothing: checkout decides."""
    shortages = _shortages([wanted])
    if shortages:
        raise InsufficientStock(shortages)


@transaction.atomic(savepoint=False)
def take(*, wanted: Iterable[Wanted], order_number: str, user: Any) -> None:
    """Sell what is wanted, all of it or nothing, naming every shortage at once.

    Lines of one product are added up first. The caller holds the products' rows in primary-key
    order; the condition in the UPDATE keeps the promise by itself.
    """
    totals = _added_up(wanted)
    now = timezone.now()
    short = [row for row in totals if row.product_id is None]
    for row in totals:
        if row.product_id is not None and not _sell(row.product_id, row.quantity, now):
            short.append(row)
    if short:
        raise InsufficientStock(_shortages(short))
    _record([(row.product_id, row.sku, -row.quantity) for row in totals], Reason.SALE, user, order_number)


@transaction.atomic
def put_back(*, quantities: dict[int, int], order_number: str, user: Any) -> None:
    """Return `{product id: pieces}` of a cancelled order. Products deleted since are passed over."""
    changes = []
    for product in Product.objects.select_for_update().filter(pk__in=quantities).order_by("pk"):
        delta = min(quantities[product.pk], QUANTITY_MAX - product.quantity)
        _write(product.pk, product.quantity + delta)
        changes.append((product.pk, product.sku, delta))
    _record(changes, Reason.RESTOCK, user, order_number)


@transaction.atomic
def set_quantity(*, product_id: int, quantity: int, user: Any) -> None:
    """Make the quantity what was counted, whatever was sold since it was read."""
    sku, current = _locked(product_id)
    if quantity != current:
        _write(product_id, quantity)
        _record([(product_id, sku, quantity - current)], Reason.CORRECTION, user)


@transaction.atomic
def adjust(*, product_id: int, delta: int, user: Any) -> None:
    """Add `delta` pieces, or take them away; InvalidValue where the result is out of range."""
    sku, current = _locked(product_id)
    quantity = current + delta
    if not 0 <= quantity <= QUANTITY_MAX:
        raise InvalidValue("quantity", "out_of_range", f"The quantity would be {quantity}.")
    if delta:
        _write(product_id, quantity)
        _record([(product_id, sku, delta)], Reason.CORRECTION, user)


@transaction.atomic
def balance_books(*, product_id: int) -> int:
    """Write the movement that is missing where something else wrote the quantity; the quantity stays.

    Returns its delta; 0 where the books are balanced, or the product is gone.
    """
    product = Product.objects.select_for_update().filter(pk=product_id).first()
    if product is None:
        return 0
    recorded = StockMovement.objects.filter(product=product).aggregate(sum=Sum("delta"))["sum"] or 0
    if delta := product.quantity - recorded:
        _record([(product.pk, product.sku, delta)], Reason.CORRECTION, None)
    return delta


def record_initial(*, products: Iterable[Product]) -> None:
    """Write the first movement of products that were just made."""
    StockMovement.objects.bulk_create(
        [
            StockMovement(product=product, sku=product.sku, delta=product.quantity, reason=Reason.INITIAL)
            for product in products
        ]
    )


def _sell(product_id: int, quantity: int, now: datetime) -> bool:
    """Whether so many were there, and are sold now."""
    # The `+ 0` keeps the database from the index on quantity: MariaDB takes it for a small table, meets
    # other products' locks there, and misses a row that another sale has just moved along in it.
    there = Product.objects.alias(there=F("quantity") + 0).filter(pk=product_id, is_active=True, there__gte=quantity)
    return bool(there.update_stock(quantity=F("quantity") - quantity, updated_at=now))


def _added_up(wanted: Iterable[Wanted]) -> list[Wanted]:
    """One row a product, in primary-key order; deleted ones each for itself, last."""
    totals: Counter[int] = Counter()
    known: dict[int, Wanted] = {}
    gone = []
    for row in wanted:
        if row.product_id is None:
            gone.append(row)
        else:
            totals[row.product_id] += row.quantity
            known[row.product_id] = row
    return [replace(known[pk], quantity=totals[pk]) for pk in sorted(totals)] + gone


def _shortages(wanted: list[Wanted]) -> list[dict[str, Any]]:
    stock = dict(
        Product.objects.filter(
            pk__in=[row.product_id for row in wanted if row.product_id is not None], is_active=True
        ).values_list("pk", "quantity")
    )
    shortages = []
    for row in wanted:
        available = stock.get(row.product_id, 0) if row.product_id is not None else 0
        if available < row.quantity:
            shortages.append(
                {"product": row.product_id, "name": row.name, "requested": row.quantity, "available": available}
            )
    return shortages


def _locked(product_id: int) -> tuple[str, int]:
    """The SKU and the quantity of a product, whose row stays locked."""
    row = Product.objects.select_for_update().filter(pk=product_id).values_list("sku", "quantity").first()
    if row is None:
        raise DomainError("not-found", "There is no such product.")
    return row


def _write(product_id: int, quantity: int) -> None:
    Product.objects.filter(pk=product_id).update_stock(quantity=quantity, updated_at=timezone.now())


def _record(changes: Iterable[tuple[Any, str, int]], reason: str, user: Any, order_number: str = "") -> None:
    """Write one movement for each `(product id, SKU, delta)`."""
    changes = list(changes)
    StockMovement.objects.bulk_create(
        [
            StockMovement(product_id=pk, sku=sku, delta=delta, reason=reason, order_number=order_number, user=user)
            for pk, sku, delta in changes
        ]
    )
    caching.stock_changed(pk for pk, _, _ in changes)
