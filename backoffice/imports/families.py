"""The families that the rows of a slice name: which options a product gets, and who has them already."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet

from backoffice.imports.columns import FAMILY, OPTION, Unreadable, Wanted
from backoffice.imports.models import ImportRow
from productbackend.database import recorded
from productbackend.database.fields import fold
from productbackend.errors import DomainError
from productbackend.text.comparison import normalized
from products.families import leads, membership
from products.models import VARIANTS_MAX, Family, Product

FULL = f"The family has {VARIANTS_MAX} products, and may have no more."


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
    def of(cls, rows: Iterable[Wanted], products: Iterable[Product], *, locked: bool = False) -> "Families":
        """Read them, if any row names a family or an option; or lock them, after the products."""
        rows = [each for each in rows if _is_named(each)]
        if not rows:
            return cls()
        slugs = {slug for each in rows for slug in _spellings(each.values.get(FAMILY))}
        ids = {product.family_id for product in products if product.family_id is not None}
        named = [*Family.objects.filter(slug__in=slugs), *Family.objects.filter(pk__in=ids)]
        found = leads.lock(each.pk for each in named) if locked else {each.pk: each for each in named}
        return cls({family.slug: family for family in found.values()}, found)

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


def impossible(parent_id: int, joining: Sequence[tuple[str, Membership]]) -> dict[int, str]:
    """Which of these SKUs cannot join their family, by their positions, and why.

    Another product has the options, or the family is full: as the products are, and with what the other rows of the
    import give them. A row that takes a product out of a family makes no room in it.
    """
    owners, members = _joined(parent_id, {each.family_id for _, each in joining if each.family_id is not None})
    found: dict[int, str] = {}
    for position, (sku, each) in enumerate(joining):
        if each.family_id is None or each.key is None:
            continue
        family = members[each.family_id]
        if owners.setdefault(each.key, sku) != sku:
            found[position] = membership.TAKEN
        elif sku not in family and len(family) >= VARIANTS_MAX:
            found[position] = FULL
        else:
            family.add(sku)
    return found


def _joined(parent_id: int, families: Collection[int]) -> tuple[dict[str, str], defaultdict[int, set[str]]]:
    """The SKUs by the keys of their options, and by their families, of the rows of an import and of the products."""
    owners: dict[str, str] = {}
    members: defaultdict[int, set[str]] = defaultdict(set)
    rows: list[QuerySet[Any]] = [ImportRow.objects.filter(parent=parent_id), Product.objects.all()] if families else []
    for each in rows:
        found = each.filter(family_id__in=families).order_by().values_list("family_id", "options_key", "sku")
        for family_id, key, sku in found:
            owners[key] = sku
            members[family_id].add(sku)
    return owners, members


def join(product: Product, wanted: Membership) -> None:
    """Write the family and the options of a product. It and its families are locked, and nothing is in the way."""
    product.family_id, product.options = wanted.family_id, dict(wanted.options)
    product.save(update_fields={"family", "options"})
    recorded.watch(product)  # for what is written of it next
