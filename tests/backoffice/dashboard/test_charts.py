"""Bars of the charts."""

from decimal import Decimal

from backoffice.dashboard.charts import bars


def test_bars_are_as_high_as_their_values() -> None:
    found = bars([Decimal("50.00"), Decimal(0), Decimal("100.00"), Decimal("0.01"), Decimal(-3)])
    assert [bar.height for bar in found] == ["50.00", "0.00", "100.00", "1.00", "0.00"]
    assert [bar.y for bar in found] == ["50.00", "100.00", "0.00", "99.00", "100.00"]
    assert [bar.x for bar in found] == ["6.00", "66.00", "126.00", "186.00", "246.00"]
    assert {bar.width for bar in found} == {"48.00"}


def test_values_that_are_all_zero_have_no_bars() -> None:
    assert {bar.height for bar in bars([0, 0])} == {"0.00"}
    assert bars([]) == []
