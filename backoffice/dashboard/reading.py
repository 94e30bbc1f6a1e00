"""What the home page shows of sales: closed days from their rollups, and what has changed since from the orders."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Sum

from backoffice.dashboard import rollups, sales
from backoffice.dashboard.sales import Figures
from backoffice.models import ProductSalesDay, SalesDay
from productbackend.site.days import Days, today

DIRECT_MAX = 5_000  # orders that one view of the page adds up
BEST = 10


@dataclass(frozen=True)
class Sales:
    """The figures of each day of the window, and where they come from."""

    days: dict[date, Figures]
    direct: list[date]  # read from the orders
    rolled: list[date]  # read from their rollups
    stale: list[date]  # too many orders of theirs have changed: their rollups, or nothing, until the job has run
    stale_since: datetime | None  # when the job was complete last

    @property
    def total(self) -> Figures:
        return sum(self.days.values(), Figures())


def read(days: Days) -> Sales:
    """The sales of the days, of which today is the last."""
    due = {*rollups.due_days(days, most=DIRECT_MAX), today()} & set(days)
    counts = _counts(sorted(due, reverse=True))
    direct = {day: sales.figures(sales.sold(Days(day, day))) if number else Figures() for day, number in counts.items()}
    rows = {row.day: row for row in SalesDay.objects.filter(day__range=(days.first, days.last), basis=rollups.basis())}
    rolled = {day: Figures(row.orders, row.revenue, row.pieces) for day, row in rows.items() if day not in direct}
    stale = sorted(due - set(direct))
    figures = {day: direct.get(day) or rolled.get(day) or Figures() for day in days}
    return Sales(figures, [*direct], [*rolled], stale, rollups.until() if stale else None)


def best_sellers(found: Sales) -> list[tuple[int, int]]:
    """The products of which most pieces were sold, with the number of pieces."""
    counted: Counter[int] = Counter()
    for day in found.direct:
        if found.days[day].orders:
            counted.update(sales.pieces_by_product(sales.sold(Days(day, day))))
    sums = ProductSalesDay.objects.filter(day__in=found.rolled).order_by().values("product").annotate(sum=Sum("pieces"))
    most = sums.order_by("-sum", "product").values_list("product", "sum")[: 2 * BEST]  # some may have been deleted
    rolled = dict(most)
    # A product that is among the best neither here nor today is not among the best of both.
    rolled.update(sums.filter(product__in=[*counted]).values_list("product", "sum"))
    counted.update(rolled)
    return sorted(counted.items(), key=lambda item: (-item[1], item[0]))[: 2 * BEST]


def _counts(days: Iterable[date]) -> dict[date, int]:
    """How many orders each of the days has that count as sales, for the first days that have DIRECT_MAX together."""
    counts: dict[date, int] = {}
    left = DIRECT_MAX
    for day in days:
        number = sales.sold(Days(day, day))[: left + 1].count()
        if number > left:
            break
        counts[day] = number
        left -= number
    return counts
