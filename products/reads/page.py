"""Reads a page of products, by the fastest of three strategies."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from productbackend.api import keyset
from productbackend.api.keyset import BY_RANK, COUNT_MAX, IndexOrder, Page, Paging
from products.models import Product
from products.reads.families import is_narrow, with_families, with_price
from products.reads.option_filters import in_families
from products.reads.query import NULLABLE, ProductQuery
from products.reads.rows import product_rows, rows_by_id
from products.reads.subtree import SubtreeMerge
from products.search.query import by_relevance

# Of an option that so many products have these are found by it, and sorted. Of more the order's index is read.
SORTED_MAX = COUNT_MAX
# Of more families with an option so many are read first. If a third of them match the other filters, a page is soon
# filled in its order. If fewer do, so many that match are sorted.
FAMILIES_SAMPLED, FAMILIES_SORTED = 3 * COUNT_MAX, 10_000
RANKED_MAX = 1_000  # results that a search without an ordering shows and counts


def page(query: ProductQuery) -> Page:
    """The page of the products that the query finds; if there are none, of those that its relaxed search finds."""
    found = _page(query)
    relaxed = query.relaxed() if found.count == 0 else None
    if relaxed is None:
        return found
    found = _page(relaxed)
    return replace(found, members={"search_relaxed": True}) if found.count else found


def _page(query: ProductQuery) -> Page:
    if not query.paging.keys:
        return in_given_order(query) if "ids" in query.filters else ranked(query)
    if query.shows_members:
        return by_members(query)
    known = None
    if "option" in query.filters and "search" not in query.filters:
        known = query.unpaged.rows().order_by().values("pk")[: COUNT_MAX + 1].count()
        query = replace(query, by_row=known > SORTED_MAX)
    matching, count_order = query.rows(), ["name_key"] if "name_contains" in query.filters else []
    counted = query.unpaged.rows() if query.one_per_family else None
    # A search reads the fulltext index once for all categories.
    if "search" in query.filters or len(query.categories or []) < 2:
        return keyset.read(IndexOrder(matching, count_order, NULLABLE, counted, known), query.paging)
    return keyset.read(SubtreeMerge(matching, count_order, NULLABLE, counted, known, query=query), query.paging)


def by_members(query: ProductQuery) -> Page:
    """A page of families, each shown by its first member with the options."""
    priced = with_price(query)
    if priced is not None:
        return by_first_members(query, priced)
    narrow = is_narrow(query)
    most = FAMILIES_SAMPLED if query.compares_leads() and not narrow else COUNT_MAX
    found = with_families(query.unpaged, most, narrow=narrow)
    if found.reads_sample():
        families, is_common = [], True
    else:
        sorted_max = FAMILIES_SORTED if found.looks_members_up() else SORTED_MAX
        families = list(found.rows().order_by().values_list("family_id", flat=True)[: sorted_max + 1])
        is_common = len(families) > sorted_max
    if is_common:
        # A condition on the fulltext index cannot be compared row by row.
        rows = replace(query, by_row="search" not in query.filters).shown_members()
    else:
        rows = product_rows(include_hidden=query.include_hidden).filter(pk__in=first_members(query, families).values())
    known = COUNT_MAX + 1 if is_common else len(families)
    return keyset.read(IndexOrder(rows, nullable=NULLABLE, known=known), query.paging)


def by_first_members(query: ProductQuery, families: Sequence[int]) -> Page:
    """A page of the first members of these families, of which only those near the page are read as rows."""
    members = replace(query, by_row=True).members(in_families(families)).order_by("-family_position", "-pk")
    first = {family: (price, pk) for family, price, pk in members.values_list("family", "price", "pk")}
    ids = near(query.paging, list(first.values()))
    rows = product_rows(include_hidden=query.include_hidden).filter(pk__in=ids)
    return keyset.read(IndexOrder(rows, nullable=NULLABLE, known=len(first)), query.paging)


def near(paging: Paging, rows: list[tuple[Decimal, int]]) -> list[int]:
    """The ids of those of the rows, prices and ids, that can be on the page or next to it."""
    price, *others = paging.keys
    if price.removeprefix("-") != "price" or len(others) > 1:
        return [pk for _, pk in rows]
    is_falling = price.startswith("-")
    rows.sort(reverse=is_falling)
    at = 0
    if paging.cursor is not None:
        before = (Decimal(str(paging.cursor["v"][0])), paging.cursor["v"][1])
        at = sum(row > before if is_falling else row < before for row in rows)
    around = paging.offset + paging.limit + 2
    return [pk for _, pk in rows[max(at - around, 0) : at + around]]


def ranked(query: ProductQuery) -> Page:
    """A page of search results by rank. One query finds the ids for the page and the count."""
    matching = by_relevance(query.rows(), query.filters["search"], relaxed=query.is_relaxed).values_list("pk")
    # One more than is counted, because the database reads a match's row to tell whether it is hidden.
    return by_position(query, [pk for (pk,) in matching[: RANKED_MAX + 1]])


def in_given_order(query: ProductQuery) -> Page:
    """A page of the products of `ids`, in that order."""
    matching = set(query.rows().order_by().values_list("pk", flat=True))
    return by_position(query, [pk for pk in query.filters["ids"] if pk in matching])


def by_position(query: ProductQuery, ids: Sequence[int]) -> Page:
    """A page of the products with these ids, by their positions."""
    cursor, limit = query.paging.cursor, query.paging.limit
    start = query.paging.offset if cursor is None else cursor["v"]
    stop = min(start + limit, RANKED_MAX)
    following = {"o": BY_RANK, "v": stop} if stop < min(len(ids), RANKED_MAX) else None
    preceding = {"o": BY_RANK, "v": max(start - limit, 0)} if start > 0 else None
    page = ids[start:stop]
    rows = rows_by_id(shown(query, page) if query.shows_members else page, include_hidden=query.include_hidden)
    return Page(rows, min(len(ids), RANKED_MAX), len(ids) <= RANKED_MAX, (following, preceding))


def shown(query: ProductQuery, leads: Sequence[int]) -> list[int]:
    """The products by which the families of these leads are shown."""
    families = dict(Product.objects.filter(pk__in=leads).order_by().values_list("pk", "family_id"))
    members = first_members(query, [pk for pk in families.values() if pk is not None])
    return [members[families[pk]] for pk in leads if families.get(pk) in members]


def first_members(query: ProductQuery, families: Sequence[int]) -> dict[int, int]:
    """The first member with the options, by family."""
    members = query.members(in_families(families)).order_by("-family_position", "-pk")
    return dict(members.values_list("family_id", "pk"))
