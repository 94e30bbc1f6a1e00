"""The category tree: places in it, moves, and what stands below."""

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from productbackend.errors import DomainError, InvalidValue
from productbackend.fields import fold
from productbackend.transactions import retried
from products.models import Category

DEPTH_MAX = 12


@retried
def create(*, name: str, parent: Category | None = None, slug: str = "") -> Category:
    """A new category below `parent`, or at the root."""
    category = Category(name=name, parent=parent, slug=slug)
    _save(category)
    return category


@retried
def change(*, category_id: int, **fields: Any) -> Category:
    """Rename or move a category; its subtree goes with it."""
    lock_tree()
    category = Category.objects.filter(pk=category_id).first()
    if category is None:
        raise DomainError("not-found", "There is no such category.")
    for name, value in fields.items():
        setattr(category, name, value)
    _save(category)
    return category


@retried
def delete(*, category_id: int) -> None:
    """Remove a category that nothing stands in."""
    try:
        with transaction.atomic():
            Category.objects.get(pk=category_id).delete()
    except Category.DoesNotExist:
        raise DomainError("not-found", "There is no such category.") from None
    except (ProtectedError, IntegrityError):
        raise DomainError("in-use", "The category still has products or children.") from None


def check_place(category: Category) -> None:
    """Raise InvalidValue where `category` cannot stand where its `parent` says, under its name."""
    parent = Category.objects.filter(pk=category.parent_id).first() if category.parent_id else None
    if category.parent_id and parent is None:
        raise InvalidValue("parent", "does_not_exist", "There is no such category.")
    if parent is not None and category.pk and f"/{category.pk}/" in parent.lineage:
        raise InvalidValue("parent", "cycle", "A category cannot be moved below itself.")
    depth = (parent.lineage.count("/") if parent else 1) + _height(category)
    if depth > DEPTH_MAX:
        raise InvalidValue("parent", "too_deep", f"The tree has {DEPTH_MAX} levels at most.")
    siblings = Category.objects.filter(sibling_key=f"{category.parent_id or 0}:{fold(category.name)}")
    if siblings.exclude(pk=category.pk).exists():
        raise InvalidValue("name", "unique", "There is a category of this name here.")


def trace(category: Category) -> None:
    """Write the lineage of a saved category, and of its subtree where it has moved."""
    parent = Category.objects.get(pk=category.parent_id) if category.parent_id else None
    before, category.lineage = category.lineage, f"{parent.lineage if parent else '/'}{category.pk}/"
    if category.lineage == before:
        return
    Category.objects.filter(pk=category.pk).update(lineage=category.lineage)
    if before:
        for child in Category.objects.filter(lineage__startswith=before).exclude(pk=category.pk):
            Category.objects.filter(pk=child.pk).update(lineage=category.lineage + child.lineage.removeprefix(before))


def lock_tree() -> None:
    """Hold every category: two crossing moves make no cycle, and no child is made below one that moves."""
    list(Category.objects.select_for_update().order_by("pk").values_list("pk"))


def subtree_ids(category_id: int) -> list[int]:
    """The ids of a category and all below it; none where there is no such category."""
    lineage = Category.objects.filter(pk=category_id).values_list("lineage", flat=True).first()
    if lineage is None:
        return []
    return list(Category.objects.filter(lineage__startswith=lineage).values_list("pk", flat=True))


def paths(categories: list[Category]) -> dict[int, list[str]]:
    """For each category the names from the root to it, in one query."""
    chains = {category.pk: [int(pk) for pk in category.lineage.strip("/").split("/")] for category in categories}
    names = dict(
        Category.objects.filter(pk__in={pk for chain in chains.values() for pk in chain}).values_list("pk", "name")
    )
    return {pk: [names[ancestor] for ancestor in chain if ancestor in names] for pk, chain in chains.items()}


def _height(category: Category) -> int:
    """How many levels the subtree of `category` has: 1 where nothing is below it."""
    if not category.pk or not category.lineage:
        return 1
    lineages = Category.objects.filter(lineage__startswith=category.lineage).values_list("lineage", flat=True)
    return max((lineage.count("/") for lineage in lineages), default=2) - category.lineage.count("/") + 1


def _save(category: Category) -> None:
    try:
        with transaction.atomic():
            category.save()
    except IntegrityError:
        check_place(category)  # a sibling came first
        raise InvalidValue("slug", "unique", "This slug is taken.") from None
