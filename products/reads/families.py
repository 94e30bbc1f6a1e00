"""The families that have a filter's options, for queries that show families by members with these.

They are read first, by the index of options and up to a limit, and their leads are compared with the other filters
then. For one condition of both, the database would read all members that have the options, or all leads.
"""

from dataclasses import replace

from productbackend.api.keyset import COUNT_MAX
from products.models import Product
from products.reads.query import ProductQuery

FAMILIES_MAX = LEADS_MAX = 10_000
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
