"""The families that have a filter's options, for queries that show families by members with these.

They are read first, by the index of options and up to a limit, and their leads are compared with the other filters
then. For one condition of both, the database would read all members that have the options, or all leads.
"""

from dataclasses import replace
from typing import Any

from django.db.models import DecimalField, ExpressionWrapper, F, QuerySet, Value

from productbackend.api.keyset import COUNT_MAX
from products.models import Option, Product
from products.reads.option_filters import without_index
from products.reads.query import ProductQuery

FAMILIES_MAX = LEADS_MAX = 10_000
PRICE = ExpressionWrapper(F("price") + Value(0), output_field=DecimalField())  # for a comparison without an index
# Of an option that more products have, so many families are found by the price of their lead: by the index of families
# alone. In the order of prices more of them, if so many products come before the first that is asked for.
COMMON_MIN, PRICED_MAX, PRICED_MOST, SKIPPED_MAX = 3_000, 3_000, 30_000, 200_000
ENOUGH = COUNT_MAX  # families of a sample that match, or products, for a facet to be counted over these


def is_narrow(query: ProductQuery) -> bool:
    """Whether few leads are in the categories, so that the members of each can be looked up: from the index alone."""
    if query.categories is None:
        return False
    leads = Product.objects.order_by().filter(category__in=query.categories, is_lead=True, is_active=True)
    return leads.values("pk")[: LEADS_MAX + 1].count() <= LEADS_MAX


def with_families(query: ProductQuery, most: int | None = None, *, narrow: bool | None = None) -> ProductQuery:
    """The query with the families that have the options, up to `most`, or as many as facets count.

    Of more these are a sample, if enough of them match the other filters. If few do, or the query is `narrow`, the
    leads that match these are read, and the members of each are looked up.
    """
    if not query.shows_members:
        return query
    most = FAMILIES_MAX if most is None else most
    families = list(query.families_with_options()[: most + 1])
    if len(families) <= most:
        return replace(query, families=families)
    sample = replace(query, families=families[:most], is_sample=True)
    if not query.compares_leads():
        return sample
    narrow = is_narrow(query) if narrow is None else narrow
    if not narrow and sample.unpaged.rows().order_by().values("pk")[: ENOUGH + 1].count() > ENOUGH:
        return sample
    return replace(sample, by_row=True)


def with_price(query: ProductQuery) -> list[int] | None:
    """The families whose lead has the price that is asked for; None if the page is read faster in its own order.

    Read in the order of prices, a page that begins with a dear product needs the members of every cheaper price, since
    a member can be cheaper than its lead.
    """
    bounds = query.names - {"option", "one_per_family"}
    if not bounds or not bounds <= {"min_price", "max_price"} or not _is_common(query):
        return None
    most = PRICED_MOST if _skips_many(query) else PRICED_MAX
    flags = ["is_lead"] if query.include_hidden else ["is_lead", "is_active"]
    members = Product.objects.order_by().filter(family__isnull=False)
    leads = members.alias(**{f"{name}_flag": without_index(name) for name in flags}, at=PRICE)
    leads = leads.filter(**{f"{name}_flag": 1 for name in flags}, **_bounds(query, "at"))
    found = list(leads.values_list("family", flat=True)[: most + 1])
    return found if len(found) <= most else None


def _is_common(query: ProductQuery) -> bool:
    """Whether each of the options is one of many products, so that not all families with these are read first."""
    return all(
        Option.objects.order_by().filter(axis_key=axis, value_key__in=values).values("pk")[: COMMON_MIN + 1].count()
        > COMMON_MIN
        for axis, values in query.options.items()
    )


def _bounds(query: ProductQuery, column: str) -> dict[str, Any]:
    """The conditions of the price, for the column."""
    lookups = {"min_price": "gte", "max_price": "lte"}
    return {f"{column}__{lookup}": query.filters[name] for name, lookup in lookups.items() if name in query.filters}


def _skips_many(query: ProductQuery) -> bool:
    """Whether a page in the order of prices begins behind many products."""
    name, lookup = {"price": ("min_price", "lt"), "-price": ("max_price", "gt")}.get(query.paging.keys[0], ("", ""))
    if name not in query.filters or len(query.paging.keys) > 2:
        return False
    skipped: QuerySet[Any] = Product.objects.order_by().filter(is_active=True)
    skipped = skipped.filter(**{f"price__{lookup}": query.filters[name]})
    return skipped.values("pk")[: SKIPPED_MAX + 1].count() > SKIPPED_MAX
