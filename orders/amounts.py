"""What an order costs: pure functions, which carts, checkout, orders and the verifier share."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from taxes.sums import Taxed, TaxLine, tax_lines, taxed

ZERO = Decimal("0.00")


@dataclass(frozen=True)
class Charge:
    """An amount as the price says, and the rate of its tax in percent; None if no rate fits."""

    amount: Decimal
    rate: Decimal | None = None


@dataclass(frozen=True)
class Amounts:
    """The sums of an order, and each of its lines with its tax. `items` and `delivery` are as the prices say."""

    items: Decimal
    delivery: Decimal
    tax: Decimal
    total: Decimal
    lines: list[Taxed]
    tax_lines: list[TaxLine]


def amounts(lines: Sequence[Charge], delivery: Charge | None = None, *, prices_include_tax: bool) -> Amounts:
    """Return what `lines` and their delivery cost: every sum is a sum of amounts that are rounded already."""
    charges = [*lines, delivery] if delivery else [*lines]
    each = [taxed(charge.amount, charge.rate, included=prices_include_tax) for charge in charges]
    items, tax = sum((line.amount for line in lines), ZERO), sum((line.tax for line in each), ZERO)
    cost = delivery.amount if delivery else ZERO
    total = items + cost if prices_include_tax else items + cost + tax
    return Amounts(items, cost, tax, total, each[: len(lines)], tax_lines(each))
