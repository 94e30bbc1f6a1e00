"""The families that the rows of a slice name: which options a product gets, and who has them already."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, transaction

from backoffice.imports.columns import FAMILY, OPTION, Unreadable, Wanted
from productbackend.database import recorded
from productbackend.database.fields import fold
from productbackend.errors import DomainError
from productbackend.text.comparison import normalized
from products.families import leads, membership
from products.models import Family, Product

TAKEN = "Another product of the family has these options."


@dataclass(frozen=True)
class Membership:
    """The family and the options that a row gives a product, with their key."""

    family_id: int | None
    options: dict[str, str]
    key: str | None


@dataclass
class Families:
    """The families of the rows and products of a slice."""

    by_slug: dict[str, Family] = field(default_factory=dict)
    by_id: dict[int, Family] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Iterable[Wanted], products: Iterable[Product]) -> "Families":
        """Read them, if any row names a family or an option."""
        rows = [each for each in rows if _is_named(each)]
        if not rows:
            return cls()
        slugs = {slug for each in rows for slug in _spellings(each.values.get(FAMILY))}
        ids = {product.family_id for product in products if product.family_id is not None}
        found = [*Family.objects.filter(slug__in=slugs), *Family.objects.filter(pk__in=ids)]
        return cls({family.slug: family for family in found}, {family.pk: family for family in found})

    def membership(self, wanted: Wanted, product: Product | None) -> Membership | None:
        """What the row changes; None if nothing. Raises Unreadable, with the column in its text."""
        if not _is_named(wanted):
            return None
        present = product.family_id if product else None
        family = self._family(wanted, present)
        given = {name.removeprefix(OPTION): value for name, value in wanted.values.items() if name.startswith(OPTION)}
        if family is None:
            if any(value is not None for value in given.values()):
                raise Unreadable("option: A product of no family has no options.")
            return Membership(None, {}, None) if present is not None else None
        options = {fold(axis): (axis, value) for axis, value in (product.options if product else {}).items()}
        for axis, value in given.items():
            options.pop(axis, None)
            if value is not None:
                options[axis] = (axis, value)
        try:
            found = membership.in_axes(dict(options.values()), family)
        except DomainError as error:
            raise Unreadable(f"option: {error.detail}") from None
        if product is not None and (family.pk, found) == (present, product.options):
            return None
        return Membership(family.pk, found, membership.options_key(family, found))

    def _family(self, wanted: Wanted, present: int | None) -> Family | None:
        """The family that the product is in after the row."""
        if FAMILY not in wanted.values:
            return self.by_id.get(present or 0)
        slug = wanted.values[FAMILY]
        family = next((self.by_slug[each] for each in _spellings(slug) if each in self.by_slug), None)
        if slug and family is None:
            raise Unreadable(f"{FAMILY}: There is no family with the slug {slug}.")
        return family


def _is_named(wanted: Wanted) -> bool:
    return any(name == FAMILY or name.startswith(OPTION) for name in wanted.values)


def _spellings(slug: str | None) -> list[str]:
    """A slug as it is written and, since most are, in lower case."""
    return [normalized("NFC", slug), fold(slug)] if slug else []


def taken(memberships: Sequence[tuple[Membership, Product | None]]) -> set[int]:
    """The positions of those whose options another product has, or one before it in the sequence."""
    keys = [each.key for each, _ in memberships if each.key]
    owners: dict[Any, Any] = {}
    if keys:
        owners = dict(Product.objects.filter(options_key__in=keys).order_by().values_list("options_key", "pk"))
    found, seen = set(), set[str]()
    for position, (each, product) in enumerate(memberships):
        if each.key is None:
            continue
        if each.key in seen or owners.get(each.key, product.pk if product else None) != (product and product.pk):
            found.add(position)
        seen.add(each.key)
    return found


def lock(memberships: Iterable[tuple[Membership, Product]]) -> None:
    """Lock the families that products join, leave or are in, after the products and in primary-key order."""
    leads.lock({pk for each, product in memberships for pk in (each.family_id, product.family_id)})


def join(product: Product, wanted: Membership) -> str:
    """Write the family and the options of a locked product. Returns why that is impossible by now, else nothing."""
    product.family_id, product.options = wanted.family_id, dict(wanted.options)
    try:
        with transaction.atomic():
            product.save(update_fields={"family", "options"})
    except DomainError as error:
        return f"{FAMILY}: {error.detail}"
    except IntegrityError:
        return f"{FAMILY}: {TAKEN}"
    recorded.watch(product)  # for what is written of it next
    return ""
