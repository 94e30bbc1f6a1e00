"""Bars of a chart, as numbers for an SVG. It is stretched to the width of the page: the text stands outside of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

WIDTH, HEIGHT = 300, 100  # of the view box
GAP = 0.2  # of a bar's share of the width
LEAST = 1.0  # the height of the smallest bar that is not zero


@dataclass(frozen=True)
class Bar:
    x: str
    y: str
    width: str
    height: str


def bars(values: Sequence[Decimal | int]) -> list[Bar]:
    """One bar for each value, from left to right; the largest one has the full height, and zero or less has none."""
    most, share = max(values, default=0), WIDTH / max(1, len(values))
    return [
        _bar(number * share, share, float(value / most) if value > 0 else 0.0) for number, value in enumerate(values)
    ]


def _bar(left: float, share: float, part: float) -> Bar:
    height = max(LEAST, part * HEIGHT) if part else 0.0
    numbers = (left + share * GAP / 2, HEIGHT - height, share * (1 - GAP), height)
    return Bar(*(f"{number:.2f}" for number in numbers))
