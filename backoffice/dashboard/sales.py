"""What counts as sales, and their sums, read from the orders themselves.

Revenue: the totals of paid and fulfilled orders in the shop's currency, less what was refunded, by the day on which the
order was placed. Pieces: those of these orders, less those that refunds have put back in stock.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Count, DecimalField, F, OuterRef, QuerySet, Subquery, Sum

from orders.models import SOLD, Order, OrderLine
from payments.models import MoneyMovement
from productbackend.site.days import Days

CENT = Decimal("0.01")
DEFINITION = (
    "Revenue is the total of the paid and fulfilled orders that were placed on a day, less what was refunded of them; "
    "cancelled and expired orders do not count."
)


@dataclass(frozen=True)
class Figures:
    """The sums of some orders."""

    orders: int = 0
    revenue: Decimal = Decimal("0.00")
    pieces: int = 0

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(self.orders + other.orders, self.revenue + other.revenue, self.pieces + other.pieces)


def sold(days: Days) -> QuerySet[Order]:
    """The orders of these days that count as sales."""
    return Order.objects.filter(status__in=SOLD, currency=settings.CURRENCY, **days.range("created_at")).order_by()


def figures(orders: QuerySet[Order], *, product_id: int | None = None) -> Figures:
    """The sums of `orders`; the pieces are those of one product if `product_id` is given."""
    return figures_and_pieces(orders, product_id=product_id)[0]


def figures_and_pieces(orders: QuerySet[Order], *, product_id: int | None = None) -> tuple[Figures, dict[int, int]]:
    """The sums of `orders`, and how many pieces of each product were sold, without products that were deleted."""
    orders = orders.order_by()
    sums = orders.aggregate(orders=Count("pk"), total=Sum("total"), refunded=Sum("refunded"))
    if not sums["orders"]:
        return Figures(), {}
    revenue = sums["total"] - sums["refunded"]
    if sums["refunded"]:
        revenue += _overpaid(orders)
    pieces = _pieces(_lines(orders, product_id))
    by_product = {product: number for product, number in pieces.items() if product is not None and number}
    return Figures(sums["orders"], revenue.quantize(CENT), sum(pieces.values())), by_product


def _lines(orders: QuerySet[Order], product_id: int | None) -> QuerySet[OrderLine]:
    lines = OrderLine.objects.filter(order__in=orders.values("pk")).order_by()
    return lines if product_id is None else lines.filter(product=product_id)


def _pieces(lines: QuerySet[OrderLine]) -> dict[int | None, int]:
    rows: Any = lines.values("product").annotate(pieces=Sum(F("quantity") - F("restocked")))
    return dict(rows.values_list("product", "pieces"))


def _overpaid(orders: QuerySet[Order]) -> Decimal:
    """What was refunded because customers had paid more than the total: it never was revenue."""
    captures = MoneyMovement.objects.filter(order=OuterRef("pk"), kind=MoneyMovement.Kind.CAPTURE).order_by()
    captured = captures.values("order").annotate(sum=Sum("amount")).values("sum")
    rows = orders.filter(refunded__gt=0).annotate(captured=Subquery(captured, output_field=DecimalField()))
    return sum(
        (min(refunded, captured - total) for total, refunded, captured in
         rows.filter(captured__gt=F("total")).values_list("total", "refunded", "captured")),
        Decimal(0),
    )  # fmt: skip
