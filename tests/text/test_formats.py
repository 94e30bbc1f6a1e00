"""Amounts and rates as people read them."""

from decimal import Decimal

import pytest

from productbackend.text.formats import decimal_comma, money, percent


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("0", "0.00 EUR"),
        ("1234.5", "1,234.50 EUR"),
        ("999999999999999999.99", "999,999,999,999,999,999.99 EUR"),
    ],
)
def test_amounts(amount: str, shown: str) -> None:
    assert money(Decimal(amount), "EUR") == shown


@pytest.mark.parametrize(("rate", "shown"), [("20.0000", "20 %"), ("7.7000", "7.7 %"), ("0.0000", "0 %")])
def test_rates(rate: str, shown: str) -> None:
    assert percent(Decimal(rate)) == shown


def test_a_decimal_comma() -> None:
    assert decimal_comma(money(Decimal("1234567.89"), "€")) == "1.234.567,89 €"
