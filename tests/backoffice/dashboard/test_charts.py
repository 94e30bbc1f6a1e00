"""Bars of the charts."""

import re
from decimal import Decimal

from backoffice.dashboard.charts import Bar, draw


def drawn(*values: Decimal | int) -> list[tuple[str, ...]]:
    """x, y, width and height of each bar."""
    svg = draw([Bar(value, f"{value}", "/") for value in values])
    return re.findall(r'<rect class="bar" x="(.*?)" y="(.*?)" width="(.*?)" height="(.*?)"/>', svg)


def test_bars_are_as_high_as_their_values() -> None:
    assert drawn(Decimal("50.00"), Decimal(0), Decimal("100.00"), Decimal("0.01"), Decimal(-3)) == [
        ("6.00", "50.00", "48.00", "50.00"),
        ("66.00", "100.00", "48.00", "0.00"),
        ("126.00", "0.00", "48.00", "100.00"),
        ("186.00", "99.00", "48.00", "1.00"),
        ("246.00", "100.00", "48.00", "0.00"),
    ]
    assert [row[3] for row in drawn(0, 0)] == ["0.00", "0.00"]
    assert drawn() == []


def test_a_bar_leads_to_its_list() -> None:
    svg = draw([Bar(1, "<1>", "/?a=1&b=2", "bar today")])
    assert svg.startswith('<a href="/?a=1&amp;b=2" tabindex="-1"><title>&lt;1&gt;</title>')
    assert 'class="bar today"' in svg
