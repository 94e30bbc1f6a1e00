"""Verifies the rollups of sales: computes each day again from its orders."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from backoffice.dashboard import rollups, sales
from backoffice.models import ProductSalesDay, SalesCheck, SalesDay
from productbackend.database import verification
from productbackend.site.days import Days
from products.models import Product

SLICE = 10  # days that one run of the job checks


@dataclass(frozen=True)
class Comparison:
    """A day, and what of its rollup differs from its orders."""

    day: date
    differences: list[str]

    @property
    def pk(self) -> int:
        return self.day.toordinal()

    @property
    def is_correct(self) -> bool:
        return not self.differences

    def __str__(self) -> str:
        return f"sales of {self.day}: {', '.join(self.differences)}"


def compare(day: date) -> Comparison:
    """Compare a day's rollup with its orders. One that is due to be computed again is not wrong."""
    differences = _differences(day)
    if differences and day in rollups.due_days(Days(day, day)):
        differences = []
    return Comparison(day, differences)


def comparisons(after: int = 0) -> Iterator[Comparison]:
    """Compare the days of the window after the day with the ordinal `after`, oldest first."""
    days = rollups.window()
    rows = SalesDay.objects.filter(day__range=(days.first, days.last)).order_by("day")
    if after:
        rows = rows.filter(day__gt=date.fromordinal(after))
    return (compare(day) for day in list(rows.values_list("day", flat=True)))


def check_next_slice() -> None:
    """Verify the next slice of days."""
    verification.check_next_slice(SalesCheck, comparisons, SLICE)


def drift() -> int:
    """How many days differ from their orders."""
    return verification.wrong_rows(SalesCheck)


def checked_at() -> float:
    """When the last check of all days was completed; 0 for never."""
    return verification.checked_at(SalesCheck)


def _differences(day: date) -> list[str]:
    row = SalesDay.objects.filter(day=day).first()
    if row is None:
        return []  # the window has moved on
    found, counted = sales.figures_and_pieces(sales.sold(Days(day, day)))
    stored = sales.Figures(row.orders, row.revenue, row.pieces)
    differences = [
        f"{name} {getattr(stored, name)} instead of {getattr(found, name)}"
        for name in ("orders", "revenue", "pieces")
        if getattr(stored, name) != getattr(found, name)
    ]
    rolled = dict(ProductSalesDay.objects.filter(day=day).values_list("product", "pieces"))
    wrong = {pk for pk in {*rolled, *counted} if rolled.get(pk) != counted.get(pk)}
    for pk in Product.objects.filter(pk__in=wrong).order_by("pk").values_list("pk", flat=True):
        differences.append(f"{rolled.get(pk, 0)} pieces of product {pk} instead of {counted.get(pk, 0)}")
    return differences
