"""Counts by category, brand, price and rating of what a filter or a search finds."""

from collections import Counter
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet

from products.models import Category

MATCHES_MAX = 10_000
BRANDS_MAX = 100
PRICE_BOUNDS = [Decimal(bound) for bound in (0, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000)]
RATING_BOUNDS = [4, 3, 2, 1]
CENT = Decimal("0.01")


def count(products: QuerySet[Any]) -> dict[str, Any]:
    """Facets over the first 10,000 of `products`; `exact` says whether that was all.

    Every count is what the list would count with the facet's filter beside the present ones:
    a category's includes its subtree, a rating's all that is better.
    """
    columns = ("category_id", "brand_key", "brand", "price", "rating")
    rows = list(products.order_by().values_list(*columns)[: MATCHES_MAX + 1])
    exact = len(rows) <= MATCHES_MAX
    rows = rows[:MATCHES_MAX]
    return {
        "count": len(rows),
        "exact": exact,
        "categories": _categories(Counter(row[0] for row in rows if row[0] is not None)),
        "brands": _brands([(row[1], row[2]) for row in rows if row[1]]),
        "prices": _prices([row[3] for row in rows]),
        "ratings": _ratings([row[4] for row in rows]),
    }


def _categories(own: Counter[int]) -> list[dict[str, Any]]:
    totals: Counter[int] = Counter()
    for pk, lineage in Category.objects.filter(pk__in=own).values_list("pk", "lineage"):
        for ancestor in lineage.strip("/").split("/"):
            totals[int(ancestor)] += own[pk]
    found = Category.objects.filter(pk__in=totals).order_by("name_key", "id").values_list("pk", "name")
    return [{"id": pk, "name": name, "count": totals[pk]} for pk, name in found]


def _brands(brands: list[tuple[str, str]]) -> list[dict[str, Any]]:
    names = dict(reversed(brands))  # the first spelling met stands for all
    counts = Counter(key for key, _ in brands)
    ranked = sorted(counts.items(), key=lambda row: (-row[1], row[0]))
    return [{"name": names[key], "count": number} for key, number in ranked[:BRANDS_MAX]]


def _prices(prices: list[Decimal]) -> list[dict[str, Any]]:
    bands = []
    for low, high in zip(PRICE_BOUNDS, [*PRICE_BOUNDS[1:], None], strict=True):
        number = sum(1 for price in prices if low <= price and (high is None or price < high))
        if number:
            bands.append({"min": low, "max": None if high is None else high - CENT, "count": number})
    return bands


def _ratings(ratings: list[float]) -> list[dict[str, Any]]:
    counts = [{"min": low, "count": sum(1 for rating in ratings if rating >= low)} for low in RATING_BOUNDS]
    return [row for row in counts if row["count"]]
