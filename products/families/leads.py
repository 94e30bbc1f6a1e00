"""The lead of a family, which stands for it in lists, and the order of locks.

The lead is the first member in the family's order that is active and in stock, else the first that is active, else the
first. It is updated in the transaction that changes a member. Such a transaction has locked its products, in
primary-key order, and then locks the families, in primary-key order; so that of two sales that each sell out a member
the second one sees what the first one wrote. See docs/adr/0022-families.md.
"""

from collections.abc import Iterable
from typing import Any

from django.db.models import BooleanField
from django.db.models.expressions import RawSQL

from products.models import Family, Product
from products.reads import caching


def lock(family_ids: Iterable[int | None]) -> dict[int, Family]:
    """Lock families in primary-key order; return them by id. Deleted ones, and None, are left out."""
    wanted = {pk for pk in family_ids if pk is not None}
    if not wanted:
        return {}
    return {family.pk: family for family in Family.objects.select_for_update().filter(pk__in=wanted).order_by("pk")}


def elect(family_ids: Iterable[int | None]) -> None:
    """Update the leads of families, in the caller's transaction, which has locked and changed members of them."""
    for family_id in lock(family_ids):
        _elect(family_id)


def crossed_zero(crossings: Iterable[tuple[int | None, int, int]]) -> None:
    """Update the leads after changes of stock: `(family, quantity before, quantity after)` of each product.

    Without a member of a family that sold out or is in stock again there is no statement.
    """
    crossed = {family for family, before, after in crossings if family is not None and (before > 0) != (after > 0)}
    if crossed:
        elect(crossed)


def _elect(family_id: int) -> None:
    columns = "pk", "is_active", "quantity", "is_lead"
    rows = Product.objects.filter(family=family_id).order_by("family_position", "pk")
    members: Any = list(rows.values_list(*columns, named=True))
    if not members:
        return
    lead = (
        next((each for each in members if each.is_active and each.quantity), None)
        or next((each for each in members if each.is_active), None)
        or members[0]
    )
    wrong = [each.pk for each in members if each.is_lead != (each is lead)]
    if wrong:
        is_lead = RawSQL("id = %s", [lead.pk], BooleanField())
        Product.objects.filter(pk__in=wrong).order_by().update_without_invalidation(is_lead=is_lead)
        caching.catalogue_changed()
