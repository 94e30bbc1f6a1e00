"""Stock: the only module that changes `Product.quantity` of an existing product.

Every function joins the caller's transaction, or opens one, and writes a StockMovement for
each change, so that for every product `quantity == sum(delta)`.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.db.models import DateTimeField, F, Sum
from django.utils import timezone

from productbackend.database.statements import Insert, Overwrite, SelectRows, Write, slot, slots
from productbackend.errors import DomainError, InvalidValue
from products.families import leads
from products.models import QUANTITY_MAX, Product, StockMovement
from products.reads import caching

Reason = StockMovement.Reason
RequestUser = AbstractBaseUser | AnonymousUser  # the type of request.user


# The `+ 0` stops the database from using the index on quantity: for a small table MariaDB would, and would
# wait for locks of other products in it, and miss a row that a concurrent sale has just moved within it.
SUBTRACT = Write(
    lambda: Product.objects.alias(in_stock=F("quantity") + 0).filter(
        pk=slot("product"), is_active=True, in_stock__gte=slot("pieces")
    ),
    quantity=F("quantity") - slot("pieces"),
    updated_at=slot("now", DateTimeField()),
)
IN_STOCK = SelectRows(
    lambda count: (
        Product.objects.order_by().filter(pk__in=slots(count), is_active=True).values_list("pk", "quantity", named=True)
    )
)
INSERT_MOVEMENT = Insert(StockMovement)
OVERWRITE = Overwrite(Product)


@dataclass(frozen=True)
class StockRequest:
    """A quantity of a product; `product_id` is None if the product was deleted.

    `product` is the product as the caller has locked it, if it has.
    """

    product_id: int | None
    name: str
    quantity: int
    sku: str = ""
    product: Product | None = None


class InsufficientStock(DomainError):
    """Not enough stock. Each shortage is `{"product", "name", "requested", "available"}`."""

    def __init__(self, shortages: list[dict[str, Any]]) -> None:
        names = ", ".join(f"{row['name']} ({row['available']} of {row['requested']})" for row in shortages)
        super().__init__("insufficient-stock", f"There is not enough in stock: {names}.", shortages=shortages)


def check(*, wanted: StockRequest) -> None:
    """Check that the stock suffices, without reserving it: checkout decides. Raises InsufficientStock."""
    shortages = _shortages([wanted])
    if shortages:
        raise InsufficientStock(shortages)


@transaction.atomic(savepoint=False)
def sell(*, wanted: Iterable[StockRequest], order_number: str, user: RequestUser | None) -> None:
    """Sell everything in `wanted`, or nothing. Raises InsufficientStock with all shortages.

    Requests for one product are added up first. Products that the caller has not locked are locked here, in
    primary-key order, against deadlocks; the condition in the UPDATE alone prevents overselling.
    """
    totals = _with_products(_totals(wanted))
    now = timezone.now()
    short = [row for row in totals if row.product_id is None]
    for row in totals:
        if row.product_id is not None and not subtract(row.product_id, row.quantity, now):
            short.append(row)
    if short:
        raise InsufficientStock(_shortages(short))
    leads.crossed_zero(
        (row.product.family_id, row.product.quantity, row.product.quantity - row.quantity)
        for row in totals
        if row.product is not None
    )
    _record([(row.product_id, row.sku, -row.quantity) for row in totals], Reason.SALE, _id(user), order_number)


@transaction.atomic
def restock(*, quantities: dict[int, int], order_number: str, user: RequestUser | None) -> None:
    """Put `{product id: pieces}` of a cancelled order back in stock. Deleted products are skipped.

    All pieces are the order's movement. What is beyond the largest quantity goes out again by a correction, which is
    none of the order's: so that the order's movements say what it holds.
    """
    changes, beyond, crossings = [], [], []
    for product in Product.objects.select_for_update().filter(pk__in=quantities).order_by("pk"):
        pieces = quantities[product.pk]
        quantity = min(product.quantity + pieces, QUANTITY_MAX)
        _write(product.pk, quantity)
        changes.append((product.pk, product.sku, pieces))
        crossings.append((product.family_id, product.quantity, quantity))
        if over := product.quantity + pieces - quantity:
            beyond.append((product.pk, product.sku, -over))
    leads.crossed_zero(crossings)
    _record(changes, Reason.RESTOCK, _id(user), order_number)
    if beyond:
        _record(beyond, Reason.CORRECTION, _id(user))


@transaction.atomic(savepoint=False)
def set_quantity(*, product_id: int, quantity: int, user: RequestUser | None) -> None:
    """Set the quantity to `quantity`, whatever was sold since it was read. Raises DomainError `not-found`."""
    sku, current, family_id = locked_product(product_id)
    if quantity != current:
        _write(product_id, quantity)
        leads.crossed_zero([(family_id, current, quantity)])
        _record([(product_id, sku, quantity - current)], Reason.CORRECTION, _id(user))


@transaction.atomic
def adjust(*, product_id: int, delta: int, user: RequestUser | None) -> None:
    """Add `delta` to the quantity. Raises InvalidValue if the result is out of range, and DomainError `not-found`."""
    sku, current, family_id = locked_product(product_id)
    quantity = current + delta
    if error := out_of_range(quantity):
        raise error
    if delta:
        _write(product_id, quantity)
        leads.crossed_zero([(family_id, current, quantity)])
        _record([(product_id, sku, delta)], Reason.CORRECTION, _id(user))


@transaction.atomic
def adjust_many(
    *,
    deltas: Sequence[tuple[Product, int]],
    user_id: int | None,
    reason: str = Reason.CORRECTION,
    note: str = "",
    also: Collection[str] = (),
) -> None:
    """Add to the quantities of products that the caller has locked and read, and that are each named once.

    The movements have the reason, which is a correction or a restock, and the note. The caller has checked the
    results: `out_of_range`. `also` are further fields that the caller has set, which the same statement writes; then
    a delta can be 0.
    """
    changed = [(product, delta) for product, delta in deltas if delta]
    written = [product for product, delta in deltas if delta or also]
    now = timezone.now()
    for product in written:
        product.updated_at = now
    for product, delta in changed:
        product.quantity += delta
    OVERWRITE.all(written, {"quantity", "updated_at", *also})
    leads.crossed_zero((product.family_id, product.quantity - delta, product.quantity) for product, delta in changed)
    if changed:
        _record([(product.pk, product.sku, delta) for product, delta in changed], reason, user_id, note=note)


def out_of_range(quantity: int) -> InvalidValue | None:
    """The error of a quantity that no product can have."""
    if 0 <= quantity <= QUANTITY_MAX:
        return None
    return InvalidValue("quantity", "out_of_range", f"The quantity would be {quantity}.")


@transaction.atomic
def reconcile(*, product_id: int) -> int:
    """Write the missing movement of a product whose quantity differs from its ledger. The quantity stays.

    Returns the movement's delta; 0 if nothing differs, or the product was deleted.
    """
    product = Product.objects.select_for_update().filter(pk=product_id).first()
    if product is None:
        return 0
    recorded = StockMovement.objects.filter(product=product).aggregate(sum=Sum("delta"))["sum"] or 0
    if delta := product.quantity - recorded:
        _record([(product.pk, product.sku, delta)], Reason.CORRECTION, None)
    return delta


def record_initial(*, products: Iterable[Product]) -> None:
    """Write the first movement of new products."""
    StockMovement.objects.bulk_create(
        [
            StockMovement(product=product, sku=product.sku, delta=product.quantity, reason=Reason.INITIAL)
            for product in products
        ]
    )


def subtract(product_id: int, quantity: int, now: datetime) -> bool:
    """Subtract `quantity` if that many are in stock. Returns whether they were."""
    return bool(SUBTRACT.run(product=product_id, pieces=quantity, now=now))


def _totals(wanted: Iterable[StockRequest]) -> list[StockRequest]:
    """One request per product, in primary-key order; requests for deleted products follow, unmerged."""
    totals: Counter[int] = Counter()
    by_product: dict[int, StockRequest] = {}
    deleted = []
    for row in wanted:
        if row.product_id is None:
            deleted.append(row)
        else:
            totals[row.product_id] += row.quantity
            by_product[row.product_id] = row
    return [replace(by_product[pk], quantity=totals[pk]) for pk in sorted(totals)] + deleted


def _with_products(wanted: list[StockRequest]) -> list[StockRequest]:
    """The requests with their products, locked."""
    unread = [row.product_id for row in wanted if row.product is None and row.product_id is not None]
    if not unread:
        return wanted
    read = {row.pk: row for row in Product.objects.select_for_update().filter(pk__in=unread).order_by("pk")}
    return [row if row.product else replace(row, product=read.get(row.product_id or 0)) for row in wanted]


def _shortages(wanted: list[StockRequest]) -> list[dict[str, Any]]:
    stock = dict(IN_STOCK.of_list([row.product_id for row in wanted if row.product_id is not None]))
    shortages = []
    for row in wanted:
        available = stock.get(row.product_id, 0) if row.product_id is not None else 0
        if available < row.quantity:
            shortages.append(
                {"product": row.product_id, "name": row.name, "requested": row.quantity, "available": available}
            )
    return shortages


def locked_product(product_id: int) -> tuple[str, int, int | None]:
    """Lock a product's row and return its SKU, quantity and family. Raises DomainError `not-found`."""
    locked = Product.objects.select_for_update().filter(pk=product_id)
    row = locked.values_list("sku", "quantity", "family_id").first()
    if row is None:
        raise DomainError("not-found", "There is no such product.")
    return row


def _id(user: RequestUser | None) -> int | None:
    return user.pk if user else None


def _write(product_id: int, quantity: int) -> None:
    Product.objects.filter(pk=product_id).update_without_invalidation(quantity=quantity, updated_at=timezone.now())


def _record(
    changes: Iterable[tuple[int | None, str, int]],
    reason: str,
    user_id: int | None,
    order_number: str = "",
    note: str = "",
) -> None:
    """Write one movement for each `(product id, SKU, delta)`."""
    changes = list(changes)
    shared = {"reason": reason, "order_number": order_number, "note": note, "user_id": user_id}
    INSERT_MOVEMENT.rows(("product", "sku", "delta"), changes, **shared)
    caching.stock_changed(pk for pk, _, _ in changes)
