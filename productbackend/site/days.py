"""Days in the shop's time zone. One has 23 or 25 hours when the clocks change."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

DAY = timedelta(days=1)
SEPARATOR = ".."
YEARS = range(1970, 9000)  # beyond them a time zone's arithmetic may overflow


def day_of(moment: datetime) -> date:
    """The day on which the moment is, in the shop's time zone."""
    return moment.astimezone(_zone()).date()


def today() -> date:
    return day_of(timezone.now())


@dataclass(frozen=True)
class Days:
    """The days from the first to the last, both included."""

    first: date
    last: date

    def __str__(self) -> str:
        """`2026-11-27`, or `2026-11-01..2026-11-27`: what `parse` reads."""
        return f"{self.first}" if self.first == self.last else f"{self.first}{SEPARATOR}{self.last}"

    def __iter__(self) -> Iterator[date]:
        return (self.first + number * DAY for number in range(len(self)))

    def __len__(self) -> int:
        return (self.last - self.first).days + 1

    @classmethod
    def until(cls, last: date, number: int) -> "Days":
        """The `number` days that end with `last`."""
        return cls(last - (number - 1) * DAY, last)

    @classmethod
    def parse(cls, text: str) -> "Days":
        """The days that the text names. Raises ValueError."""
        first, _, last = text.partition(SEPARATOR)
        days = cls(date.fromisoformat(first), date.fromisoformat(last or first))
        if days.first > days.last or not {days.first.year, days.last.year} <= set(YEARS):
            raise ValueError(f"{text!r} are no days")
        return days

    @property
    def start(self) -> datetime:
        """When the first day begins, in UTC."""
        return _midnight(self.first)

    @property
    def end(self) -> datetime:
        """When the last day ends and the next one begins, in UTC."""
        return _midnight(self.last + DAY)

    def range(self, field: str) -> dict[str, datetime]:
        """The conditions of a query for rows whose `field` is in these days."""
        return {f"{field}__gte": self.start, f"{field}__lt": self.end}


def _zone() -> ZoneInfo:
    return ZoneInfo(settings.SHOP_TIME_ZONE)


def _midnight(day: date) -> datetime:
    """The first moment of the day. Where the clocks skip midnight it is the moment of the change."""
    return datetime.combine(day, time.min, tzinfo=_zone()).astimezone(UTC)
