"""What saving and deleting a product means for its family. Every way in passes here: signals call it.

A product that joins is the last of its family. A product that leaves keeps everything but its options.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence

from django.db.models import Max

from productbackend.database.fields import KEY_LENGTH, fold
from productbackend.errors import InvalidValue
from products.families import leads
from products.models import VARIANTS_MAX, Family, Option, Product

TAKEN = "Another product of the family has these options."
COLUMNS = {"family", "options"}


def will_be_saved(product: Product, fields: Collection[str] | None) -> None:
    """Lock the families that a product joins, leaves or has other options in; set its options and their key.

    Raises InvalidValue if the family lacks an axis, is full, or has a member with these options.
    """
    if (product.family_id is None and product.family_before is None) or not _is_written(product, fields):
        return
    family = leads.lock([product.family_id, product.family_before]).get(product.family_id or 0)
    if product.family_id is None:
        return
    if family is None:
        raise InvalidValue("family", "does_not_exist", "There is no such family.")
    others = Product.objects.filter(family=family).exclude(pk=product.pk or 0)
    if product.family_before != family.pk:
        check_room(others.count() + 1)
    product.options = in_axes(product.options, family)
    product.options_key = options_key(family, product.options)
    if others.filter(options_key=product.options_key).exists():
        raise InvalidValue("options", "unique", TAKEN)


def was_saved(product: Product, fields: Collection[str] | None) -> None:
    """Write the position of a product that joined, the options to find it by, and the leads."""
    if product.family_id is None and product.family_before is None:
        return
    is_written = _is_written(product, fields)
    if is_written:
        if product.family_before != product.family_id:
            _move(product)
        index_options([product])
    if is_written or fields is None or "is_active" in fields:
        leads.elect({product.family_id, product.family_before})


def was_deleted(product: Product) -> None:
    if product.family_id is not None:
        Option.objects.filter(product=product.pk).delete()
        leads.elect([product.family_id])


def in_axes(options: Mapping[str, str], family: Family) -> dict[str, str]:
    """The options with the names of the family's axes, in their order. Raises InvalidValue for other axes."""
    axes = {fold(axis): axis for axis in family.axes}
    found: dict[str, str] = {}
    for name, value in options.items():
        axis = axes.get(fold(name))
        if axis is None:
            names = ", ".join(family.axes)
            raise InvalidValue("options", "unknown_axis", f"The family {family.name} has no axis {name}, but {names}.")
        if axis in found:
            raise InvalidValue("options", "repeated", f"The axis {axis} is given twice.")
        if not fold(value):
            raise InvalidValue("options", "invisible", f"Enter at least one visible character for {axis}.")
        found[axis] = value
    return {axis: found[axis] for axis in family.axes if axis in found}


def options_key(family: Family, options: Mapping[str, str]) -> str:
    """The unique key of a member: by the positions of the axes, so that renaming them changes no key."""
    values = [family.pk, *(fold(options.get(axis, "")) for axis in family.axes)]
    return hashlib.blake2b(json.dumps(values).encode(), digest_size=16).hexdigest()


def check_room(members: int) -> None:
    if members > VARIANTS_MAX:
        raise InvalidValue("family", "max_length", f"A family has {VARIANTS_MAX} products at most.")


def next_position(family_id: int) -> int:
    """The position after the last member's. The caller has locked the family."""
    last: int | None = Product.objects.filter(family=family_id).aggregate(last=Max("family_position"))["last"]
    return 0 if last is None else last + 1


def index_options(products: Sequence[Product]) -> None:
    """Write the rows by which the products' options are found."""
    Option.objects.filter(product__in=[product.pk for product in products]).delete()
    Option.objects.bulk_create(list(_options(products)))


def _options(products: Iterable[Product]) -> Iterable[Option]:
    for product in products:
        for axis, value in product.options.items():
            yield Option(product_id=product.pk, axis_key=fold(axis), value_key=fold(value)[:KEY_LENGTH])


def _is_written(product: Product, fields: Collection[str] | None) -> bool:
    return fields is None or not COLUMNS.isdisjoint(fields)


def _move(product: Product) -> None:
    family_id = product.family_id
    product.family_position = None if family_id is None else next_position(family_id)
    product.is_lead = True  # until the leads are updated
    Product.objects.filter(pk=product.pk).update_without_invalidation(
        family_position=product.family_position, is_lead=True
    )
