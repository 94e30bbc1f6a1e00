"""Bars of a chart as an SVG. It is stretched to the width of the page: the text stands outside of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.html import format_html_join
from django.utils.safestring import SafeString

WIDTH, HEIGHT = 300, 100  # of the view box
GAP = 0.2  # of a bar's share of the width
LEAST = 1.0  # the height of the smallest bar that is not zero
# The page has a table with the same links for those who see no chart or use no mouse.
BAR = (
    '<a href="{}" tabindex="-1"><title>{}</title><rect class="area" x="{}" y="0" width="{}" height="100"/>'
    '<rect class="{}" x="{}" y="{}" width="{}" height="{}"/></a>'
)


@dataclass(frozen=True)
class Bar:
    """A value, with the text that the mouse shows, and the list behind it."""

    value: Decimal | int
    text: str
    url: str
    css: str = "bar"


def draw(bars: Sequence[Bar]) -> SafeString:
    """The bars from left to right. The largest value has the full height, and zero or less has none."""
    most, share = max((bar.value for bar in bars), default=0), WIDTH / max(1, len(bars))
    width = f"{share * (1 - GAP):.2f}"
    rows = []
    for number, bar in enumerate(bars):
        height = max(LEAST, float(bar.value / most) * HEIGHT) if bar.value > 0 else 0.0
        x = f"{number * share + share * GAP / 2:.2f}"
        rows.append((bar.url, bar.text, x, width, bar.css, x, f"{HEIGHT - height:.2f}", width, f"{height:.2f}"))
    return format_html_join("\n", BAR, rows)
