"""The arithmetic of taxes: exact to the cent, whatever the amounts."""

from decimal import Decimal

import pytest

from taxes.sums import TaxLine, tax_lines, taxed

pytestmark = pytest.mark.embedded


def d(text: str) -> Decimal:
    return Decimal(text)


@pytest.mark.parametrize(
    ("amount", "rate", "included", "tax", "net"),
    [
        ("119.00", "19", True, "19.00", "100.00"),
        ("100.00", "19", False, "19.00", "100.00"),
        ("45.00", "21", True, "7.81", "37.19"),
        ("49.00", "21", True, "8.50", "40.50"),
        ("4.96", "21", True, "0.86", "4.10"),
        # Exactly half a cent is rounded up, also where the cent before is even.
        ("0.03", "20", True, "0.01", "0.02"),
        ("0.15", "20", True, "0.03", "0.12"),
        ("0.025", "20", False, "0.01", "0.025"),
        ("0.50", "5", False, "0.03", "0.50"),
        ("0.10", "4.9999", False, "0.00", "0.10"),
        ("0.10", "5.0000", False, "0.01", "0.10"),
        ("10.00", "0", True, "0.00", "10.00"),
        ("10.00", "100", True, "5.00", "5.00"),
        ("0.00", "19", False, "0.00", "0.00"),
        ("999999999999999999.99", "19", True, "159663865546218487.39", "840336134453781512.60"),
        ("999999999999999999.99", "27.1235", True, "213363382852108382.79", "786636617147891617.20"),
        ("999999999999999999.99", "100", False, "999999999999999999.99", "999999999999999999.99"),
    ],
)
def test_tax_is_exact_and_rounded_half_up(amount: str, rate: str, included: bool, tax: str, net: str) -> None:
    found = taxed(d(amount), d(rate), included=included)
    assert (found.tax, found.net, found.rate) == (d(tax), d(net), d(rate))
    if included:
        assert found.net + found.tax == d(amount)


def test_without_a_rate_there_is_no_tax() -> None:
    for included in (True, False):
        found = taxed(d("19.90"), None, included=included)
        assert (found.rate, found.tax, found.net) == (None, d("0.00"), d("19.90"))
        assert tax_lines([found]) == []


def test_each_sum_is_a_sum_of_rounded_lines() -> None:
    lines = [taxed(d(amount), d("21"), included=True) for amount in ("45.00", "49.00", "4.96")]
    assert tax_lines(lines) == [TaxLine(d("21"), d("81.79"), d("17.17"))]
    # 20 % of the sum would be 0.03.
    small = [taxed(d("0.03"), d("20"), included=False)] * 5
    assert tax_lines(small) == [TaxLine(d("20"), d("0.15"), d("0.05"))]
    small = [taxed(d("0.03"), d("20"), included=True)] * 5
    assert tax_lines(small) == [TaxLine(d("20"), d("0.10"), d("0.05"))]


def test_there_is_one_line_a_rate_however_it_is_written() -> None:
    amounts = [("10.00", "19"), ("10.00", "7.0000"), ("10.00", "19.0000"), ("10.00", "7"), ("5.00", "0")]
    lines = tax_lines(taxed(d(amount), d(rate), included=False) for amount, rate in amounts)
    assert [(line.rate, line.net, line.tax) for line in lines] == [
        (d("0"), d("5.00"), d("0.00")),
        (d("7"), d("20.00"), d("1.40")),
        (d("19"), d("20.00"), d("3.80")),
    ]
