"""Arithmetic of taxes: pure functions on Decimal. Every amount of tax is rounded once, half up, to two decimals."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal

CENT = Decimal("0.01")
# An amount has 20 digits and a rate 7. The default context keeps 28: it would round the quotient before half up does.
EXACT = Context(prec=60)


@dataclass(frozen=True)
class Taxed:
    """One amount with its tax. `amount` is as the price says: with the tax in it if prices include tax, else without.

    `rate` is in percent; None if no rate fits, which is shown differently from a rate of 0.
    """

    amount: Decimal
    rate: Decimal | None
    tax: Decimal
    net: Decimal


@dataclass(frozen=True)
class TaxLine:
    """The sums of all amounts with one rate."""

    rate: Decimal
    net: Decimal
    tax: Decimal


def taxed(amount: Decimal, rate: Decimal | None, *, included: bool) -> Taxed:
    """Return `amount` with its tax at `rate` percent: taken out of it if `included`, else to be added."""
    if rate is None:
        return Taxed(amount, None, Decimal("0.00"), amount)
    share = EXACT.divide(EXACT.multiply(amount, rate), 100 + rate if included else Decimal(100))
    tax = share.quantize(CENT, ROUND_HALF_UP)
    return Taxed(amount, rate, tax, amount - tax if included else amount)


def tax_lines(amounts: Iterable[Taxed]) -> list[TaxLine]:
    """Return one line for each rate, ascending, with the sums of the rounded amounts."""
    sums: dict[Decimal, tuple[Decimal, Decimal]] = {}
    for each in amounts:
        if each.rate is not None:
            net, tax = sums.get(each.rate, (Decimal("0.00"), Decimal("0.00")))
            sums[each.rate] = net + each.net, tax + each.tax
    return [TaxLine(rate, *sums[rate]) for rate in sorted(sums)]
