"""Creates, changes and deletes families, and orders their members.

Every write locks all members in primary-key order, then the family: the order of `products.families.leads`.
"""

from collections.abc import Callable, Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import PositiveIntegerField
from django.db.models.expressions import RawSQL
from django.utils import timezone

from productbackend.database import recorded
from productbackend.database.fields import fold
from productbackend.database.transactions import atomic_with_retry
from productbackend.errors import DomainError, InvalidValue
from products.catalogue import check_category
from products.families import leads, membership
from products.models import AXES_MAX, AXIS_MAX, Family, Option, Product
from products.reads import caching

Precondition = Callable[[Family], None]  # may refuse by raising DomainError


@atomic_with_retry
def create(*, axes: Sequence[str], order: Sequence[int] = (), **fields: Any) -> Family:
    """Create a family without members. The slug is derived from the name if not given. Raises InvalidValue."""
    if order:
        raise InvalidValue("order", "invalid", "A new family has no products yet.")
    family = Family(axes=checked_axes(axes), **fields)
    _save(family, fields)
    return family


@atomic_with_retry
def change(*, family_id: int, precondition: Precondition, order: Sequence[int] | None = None, **fields: Any) -> Family:
    """Change a family; `axes` renames them by position, `order` is the ids of all members in the wanted order.

    `precondition` is called with the locked family first and may raise DomainError.
    Raises InvalidValue, and DomainError `not-found`.
    """
    family, members = locked(family_id)
    precondition(family)
    fields = {name: value for name, value in fields.items() if not (name == "slug" and not value)}
    axes = checked_axes(fields.pop("axes", family.axes))
    if axes != family.axes:
        _rename_axes(family, members, axes)
        fields["axes"] = axes
    for name, value in fields.items():
        setattr(family, name, value)
    if order is not None:
        _reorder(members, order)
    if fields or order is not None:
        _save(family, fields)
    if order is not None:
        leads.elect([family.pk])
    return family


@atomic_with_retry
def delete(*, family_id: int, precondition: Precondition) -> None:
    """Delete a family. Its members stay, as products of their own without options.

    `precondition` is called with the locked family first and may raise DomainError. Raises DomainError `not-found`.
    """
    family, _ = locked(family_id)
    precondition(family)
    family.delete()


def release(family: Family) -> None:
    """Make products of their own of the members of a family that is about to be deleted, by any way in."""
    locked(family.pk)
    members = Product.objects.filter(family=family.pk)
    Option.objects.filter(product__in=list(members.order_by().values_list("pk", flat=True))).delete()
    members.update(
        family=None, options={}, options_key=None, family_position=None, is_lead=True, updated_at=timezone.now()
    )


def locked(family_id: int) -> tuple[Family, list[Product]]:
    """Lock the members of a family, then the family; return it, and the members in their order.

    A product that joins meanwhile is among them, and not locked: it waits for the family. Raises DomainError
    `not-found`.
    """
    members = Product.objects.filter(family=family_id)
    list(members.select_for_update().order_by("pk").values_list("pk"))
    family = leads.lock([family_id]).get(family_id)
    if family is None:
        raise DomainError("not-found", "There is no such family.")
    recorded.watch(family)
    return family, list(members.order_by("family_position", "pk"))


def checked_axes(axes: Sequence[str]) -> list[str]:
    """The names of axes. Raises InvalidValue."""
    if not 1 <= len(axes) <= AXES_MAX:
        raise InvalidValue("axes", "invalid", f"A family has one to {AXES_MAX} axes.")
    for axis in axes:
        if not fold(axis) or ":" in axis or len(axis) > AXIS_MAX:
            detail = f"The name of an axis has up to {AXIS_MAX} characters, a visible one among them, and no colon."
            raise InvalidValue("axes", "invalid", detail)
    if len({fold(axis) for axis in axes}) < len(axes):
        raise InvalidValue("axes", "unique", "Two axes have the same name.")
    return list(axes)


def _rename_axes(family: Family, members: Sequence[Product], axes: list[str]) -> None:
    if len(axes) != len(family.axes) and members:
        raise InvalidValue("axes", "invalid", "The number of axes cannot change while the family has products.")
    names = dict(zip(family.axes, axes, strict=False))
    now = timezone.now()
    for product in members:
        product.options = {names[axis]: value for axis, value in product.options.items()}
        # The keys of the options stay: they go by the positions of the axes.
        Product.objects.filter(pk=product.pk).update(options=product.options, updated_at=now)
    membership.index_options(members)


def _reorder(members: Sequence[Product], order: Sequence[int]) -> None:
    ids = [product.pk for product in members]
    if sorted(order) != sorted(ids):
        raise InvalidValue("order", "invalid", "Send the ids of all products of the family, each once.")
    if not ids:
        return
    positions = [number for pair in zip(order, range(len(order)), strict=True) for number in pair]
    cases = " ".join(["WHEN %s THEN %s"] * len(order))
    position = RawSQL(f"CASE id {cases} END", positions, PositiveIntegerField())  # noqa: S611
    Product.objects.filter(pk__in=ids).order_by().update_without_invalidation(family_position=position)


def _save(family: Family, fields: dict[str, Any]) -> None:
    check_category(fields)
    is_new = family.pk is None
    try:
        with transaction.atomic():
            family.save(**{} if is_new else {"update_fields": set(fields) or {"updated_at"}})
    except IntegrityError:
        check_category(fields)
        if not fields.get("slug") and is_new:  # a concurrent request took the derived slug: derive another
            family.slug, family.pk = "", None
            family.save(force_insert=True)
        elif Family.objects.filter(slug=family.slug).exclude(pk=family.pk or 0).exists():
            raise InvalidValue("slug", "unique", "Another family has this slug.") from None
        else:
            raise
    caching.catalogue_changed()
