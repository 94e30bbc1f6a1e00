"""What the home page shows of sales: closed days from their rollups, and what has changed since from the orders."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from backoffice.dashboard import rollups, sales
from backoffice.dashboard.sales import Figures
from backoffice.models import SalesDay, SalesProgress
from productbackend.site.days import Days, today

DIRECT_MAX = 5_000  # orders that one view of the page adds up
BEST = 10
LISTED = 2 * BEST  # some may have been deleted


@dataclass(frozen=True)
class Sales:
    """The figures of each day of the window, and where they come from."""

    days: dict[date, Figures]
    direct: list[date]  # read from the orders
    fresh: Counter[int]  # the pieces of each product on these days
    rolled: list[date]  # read from their rollups
    stale: list[date]  # too many orders of theirs have changed: their rollups, or nothing, until the job has run
    stale_since: datetime | None  # when the job was complete last

    @property
    def total(self) -> Figures:
        return sum(self.days.values(), Figures())


def read(days: Days) -> Sales:
    """The sales of the days, of which today is the last."""
    due = {*rollups.due_days(days, most=DIRECT_MAX), today()} & set(days)
    direct: dict[date, Figures] = {}
    fresh: Counter[int] = Counter()
    for day, number in _counts(sorted(due, reverse=True)).items():
        direct[day], pieces = sales.figures_and_pieces(sales.sold(Days(day, day))) if number else (Figures(), {})
        fresh.update(pieces)
    rows = {row.day: row for row in SalesDay.objects.filter(day__range=(days.first, days.last), basis=rollups.basis())}
    rolled = {day: Figures(row.orders, row.revenue, row.pieces) for day, row in rows.items() if day not in direct}
    stale = sorted(due - set(direct))
    figures = {day: direct.get(day) or rolled.get(day) or Figures() for day in days}
    return Sales(figures, [*direct], fresh, [*rolled], stale, rollups.until() if stale else None)


def best_sellers(found: Sales) -> list[tuple[int, int]]:
    """The products of which most pieces were sold, with the number of pieces.

    Adding up every product takes too long. Candidates are those of the job, and those of today that can get past them.
    """
    fresh = found.fresh
    progress = SalesProgress.objects.filter(pk=1).first()
    if progress is None:
        return _best(fresh + _rolled(found))
    counted = _rolled(found, progress.best)
    counted.update({product: fresh[product] for product in progress.best})
    last = _best(counted)[-1][1] if len(counted) >= LISTED else 0
    if last < progress.least:  # other products may have more
        return _best(fresh + _rolled(found))
    others = {product: n for product, n in fresh.items() if product not in counted and n + progress.least >= last}
    if others:
        counted.update(others)
        counted.update(_rolled(found, others))
    return _best(counted)


def _rolled(found: Sales, products: Iterable[int] | None = None) -> Counter[int]:
    """The pieces that rollups have, of all products or of these."""
    rows = rollups.pieces_of(found.rolled)
    if products is not None:
        rows = rows.filter(product__in=[*products])
    return Counter(dict(rows.values_list("product", "sum")))


def _best(counted: Counter[int]) -> list[tuple[int, int]]:
    return sorted(counted.items(), key=lambda item: (-item[1], item[0]))[:LISTED]


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
