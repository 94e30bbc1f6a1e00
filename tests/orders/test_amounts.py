"""All sums hold to the cent: random orders against a second implementation, in whole cents and fractions.

AMOUNTS_CARTS sets the number of random orders; `make test-services` computes 100,000.
"""

import os
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import floor
from random import Random

import pytest

from orders.amounts import Amounts, Charge, amounts

CARTS = int(os.environ.get("AMOUNTS_CARTS", "10000"))
RATE_MAX = 270_000  # 27 % in ten-thousandths
FEW_RATES = [0, 55_000, 70_000, 190_000, 200_000, 210_000, 270_000]

Line = tuple[int, int | None]  # cents, and ten-thousandths of a percent


@dataclass
class Sums:
    """The second implementation: everything in whole cents."""

    items: int
    delivery: int
    tax: int
    total: int
    line_taxes: list[int]
    by_rate: dict[int, list[int]]  # net and tax


def half_up(value: Fraction) -> int:
    return floor(value + Fraction(1, 2))


def in_cents(lines: list[Line], delivery: Line | None, *, included: bool) -> Sums:
    taxes: list[int] = []
    by_rate: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for cents, rate in [*lines, delivery] if delivery else lines:
        if rate is None:
            taxes.append(0)
            continue
        factor = Fraction(rate, 1_000_000)
        tax = half_up(cents * factor / (1 + factor) if included else cents * factor)
        taxes.append(tax)
        by_rate[rate][0] += cents - tax if included else cents
        by_rate[rate][1] += tax
    items, carriage = sum(cents for cents, _ in lines), delivery[0] if delivery else 0
    total = items + carriage + (0 if included else sum(taxes))
    return Sums(items, carriage, sum(taxes), total, taxes[: len(lines)], dict(by_rate))


def charge(line: Line) -> Charge:
    cents, rate = line
    return Charge(Decimal(cents).scaleb(-2), None if rate is None else Decimal(rate).scaleb(-4))


def cents(amount: Decimal) -> int:
    assert amount.as_tuple().exponent == -2, amount
    return int(amount.scaleb(2))


def compare(found: Amounts, expected: Sums) -> None:
    assert cents(found.items) == expected.items
    assert cents(found.delivery) == expected.delivery
    assert cents(found.tax) == expected.tax == sum(cents(line.tax) for line in found.tax_lines)
    assert cents(found.total) == expected.total
    assert [cents(line.tax) for line in found.lines] == expected.line_taxes
    assert [(int(line.rate.scaleb(4)), cents(line.net), cents(line.tax)) for line in found.tax_lines] == [
        (rate, *expected.by_rate[rate]) for rate in sorted(expected.by_rate)
    ]


def check(lines: list[Line], delivery: Line | None, *, included: bool) -> Amounts:
    found = amounts(
        [charge(line) for line in lines], charge(delivery) if delivery else None, prices_include_tax=included
    )
    compare(found, in_cents(lines, delivery, included=included))
    return found


def random_rate(random: Random) -> int | None:
    kind = random.random()
    if kind < 0.05:
        return None
    return random.choice(FEW_RATES) if kind < 0.5 else random.randint(0, RATE_MAX)


def random_line(random: Random) -> Line:
    price = random.randint(0, 10 ** random.randint(1, 10) - 1)  # up to 99999999.99
    return price * random.randint(1, 10 ** random.randint(0, 3)), random_rate(random)


@pytest.mark.thorough
@pytest.mark.parametrize("included", [True, False], ids=["gross", "net"])
def test_random_orders(included: bool) -> None:
    random = Random(17 + included)
    for _ in range(CARTS // 2):
        lines = [random_line(random) for _ in range(random.randint(1, 5))]
        delivery = (random.randint(0, 9_999), random_rate(random)) if random.random() < 0.7 else None
        check(lines, delivery, included=included)


def as_texts(found: Amounts) -> tuple[str, ...]:
    return tuple(str(amount) for amount in (found.items, found.delivery, found.tax, found.total))


def test_tax_in_three_amounts_at_21_percent() -> None:
    found = check([(4_500, 210_000), (4_900, 210_000)], (496, 210_000), included=True)
    assert as_texts(found) == ("94.00", "4.96", "17.17", "98.96")
    assert [str(line.tax) for line in found.lines] == ["7.81", "8.50"]
    assert [(str(line.net), str(line.tax)) for line in found.tax_lines] == [("81.79", "17.17")]


@pytest.mark.parametrize(
    ("cents", "included", "tax", "total"),
    [
        (2, False, "0.00", "0.10"),  # 0.004 a line; 0.02 of the sum
        (3, False, "0.05", "0.20"),  # 0.006 a line; 0.03 of the sum
        (99, False, "1.00", "5.95"),  # 0.198 a line; 0.99 of the sum
        (3, True, "0.05", "0.15"),  # exactly half a cent a line
        (99, True, "0.85", "4.95"),  # 0.165 a line, half up; 0.83 of the sum
    ],
)
def test_five_small_lines_at_20_percent(cents: int, included: bool, tax: str, total: str) -> None:
    found = check([(cents, 200_000)] * 5, None, included=included)
    assert as_texts(found)[2:] == (tax, total)


def test_no_lines_no_rate_and_a_rate_of_0() -> None:
    assert as_texts(check([], None, included=True)) == ("0.00", "0.00", "0.00", "0.00")
    found = check([(1_000, None), (500, 0)], (490, None), included=False)
    assert as_texts(found) == ("15.00", "4.90", "0.00", "19.90")
    assert [(str(line.rate), str(line.net)) for line in found.tax_lines] == [("0.0000", "5.00")]


@pytest.mark.parametrize("included", [True, False])
def test_amounts_of_20_digits(included: bool) -> None:
    most = 9_999_999_999 * (2**31 - 1)
    for rate in (1, 70_000, 123_457, RATE_MAX, 1_000_000):
        check([(most, rate), (most - 1, rate), (most, rate), (most, rate)], (9_999_999_999, rate), included=included)


def test_the_comparison_finds_a_cent() -> None:
    """The control: a wrong cent anywhere is found."""
    expected = in_cents([(4_500, 210_000), (999, 70_000)], (496, 210_000), included=True)
    found = amounts([charge((4_500, 210_000)), charge((999, 70_000))], charge((496, 210_000)), prices_include_tax=True)
    compare(found, expected)
    for name in ("items", "delivery", "tax", "total"):
        wrong = Sums(**{**vars(expected), name: getattr(expected, name) + 1})
        with pytest.raises(AssertionError):
            compare(found, wrong)
