"""Counts of filtered products by category, brand, price, rating and option."""

from bisect import bisect
from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import compress
from typing import Any

from products.models import Category
from products.reads import option_facets
from products.reads.families import ENOUGH, with_families
from products.reads.option_facets import MATCHES_MAX
from products.reads.query import ProductQuery

BRANDS_MAX = 100
PRICE_BOUNDS = [Decimal(bound) for bound in (0, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000)]
RATING_BOUNDS = [4, 3, 2, 1]
CENT = Decimal("0.01")

# The columns that each facet counts, and its own filters, which it is counted without.
COLUMNS = {
    "matches": ("pk", "family_id"),
    "categories": ("category_id",),
    "brands": ("brand_key", "brand"),
    "prices": ("price",),
    "ratings": ("rating",),
}
OWN = {
    "matches": set[str](),
    "categories": {"category"},
    "brands": {"brand"},
    "prices": {"min_price", "max_price"},
    "ratings": {"min_rating", "max_rating"},
}

Values = dict[str, Sequence[Any]]  # of columns


def count(query: ProductQuery) -> dict[str, Any]:
    """Facets over the first 10,000 matches; `exact` says whether these were all of them, for every facet.

    If nothing matches, those of the relaxed search are counted, as in the list. Every count is that of the list with
    the facet's own filters replaced by this one: a category's includes its subtree, a rating's includes better ones.
    """
    query = with_families(query)
    values, exact = _values(query)
    if not values["pk"] and (relaxed := query.relaxed()):
        query = relaxed
        values, exact = _values(query)
    options, is_whole = option_facets.count(query, values["pk"], values["family_id"])
    prices = values["price"]
    return {
        "count": len(values["pk"]),
        "exact": exact and is_whole,
        "categories": _categories(Counter(pk for pk in values["category_id"] if pk is not None)),
        "brands": _brands(values["brand_key"], values["brand"]),
        "prices": _prices(prices),
        "ratings": _ratings(values["rating"]),
        "options": options,
        "price": {"min": min(prices, default=None), "max": max(prices, default=None)},
    }


def _values(query: ProductQuery) -> tuple[Values, bool]:
    """The columns of all facets, and whether they are complete.

    The products that match without any facet's own filters are read first, and filtered here for each facet: one
    query is enough where they are at most 10,000. Of more, these are enough for a facet of which many match, and for a
    search, which is expensive to repeat. The facets without own filters in use are read by a second query, and the
    others by one each.
    """
    used = [facet for facet in COLUMNS if OWN[facet] & query.names]
    values: Values = {}
    exact = True
    if used:
        sample, is_whole = _read(query, COLUMNS, used)
        passing = _passing(query, sample)
        is_enough = is_whole or query.reads_sample()
        for facet in COLUMNS if is_enough else used:
            others = [passing[each] for each in used if each != facet]
            chosen = [all(row) for row in zip(sample["pk"], *others, strict=True)]  # no id is 0
            if is_enough or "search" in query.filters or sum(chosen) >= ENOUGH:
                values |= {column: list(compress(sample[column], chosen)) for column in COLUMNS[facet]}
                exact = is_whole
    missing = [facet for facet in COLUMNS if COLUMNS[facet][0] not in values]
    together = [facet for facet in missing if facet not in used]
    for group in [together, *([facet] for facet in missing if facet in used)]:
        if group:
            found, is_complete = _read(query, group, group)
            values, exact = values | found, exact and is_complete
    return values, exact


def _passing(query: ProductQuery, sample: Values) -> dict[str, list[bool]]:
    """Whether each row passes the own filters of each facet."""
    filters = query.filters
    categories, brands = set(query.categories or []), set(filters.get("brand", []))
    least, most = filters.get("min_price", Decimal("-Infinity")), filters.get("max_price", Decimal("Infinity"))
    worst, best = float(filters.get("min_rating", "-inf")), float(filters.get("max_rating", "inf"))
    return {
        "categories": [pk in categories for pk in sample["category_id"]],
        "brands": [key in brands for key in sample["brand_key"]],
        "prices": [least <= price <= most for price in sample["price"]],
        "ratings": [rating is not None and worst <= rating <= best for rating in sample["rating"]],
    }


def _read(query: ProductQuery, facets: Iterable[str], without: Iterable[str]) -> tuple[Values, bool]:
    """The columns of `facets` in the first 10,000 rows without the own filters of `without`; whether these are all."""
    columns = [column for facet in facets for column in COLUMNS[facet]]
    own = {name for facet in without for name in OWN[facet]}
    rows = list(query.rows(without=own).order_by().values_list(*columns)[: MATCHES_MAX + 1])
    values = zip(*rows[:MATCHES_MAX], strict=True) if rows else [()] * len(columns)
    return dict(zip(columns, values, strict=True)), len(rows) <= MATCHES_MAX and not query.reads_sample(own)


def _categories(own: Counter[int]) -> list[dict[str, Any]]:
    """Counts of categories, each with those below it, in the order of their names."""
    totals: Counter[int] = Counter()
    for pk, lineage in Category.objects.filter(pk__in=own).values_list("pk", "lineage"):
        for ancestor in lineage.strip("/").split("/"):
            totals[int(ancestor)] += own[pk]
    found = Category.objects.filter(pk__in=totals).order_by("name_key", "id").values_list("pk", "name", "parent_id")
    return [{"id": pk, "name": name, "parent": parent, "count": totals[pk]} for pk, name, parent in found]


def _brands(keys: Sequence[str], brands: Sequence[str]) -> list[dict[str, Any]]:
    names = dict(zip(reversed(keys), reversed(brands), strict=True))  # by the first spelling
    counts = Counter(keys)
    del counts[""]
    ranked = sorted(counts.items(), key=lambda row: (-row[1], row[0]))
    return [{"name": names[key], "count": number} for key, number in ranked[:BRANDS_MAX]]


def _prices(prices: Sequence[Decimal]) -> list[dict[str, Any]]:
    counts = Counter(bisect(PRICE_BOUNDS, price) for price in prices)
    bands = enumerate(zip(PRICE_BOUNDS, [*PRICE_BOUNDS[1:], None], strict=True), start=1)
    return [
        {"min": low, "max": None if high is None else high - CENT, "count": counts[number]}
        for number, (low, high) in bands
        if counts[number]
    ]


def _ratings(ratings: Sequence[float | None]) -> list[dict[str, Any]]:
    given = [rating for rating in ratings if rating is not None]
    counts = [{"min": low, "count": sum(1 for rating in given if rating >= low)} for low in RATING_BOUNDS]
    return [row for row in counts if row["count"]]
