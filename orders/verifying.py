"""Verifies orders: computes the amounts of each again, from its lines and delivery as they were at checkout."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Context, Decimal

from django.db import connection
from django.db.models import Prefetch

from orders.models import Order, OrderCheck, OrderLine
from productbackend.database import verification

BATCH = 200
SLICE = 10_000  # orders that one run of the job checks: about two seconds of a processor
ORDER_COLUMNS = (
    "number", "total", "tax", "prices_include_tax", "delivery_code", "delivery_price", "delivery_tax_rate",
)  # fmt: skip
SQLITE = Context(prec=15)
LINE_COLUMNS = ("order", "sku", "unit_price", "quantity", "tax_rate", "tax")


@dataclass(frozen=True)
class Comparison:
    """An order, and what of its stored amounts differs from the computed ones."""

    pk: int
    number: str
    differences: list[str]

    @property
    def is_correct(self) -> bool:
        return not self.differences

    def __str__(self) -> str:
        return f"order {self.number}: {', '.join(self.differences)}"


def compare(order: Order) -> Comparison:
    """Compare the stored amounts of an order with those of its lines and delivery."""
    costs = order.amounts
    amounts = [
        ("total", order.total, costs.total),
        ("tax", order.tax, costs.tax),
        ("delivery", order.delivery_price, costs.delivery),
        *(
            (f"tax of {line.sku}", line.tax, taxed.tax)
            for line, taxed in zip(order.items, costs.lines, strict=True)
        ),
    ]  # fmt: skip
    wrong = [
        f"{name} {stored} instead of {computed}" for name, stored, computed in amounts if _differ(stored, computed)
    ]
    return Comparison(order.pk, order.number, wrong)


def comparisons(after: int = 0) -> Iterator[Comparison]:
    """Compare the orders with a primary key above `after`, in its order, with one batch in memory at a time.

    What was written at checkout never changes: concurrent sales and status changes cause no false difference.
    """
    lines = Prefetch("lines", OrderLine.objects.only(*LINE_COLUMNS))
    orders = Order.objects.order_by("pk").only(*ORDER_COLUMNS).prefetch_related(lines)
    last = after
    while batch := list(orders.filter(pk__gt=last)[:BATCH]):
        yield from map(compare, batch)
        last = batch[-1].pk


def check_next_slice() -> None:
    """Verify the next slice of orders."""
    verification.check_next_slice(OrderCheck, comparisons, SLICE)


def drift() -> int:
    """How many orders differ from their lines."""
    return verification.wrong_rows(OrderCheck)


def checked_at() -> float:
    """When the last check of all orders was completed; 0 for never."""
    return verification.checked_at(OrderCheck)


def _differ(stored: Decimal, computed: Decimal) -> bool:
    if connection.vendor == "sqlite":  # stores floats, of which Django reads 15 digits
        computed = SQLITE.create_decimal_from_float(float(computed))
    return stored != computed
