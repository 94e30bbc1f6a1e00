"""Makes the combinations of options that a family lacks."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import IntegrityError

from productbackend.database.fields import fold
from productbackend.database.transactions import atomic_with_retry
from productbackend.errors import InvalidValue
from products import catalogue
from products.families import leads, membership, writing
from products.models import VARIANTS_MAX, Family, Product
from products.naming import free_values, slugify

NAME_MAX: int = 200


@dataclass(frozen=True)
class Preview:
    """The products that would be made, unsaved, and the members that have some of the combinations already."""

    new: list[Product]
    existing: list[Product]


def preview(*, family: Family, options: Mapping[str, Sequence[str]], price: Decimal, quantity: int) -> Preview:
    """What `make_missing` would do now. Raises InvalidValue as it does."""
    members = list(Product.objects.filter(family=family.pk).order_by("family_position", "pk"))
    wanted = combinations(family, options)
    new = _missing(family, members, wanted, {}, price=price, quantity=quantity)
    return Preview(new, [member for member in members if member.options_key in wanted])


def make_missing(
    *,
    family_id: int,
    options: Mapping[str, Sequence[str]],
    price: Decimal,
    quantity: int,
    skus: Mapping[str, str] | None = None,
) -> list[Product]:
    """Create the combinations of these values that no member has, all or none; return them.

    `skus` are those that a preview has shown, by the keys of the options; one that was taken meanwhile is replaced.
    Raises InvalidValue for an unknown axis and for more products than a family may have, and DomainError `not-found`.
    """
    try:
        return _make_missing(family_id, options, price, quantity, skus or {})
    except IntegrityError:  # a concurrent request took a derived slug or SKU: derive others
        return _make_missing(family_id, options, price, quantity, skus or {})


@atomic_with_retry
def _make_missing(
    family_id: int,
    options: Mapping[str, Sequence[str]],
    price: Decimal,
    quantity: int,
    skus: Mapping[str, str],
) -> list[Product]:
    family, members = writing.locked(family_id)
    products = _missing(family, members, combinations(family, options), skus, price=price, quantity=quantity)
    if products:
        catalogue.create_many(products)
        membership.index_options(products)
        leads.elect([family.pk])
    return products


def _missing(
    family: Family,
    members: Sequence[Product],
    wanted: Mapping[str, dict[str, str]],
    skus: Mapping[str, str],
    **fields: Any,
) -> list[Product]:
    """The products of the combinations that no member has, in the order of the values."""
    taken = {member.options_key for member in members}
    missing = {key: values for key, values in wanted.items() if key not in taken}
    if len(members) + len(missing) > VARIANTS_MAX:
        raise InvalidValue("options", "max_length", f"A family has {VARIANTS_MAX} products at most.")
    position = membership.next_position(family.pk)
    products = [
        _product(family, values, options_key=key, family_position=position + number, **fields)
        for number, (key, values) in enumerate(missing.items())
    ]
    given = [skus.get(product.options_key or "") or slugify(product.name).upper() for product in products]
    for product, sku in zip(products, free_values(Product, "sku", given, fallback="PRODUCT"), strict=True):
        product.sku = sku
    return products


def combinations(family: Family, options: Mapping[str, Sequence[str]]) -> dict[str, dict[str, str]]:
    """Each combination of the values, once, by its key. Raises InvalidValue."""
    distinct = {
        axis: list({fold(value): value for value in reversed(values)}.values())[::-1]
        for axis, values in options.items()
    }
    if math.prod(map(len, distinct.values())) > VARIANTS_MAX:
        raise InvalidValue("options", "max_length", f"A family has {VARIANTS_MAX} products at most.")
    found = {}
    for values in itertools.product(*distinct.values()):
        each = membership.in_axes(dict(zip(distinct, values, strict=True)), family)
        found[membership.options_key(family, each)] = each
    return found


def _product(family: Family, options: dict[str, str], **fields: Any) -> Product:
    ending = f", {', '.join(options.values())}" if options else ""
    return Product(
        name=f"{family.name[: max(NAME_MAX - len(ending), 1)]}{ending}"[:NAME_MAX],
        brand=family.brand,
        category_id=family.category_id,
        description=family.description,
        family_id=family.pk,
        options=options,
        is_lead=False,
        **fields,
    )
