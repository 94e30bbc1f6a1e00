"""Days in the shop's time zone, where clocks change and where midnight is skipped."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from productbackend.site.days import Days, day_of

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("UTC", "2026-10-25", 24),
        ("Europe/Berlin", "2026-03-29", 23),
        ("Europe/Berlin", "2026-10-25", 25),
        ("America/New_York", "2026-11-01", 25),
        ("Australia/Lord_Howe", "2026-04-05", 24.5),
        ("America/Santiago", "2026-09-06", 23),  # begins at 1:00
        ("America/Havana", "2026-11-01", 25),  # 0:00 to 1:00 twice
    ],
)
def test_a_day_begins_and_ends_when_the_shops_does(settings: Any, zone: str, day: str, hours: float) -> None:
    settings.SHOP_TIME_ZONE = zone
    days = Days.parse(day)
    assert days.end - days.start == hours * HOUR
    second = timedelta(seconds=1)
    assert [f"{day_of(moment)}" for moment in (days.start, days.end - second)] == [day, day]
    assert day_of(days.start - second) == days.first - timedelta(days=1)
    assert day_of(days.end) == days.first + timedelta(days=1)


def test_days_are_written_and_parsed() -> None:
    week = Days.until(date(2026, 11, 27), 7)
    assert (str(week), len(week), next(iter(week))) == ("2026-11-21..2026-11-27", 7, date(2026, 11, 21))
    assert Days.parse(str(week)) == week
    assert Days.parse("2026-11-27") == Days(date(2026, 11, 27), date(2026, 11, 27))
    assert week.range("created_at") == {
        "created_at__gte": datetime(2026, 11, 21, tzinfo=UTC),
        "created_at__lt": datetime(2026, 11, 28, tzinfo=UTC),
    }
    for text in ("", "soon", "2026-02-30", "2026-11-27..2026-11-26", "..", "9999-12-31", "0001-01-01", "2026-11-27\0"):
        with pytest.raises(ValueError, match=r"."):
            Days.parse(text)
