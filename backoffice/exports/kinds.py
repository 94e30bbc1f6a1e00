"""What can be exported: the columns of each kind of file, and their values, read for many rows together."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from django.db.models import Model, Prefetch

from backoffice.cells import category_path
from orders.models import Order, OrderLine
from payments.models import Payment
from productbackend.database.fields import fold
from products.models import Category, Family, Product, category_names

Cell = str | int | Decimal
Row = Sequence[Cell]
TRUTHS = {True: "true", False: "false"}
PRODUCT_COLUMNS = (
    "sku", "name", "brand", "description", "category", "price", "quantity", "is_active", "tax_class", "family",
)  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """A kind of export.

    `rows` reads the rows with these ids, by ascending id; one that was deleted meanwhile is missing.
    """

    name: str
    model: type[Model]
    columns: tuple[str, ...]
    rows: Callable[[Sequence[int]], Iterator[Row]]


# --- Products and their stock -------------------------------------------------------------------


def _category_paths(ids: set[int]) -> dict[int, str]:
    lineages = dict(Category.objects.filter(pk__in=ids).values_list("pk", "lineage"))
    return {pk: category_path(names) for pk, names in category_names(Category.objects.all(), lineages).items()}


def _products(ids: Sequence[int], *, axes: Collection[str] = ()) -> Iterator[Row]:
    """`axes` are those that have a column, as they are folded."""
    products = list(Product.objects.filter(pk__in=ids).order_by("pk").values(*PRODUCT_COLUMNS, "options"))
    paths = _category_paths({each["category"] for each in products if each["category"] is not None})
    members = {each["family"] for each in products if each["family"] is not None}
    slugs = dict(Family.objects.filter(pk__in=members).order_by().values_list("pk", "slug")) if members else {}
    for each in products:
        each["category"] = paths.get(each["category"], "")
        each["is_active"] = TRUTHS[each["is_active"]]
        each["family"] = slugs.get(each["family"], "")
        options = {fold(axis): value for axis, value in each["options"].items()}
        yield [*(each[name] for name in PRODUCT_COLUMNS), *(options.get(axis, "") for axis in axes)]


def _stock(ids: Sequence[int]) -> Iterator[Row]:
    yield from Product.objects.filter(pk__in=ids).order_by("pk").values_list("sku", "quantity")


PRODUCTS = Kind("products", Product, PRODUCT_COLUMNS, _products)
STOCK = Kind("stock", Product, ("sku", "quantity"), _stock)


def with_options(kind: Kind) -> Kind:
    """The kind; of products with a column for each axis of the families that there are now."""
    if kind is not PRODUCTS:
        return kind
    axes: dict[str, str] = {}
    for names in Family.objects.order_by().values_list("axes", flat=True).distinct().iterator():
        for name in names:
            axes.setdefault(fold(name), name)
    columns = (*PRODUCT_COLUMNS, *(f"option:{name}" for name in axes.values()))
    return replace(kind, columns=columns, rows=partial(_products, axes=tuple(axes)))


# --- Orders -------------------------------------------------------------------------------------


def time_text(time: datetime | None) -> str:
    """ISO 8601 in UTC, as in the API, without fractions of seconds; empty if there is none."""
    return "" if time is None else time.replace(microsecond=0).isoformat().replace("+00:00", "Z")


def _tax_lines(order: Order) -> str:
    """Each rate with the net amount and its tax, such as `19% 16.72 3.18; 7% 4.67 0.33`."""
    return "; ".join(f"{each.rate.normalize():f}% {each.net:.2f} {each.tax:.2f}" for each in order.amounts.tax_lines)


# Column -> its value, from an order and the payments that brought its money.
ORDER_CELLS: dict[str, Callable[[Order, list[tuple[str, str]]], Cell]] = {
    "number": lambda order, payments: order.number,
    "status": lambda order, payments: order.status,
    "created_at": lambda order, payments: time_text(order.created_at),
    "paid_at": lambda order, payments: time_text(order.paid_at),
    "updated_at": lambda order, payments: time_text(order.updated_at),
    "email": lambda order, payments: order.email,
    "billing_name": lambda order, payments: _billing(order, "name"),
    "billing_company": lambda order, payments: _billing(order, "company"),
    "billing_country": lambda order, payments: _billing(order, "country"),
    "shipping_country": lambda order, payments: order.shipping_country,  # type: ignore[attr-defined]
    "currency": lambda order, payments: order.currency,
    "prices_include_tax": lambda order, payments: TRUTHS[order.prices_include_tax],
    "items": lambda order, payments: order.amounts.items,
    "delivery": lambda order, payments: order.amounts.delivery,
    "net": lambda order, payments: order.total - order.tax,
    "tax": lambda order, payments: order.tax,
    "total": lambda order, payments: order.total,
    "refunded": lambda order, payments: order.refunded,
    "tax_lines": lambda order, payments: _tax_lines(order),
    "delivery_method": lambda order, payments: order.delivery_code,
    "payment_method": lambda order, payments: ", ".join(dict.fromkeys(method for method, _ in payments)),
    "payment_reference": lambda order, payments: ", ".join(reference for _, reference in payments if reference),
}


# What is read of an order: a row has three times as many columns, some of them large.
ORDER_COLUMNS = (
    "number", "status", "created_at", "paid_at", "updated_at", "email", "currency", "prices_include_tax", "total",
    "tax", "refunded", "delivery_code", "delivery_price", "delivery_tax_rate",
    *(f"{prefix}_{part}" for prefix in ("billing", "shipping") for part in ("name", "company", "country")),
)  # fmt: skip


def _billing(order: Order, part: str) -> str:
    """A part of the billing address, which without a country is none: then of the shipping address."""
    prefix = "billing" if order.billing_country else "shipping"  # type: ignore[attr-defined]
    value: str = getattr(order, f"{prefix}_{part}")
    return value


def _orders(ids: Sequence[int]) -> Iterator[Row]:
    lines = OrderLine.objects.order_by("pk").only("order_id", "unit_price", "quantity", "tax_rate")
    orders: Any = Order.objects.filter(pk__in=ids).order_by("pk").only(*ORDER_COLUMNS)
    payments: dict[int, list[tuple[str, str]]] = defaultdict(list)
    succeeded = Payment.objects.filter(order__in=ids, status=Payment.Status.SUCCEEDED).order_by("pk")
    for order_id, method, reference in succeeded.values_list("order_id", "method", "reference"):
        payments[order_id].append((method, reference or ""))
    for order in orders.prefetch_related(Prefetch("lines", lines)):
        yield [write(order, payments.get(order.pk, [])) for write in ORDER_CELLS.values()]


ORDERS = Kind("orders", Order, tuple(ORDER_CELLS), _orders)
KINDS = {kind.name: kind for kind in (PRODUCTS, STOCK, ORDERS)}
