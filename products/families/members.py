"""Changes many members of a family together, and makes a family of products that exist."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from productbackend.database import recorded
from productbackend.database.transactions import atomic_with_retry
from productbackend.errors import DomainError, InvalidValue, InvalidValues
from products import catalogue
from products.families import leads, membership, writing
from products.inventory import stock
from products.models import Family, Product


@dataclass(frozen=True)
class Change:
    """What becomes of a member.

    `fields` are new values of `sku`, `price` and `is_active`. `values` are those of the axes in their order, "" for
    none; None leaves the options. `delta` is added to the stock. A member that leaves keeps all but its options.
    """

    product_id: int
    fields: Mapping[str, Any] = field(default_factory=dict)
    values: Sequence[str] | None = None
    delta: int = 0
    leaves: bool = False


def locked(family_id: int) -> tuple[Family, dict[int, Product]]:
    """Lock a family and its members; return them by id, in their order. Raises DomainError `not-found`."""
    family, members = writing.locked(family_id)
    for member in members:
        recorded.watch(member)
    return family, {member.pk: member for member in members}


def errors(family: Family, members: Mapping[int, Product], changes: Sequence[Change]) -> list[InvalidValue]:
    """Why changes of members, which the caller has locked, are impossible. A field is `{product id}.{name}`."""
    if strangers := [each.product_id for each in changes if each.product_id not in members]:
        return [InvalidValue(f"{pk}.family", "does_not_exist", "It is no product of the family.") for pk in strangers]
    return [*_sku_errors(changes), *_option_errors(family, members, changes), *_stock_errors(members, changes)]


@atomic_with_retry
def change(*, family_id: int, changes: Sequence[Change], user: stock.RequestUser | None) -> None:
    """Write changes of members, all or none. Raises InvalidValues, and DomainError `not-found`."""
    family, members = locked(family_id)
    if found := errors(family, members, changes):
        raise InvalidValues(found)
    written = _set(family, members, changes)
    try:
        with transaction.atomic():
            _save(members, changes, written, user)
    except IntegrityError:
        if found := errors(family, members, changes):  # a concurrent request took an SKU
            raise InvalidValues(found) from None
        raise
    for each in changes:
        if each.leaves:
            catalogue.change(product_id=each.product_id, user=user, precondition=lambda _: None, family=None)


def _set(family: Family, members: Mapping[int, Product], changes: Sequence[Change]) -> set[str]:
    """Set the new values of the members; return the names of the fields."""
    written: set[str] = set()
    for each in changes:
        member = members[each.product_id]
        values = {name: value for name, value in each.fields.items() if name != "sku" or value}
        if each.values is not None and not each.leaves:
            options = _options(family, each.values)
            values |= {"options": options, "options_key": membership.options_key(family, options)}
        for name, value in values.items():
            setattr(member, name, value)
        written |= values.keys()
    return written


def _save(
    members: Mapping[int, Product], changes: Sequence[Change], written: set[str], user: stock.RequestUser | None
) -> None:
    """Write the members by a few statements."""
    deltas = {each.product_id: each.delta for each in changes}
    if written or any(deltas.values()):
        changed = [members[pk] for pk in deltas]
        catalogue.save_many(changed, written, deltas=deltas, user_id=user.pk if user else None)
    if "options" in written:
        membership.index_options([members[each.product_id] for each in changes if each.values is not None])


@atomic_with_retry
def gather(*, name: str, axes: Sequence[str], values: Mapping[int, Sequence[str]]) -> Family:
    """Make a family of products that are in none, in the order of `values`: those of the axes of each, "" for none.

    Brand and category are those that all of the products have. Raises InvalidValues, whose fields are `name`, `axes`,
    or `{product id}.options`.
    """
    membership.check_room(len(values))
    found = {row.pk: row for row in Product.objects.select_for_update().filter(pk__in=values).order_by("pk")}
    products = [found[pk] for pk in values if pk in found]
    if len(products) < len(values):
        raise InvalidValue(None, "does_not_exist", "One of the products was deleted: choose them again.")
    family = Family(name=name, axes=writing.checked_axes(axes))
    refused = in_other_families(products)
    if found_errors := [*refused, *_option_errors(family, found, _joining(values))]:
        raise InvalidValues(found_errors)
    common = {each: value for each in ("brand", "category") if (value := _common(products, each))}
    family = writing.create(name=name, axes=axes, **common)
    for position, product in enumerate(products):
        recorded.watch(product)
        product.family, product.family_position, product.is_lead = family, position, False
        product.options = _options(family, values[product.pk])
        product.options_key = membership.options_key(family, product.options)
    # The keys are those of a family that no other transaction sees: no other row has one of them.
    catalogue.save_many(products, {"family", "options", "options_key", "family_position", "is_lead"})
    membership.index_options(products)
    leads.elect([family.pk])
    return family


def in_other_families(products: Iterable[Product]) -> list[InvalidValue]:
    """An error for each product that is a member of a family, by name."""
    return [
        InvalidValue(
            f"{product.pk}.options",
            "in_family",
            f"{product.name} is a product of the family {product.family.name}: take it out there first.",
        )
        for product in products
        if product.family
    ]


def _joining(values: Mapping[int, Sequence[str]]) -> list[Change]:
    return [Change(pk, values=each) for pk, each in values.items()]


def _common(products: Sequence[Product], name: str) -> Any:
    """The value that all products have, or nothing."""
    value = getattr(products[0], name)
    return value if all(getattr(product, name) == value for product in products) else None


def _options(family: Family, values: Sequence[str]) -> dict[str, str]:
    given = zip(family.axes, values, strict=False)
    return membership.in_axes({axis: value for axis, value in given if value}, family)


def _sku_errors(changes: Sequence[Change]) -> list[InvalidValue]:
    wanted = {each.product_id: each.fields["sku"] for each in changes if "sku" in each.fields}
    if not wanted:
        return []
    rows: QuerySet[Any] = Product.objects.filter(sku__in=set(wanted.values())).order_by()
    owners = {sku: (pk, name) for sku, pk, name in rows.values_list("sku", "pk", "name")}
    times = Counter(wanted.values())
    found = []
    for pk, sku in wanted.items():
        owner, name = owners.get(sku, (pk, ""))
        if owner != pk:
            found.append(InvalidValue(f"{pk}.sku", "unique", f"{name} has this SKU."))
        elif times[sku] > 1:
            found.append(InvalidValue(f"{pk}.sku", "unique", "Two products cannot have the same SKU."))
    return found


def _option_errors(family: Family, members: Mapping[int, Product], changes: Sequence[Change]) -> list[InvalidValue]:
    keys, found = {}, []
    for each in changes:
        if each.values is None or each.leaves:
            continue
        try:
            keys[each.product_id] = membership.options_key(family, _options(family, each.values))
        except DomainError as error:
            found.append(InvalidValue(f"{each.product_id}.options", "invalid", error.detail))
    owners = {member.options_key: pk for pk, member in members.items() if member.options_key}
    times = Counter(keys.values())
    for pk, key in keys.items():
        if owners.get(key, pk) != pk or times[key] > 1:
            found.append(InvalidValue(f"{pk}.options", "unique", membership.TAKEN))
    return found


def _stock_errors(members: Mapping[int, Product], changes: Sequence[Change]) -> list[InvalidValue]:
    found = []
    for each in changes:
        quantity = members[each.product_id].quantity
        if error := stock.out_of_range(quantity + each.delta):
            detail = f"{quantity} are in stock now. {error.detail}"
            found.append(InvalidValue(f"{each.product_id}.quantity", "out_of_range", detail))
    return found
