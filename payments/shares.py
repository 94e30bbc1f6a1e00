"""What pieces of an order's line, and its delivery, cost with their tax: pure functions."""

from decimal import ROUND_HALF_UP, Decimal

from orders.models import Order, OrderLine
from taxes.sums import CENT, EXACT

ZERO = Decimal("0.00")


def line_total(order: Order, line: OrderLine) -> Decimal:
    """What a line costs, with the tax if prices do not include it."""
    return line.line_total if order.prices_include_tax else line.line_total + line.tax


def delivery_total(order: Order) -> Decimal:
    """What the delivery costs: all of the total that the lines are not."""
    return order.total - sum((line_total(order, line) for line in order.items), ZERO)


def share(total: Decimal, *, bought: int, before: int, pieces: int, refunded: Decimal) -> Decimal:
    """Return the part of a line's `total` for `pieces` of the `bought` ones.

    `before` pieces were refunded already, for `refunded` together. The last pieces take what is left of the total, so
    that all refunds of a line sum up to it.
    """
    after = before + pieces
    if after >= bought:
        return total - refunded
    cumulated = EXACT.divide(EXACT.multiply(total, Decimal(after)), Decimal(bought)).quantize(CENT, ROUND_HALF_UP)
    return max(ZERO, cumulated - refunded)
