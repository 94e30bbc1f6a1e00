"""The tree of categories."""

from collections.abc import Mapping
from typing import Any

from django.core.validators import MaxValueValidator
from django.db import models, transaction

from productbackend.database.fields import KeyField, columns
from products.models.derived import with_derived
from products.models.limits import POSITION_MAX
from products.models.slugs import FormerSlug, stored_slug
from products.naming import NAME_KEY_LENGTH, free_slug, name_key, sibling_key, validate_visible
from products.reads.caching import CatalogueQuerySet


def category_names(categories: models.QuerySet[Any], lineages: Mapping[int, str]) -> dict[int, list[str]]:
    """The names from the root to each category, by id, in one query. `lineages` are their lineages by id."""
    chains = {pk: [int(ancestor) for ancestor in lineage.split("/") if ancestor] for pk, lineage in lineages.items()}
    names = dict(categories.filter(pk__in={pk for chain in chains.values() for pk in chain}).values_list("pk", "name"))
    return {pk: [names[ancestor] for ancestor in chain if ancestor in names] for pk, chain in chains.items()}


class Category(models.Model):
    """A category in the tree."""

    name = models.CharField(max_length=100, validators=[validate_visible])
    name_key = KeyField(max_length=NAME_KEY_LENGTH, editable=False)
    slug = KeyField(max_length=120, unique=True, blank=True, help_text="Derived from the name if empty.")
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    # "PARENT:name": siblings' names are unique, at the root too, where a unique (parent, name)
    # would not compare NULL parents.
    sibling_key = KeyField(max_length=330, unique=True, editable=False)
    # "/1/5/": the ids from the root to this category; its subtree has this prefix.
    lineage = KeyField(max_length=255, editable=False, db_index=True)
    position = models.PositiveIntegerField(
        default=0,
        db_default=0,
        validators=[MaxValueValidator(POSITION_MAX)],
        help_text="The sort order among its siblings, ascending; then by name.",
    )

    objects = CatalogueQuerySet.as_manager()

    DERIVED = {"name_key": ("name",), "sibling_key": ("name", "parent")}

    class Meta:
        verbose_name_plural = "categories"
        ordering = ["name_key", "id"]
        indexes = [
            models.Index(fields=["name_key"], name="category_name"),
            models.Index(fields=["parent", "position"], name="category_siblings"),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        with transaction.atomic():  # the tree is locked until the row and its lineage are written
            is_new, before = self._state.adding, None
            if not is_new:
                fields = kwargs.get("update_fields")
                # `products.categories` writes the lineage after the row: do not overwrite it with a stale one.
                fields = with_derived(self, columns(self) if fields is None else fields) - {"lineage"}
                kwargs["update_fields"] = fields
                before = stored_slug(self) if "slug" in fields else None
            self.derive()
            super().save(*args, **kwargs)
            if is_new or before is not None:
                FormerSlug.objects.record(self, before)

    def derive(self) -> None:
        """Set the fields that are derived from others: keys, and the slug if empty."""
        self.name_key = name_key(self.name)
        self.sibling_key = sibling_key(self.parent_id, self.name)
        if not self.slug:
            self.slug = free_slug(Category, self.name, fallback="category")
