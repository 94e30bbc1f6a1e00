"""The category tree: creates, changes, moves and deletes categories; finds paths and subtrees."""

import functools
import operator
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError, Q

from productbackend.database import recorded
from productbackend.database.transactions import atomic_with_retry
from productbackend.errors import DomainError, InvalidValue
from products.models import Category, category_names
from products.naming import sibling_key
from products.reads import caching

DEPTH_MAX = 12

Precondition = Callable[[Category], None]  # may refuse by raising DomainError


@atomic_with_retry
def create(*, name: str, parent: Category | None = None, slug: str = "", position: int = 0) -> Category:
    """Create a category below `parent`, or at the root. Raises InvalidValue."""
    category = Category(name=name, parent=parent, slug=slug, position=position)
    _save(category)
    return category


@atomic_with_retry
def change(*, category_id: int, precondition: Precondition = lambda category: None, **fields: Any) -> Category:
    """Change a category. A move includes its subtree.

    `precondition` is called with the category first, with the tree locked, and may raise DomainError.
    Raises InvalidValue, and DomainError `not-found`.
    """
    category = locked_category(category_id)
    recorded.watch(category)
    precondition(category)
    for name, value in fields.items():
        setattr(category, name, value)
    _save(category)
    return category


@atomic_with_retry
def delete(*, category_id: int, precondition: Precondition = lambda category: None) -> None:
    """Delete an empty category.

    `precondition` is called with the category first, with the tree locked, and may raise DomainError.
    Raises DomainError: `not-found`, `in-use`.
    """
    category = locked_category(category_id)
    precondition(category)
    try:
        with transaction.atomic():
            category.delete()
            caching.catalogue_changed()
    except (ProtectedError, IntegrityError):
        raise DomainError("in-use", "The category still has products, families or children.") from None


def locked_category(category_id: int) -> Category:
    lock_tree()
    category = Category.objects.filter(pk=category_id).first()
    if category is None:
        raise DomainError("not-found", "There is no such category.")
    return category


def validate_position(category: Category) -> None:
    """Raise InvalidValue if `category` cannot have its parent, or its name below that parent."""
    parent = Category.objects.filter(pk=category.parent_id).first() if category.parent_id else None
    if category.parent_id and parent is None:
        raise InvalidValue("parent", "does_not_exist", "There is no such category.")
    if parent is not None and category.pk and f"/{category.pk}/" in parent.lineage:
        raise InvalidValue("parent", "cycle", "A category cannot be moved below itself.")
    depth = (parent.lineage.count("/") if parent else 1) + _height(category)
    if depth > DEPTH_MAX:
        raise InvalidValue("parent", "too_deep", f"The tree has {DEPTH_MAX} levels at most.")
    siblings = Category.objects.filter(sibling_key=sibling_key(category.parent_id, category.name))
    if siblings.exclude(pk=category.pk).exists():
        raise InvalidValue("name", "unique", "There is already a category of this name at this level.")


def update_lineage(category: Category) -> None:
    """Write the lineage of a saved category, and of its subtree if it has moved."""
    before, parent_id = Category.objects.values_list("lineage", "parent_id").get(pk=category.pk)
    parent = Category.objects.get(pk=parent_id) if parent_id else None
    category.lineage = f"{parent.lineage if parent else '/'}{category.pk}/"
    if category.lineage == before:
        return
    Category.objects.filter(pk=category.pk).update(lineage=category.lineage)
    if before:
        for child in Category.objects.filter(lineage__startswith=before).exclude(pk=category.pk):
            Category.objects.filter(pk=child.pk).update(lineage=category.lineage + child.lineage.removeprefix(before))


def lock_tree() -> None:
    """Lock every category, so that concurrent moves cannot create a cycle or miss a new child."""
    list(Category.objects.select_for_update().order_by("pk").values_list("pk"))


def subtree_ids(*category_ids: int) -> list[int]:
    """The ids of categories and their descendants, each once; ids that no category has are ignored."""
    lineages = Category.objects.order_by().filter(pk__in=category_ids).values_list("lineage", flat=True)
    below = functools.reduce(operator.or_, [Q(lineage__startswith=lineage) for lineage in lineages], Q(pk__in=()))
    return list(Category.objects.order_by().filter(below).values_list("pk", flat=True))


def tree() -> list[dict[str, Any]]:
    """The categories at the root, each with its `children`, by one query. Siblings are in their order."""
    rows = Category.objects.order_by("position", "name_key", "id").values_list("pk", "name", "slug", "parent_id")
    children: dict[int | None, list[dict[str, Any]]] = defaultdict(list)
    for pk, name, slug, parent_id in rows:
        children[parent_id].append({"id": pk, "name": name, "slug": slug, "children": children[pk]})
    return children[None]


def paths(categories: list[Category]) -> dict[int, list[str]]:
    """The names from the root to each category, by id, in one query."""
    return category_names(Category.objects.all(), {category.pk: category.lineage for category in categories})


def path_text(names: Iterable[str]) -> str:
    """A path for people: Home > Lamps."""
    return " > ".join(names)


def path_texts(category_ids: Iterable[int | None]) -> dict[int, str]:
    """The paths of the categories that exist, by id, in two queries."""
    ids = {pk for pk in category_ids if pk is not None}
    lineages = dict(Category.objects.order_by().filter(pk__in=ids).values_list("pk", "lineage")) if ids else {}
    return {pk: path_text(names) for pk, names in category_names(Category.objects.all(), lineages).items()}


def _height(category: Category) -> int:
    """The number of levels in the subtree of `category`; 1 if it has no children."""
    stored = Category.objects.filter(pk=category.pk).values_list("lineage", flat=True).first() if category.pk else None
    if not stored:
        return 1
    lineages = Category.objects.filter(lineage__startswith=stored).values_list("lineage", flat=True)
    return max(lineage.count("/") for lineage in lineages) - stored.count("/") + 1


def _save(category: Category) -> None:
    try:
        with transaction.atomic():
            category.save()
            caching.catalogue_changed()
    except IntegrityError:
        validate_position(category)  # a concurrent request created a sibling of this name
        raise InvalidValue("slug", "unique", "This slug is taken.") from None
