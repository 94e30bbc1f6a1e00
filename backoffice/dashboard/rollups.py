"""Rollups of sales by day: each day of the window is computed again whenever one of its orders has changed.

What has changed is read from `Order.updated_at`, which moves in the transaction that changes an order. That is set
before its commit: so each run looks again at the time before the last one, for longer than a transaction can take.
"""

import time
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Sum
from django.utils import timezone

from backoffice.dashboard import sales
from backoffice.models import ProductSalesDay, SalesDay, SalesProgress
from orders.models import Order
from productbackend.database.transactions import atomic_with_retry
from productbackend.site.days import Days, day_of, today

WINDOW = 30  # days, with today
OVERLAP = timedelta(minutes=10)  # longer than any transaction, with what clocks differ
CANDIDATES = 50  # products of which the page looks which are the best sellers
RUN_SECONDS = 40.0  # of one run of the job
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def window() -> Days:
    """The days that the home page shows: the last 30, with today."""
    return Days.until(today(), WINDOW)


def basis() -> str:
    """What else a rollup depends on: another currency or time zone makes it wrong."""
    return f"{settings.CURRENCY} {settings.SHOP_TIME_ZONE}"


def due_days(days: Days, *, most: int | None = None) -> list[date]:
    """The days whose rollup is missing, or older than a change of one of its orders; the longest due first.

    At most `most` changed orders are read; if there are more, every day may be due.
    """
    rows = SalesDay.objects.filter(day__range=(days.first, days.last), basis=basis(), rolled_at__isnull=False)
    rolled: dict[date, datetime] = dict(rows.values_list("day", "rolled_at"))  # type: ignore[arg-type]
    due = {day for day in days if day not in rolled}
    if rolled:
        since = max(until() or LONG_AGO, min(rolled.values())) - OVERLAP
        changed = Order.objects.filter(updated_at__gte=since, **days.range("created_at"))
        times = changed.order_by("-updated_at").values_list("created_at", "updated_at")
        number = 0
        for created_at, updated_at in times[: most + 1 if most else None].iterator():
            number += 1
            day = day_of(created_at)
            if day not in due and updated_at >= rolled[day] - OVERLAP:
                due.add(day)
        if most and number > most:
            due.update(days)
    return sorted(due, key=lambda day: (rolled.get(day, LONG_AGO), day))


def roll_due(*, seconds: float = RUN_SECONDS) -> bool:
    """Compute the due days again, until the time is over; return whether all of them are done.

    Each day is committed by itself, and what was computed last waits longest: an interrupted run is continued by the
    next one.
    """
    started, days, deadline = timezone.now(), window(), time.monotonic() + seconds
    for day in due_days(days):
        if time.monotonic() > deadline:
            return False
        roll(day)
    for model in (SalesDay, ProductSalesDay):
        model._default_manager.filter(day__lt=days.first).delete()
    best = list(pieces_of(days).order_by("-sum", "product").values_list("product", "sum")[:CANDIDATES])
    least = best[-1][1] if len(best) == CANDIDATES else 0
    found = {"until": started, "best": [product for product, _ in best], "least": least}
    SalesProgress.objects.update_or_create(pk=1, defaults=found)
    return True


def pieces_of(days: Iterable[date]) -> Any:
    """The pieces of each product that the rollups of these days have: rows with `product` and `sum`."""
    rows = ProductSalesDay.objects.filter(day__in=[*days]).order_by()
    return rows.values("product").annotate(sum=Sum("pieces"))


def roll_all(days: Iterable[date]) -> None:
    """Compute the days again, whether or not they are due."""
    for day in days:
        roll(day)


@atomic_with_retry
def roll(day: date) -> None:
    """Compute a day from its orders. A concurrent call for the same day waits, and then reads newer orders."""
    SalesDay.objects.get_or_create(day=day)
    row = SalesDay.objects.select_for_update().get(day=day)
    row.rolled_at, row.basis = timezone.now(), basis()  # before the orders are read
    found, products = sales.figures_and_pieces(sales.sold(Days(day, day)))
    row.orders, row.revenue, row.pieces = found.orders, found.revenue, found.pieces
    row.save()
    ProductSalesDay.objects.filter(day=day).delete()
    rows = [ProductSalesDay(day=day, product_id=product, pieces=pieces) for product, pieces in products.items()]
    ProductSalesDay.objects.bulk_create(rows, batch_size=1_000)


def until() -> datetime | None:
    """Until when the rollups have all changes, but for the last minutes before; None if no run was complete."""
    return SalesProgress.objects.filter(pk=1).values_list("until", flat=True).first()
