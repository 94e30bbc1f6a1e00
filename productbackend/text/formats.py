"""How amounts and rates are written for people, in mails and on pages."""

from decimal import Decimal

SWAPPED = str.maketrans(",.", ".,")


def money(amount: Decimal, currency: str) -> str:
    """An amount with two decimals and its currency, such as 1,234.50 EUR."""
    return f"{amount:,.2f} {currency}"


def percent(rate: Decimal) -> str:
    """A rate without needless zeros, such as 19 %."""
    return f"{rate.normalize():f} %"


def decimal_comma(text: str) -> str:
    """Swap commas and points: 1,234.50 EUR becomes 1.234,50 EUR."""
    return text.translate(SWAPPED)
