"""Former slugs of products, categories and families."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.db import models

from productbackend.database.fields import KeyField

if TYPE_CHECKING:
    from products.models.category import Category
    from products.models.family import Family
    from products.models.product import Product


class FormerSlugs(models.Manager["FormerSlug"]):
    """The former slugs of products, categories and families."""

    def of(self, row: models.Model) -> models.QuerySet["FormerSlug"]:
        return self.filter(kind=row._meta.model_name, object_id=row.pk)

    def record(self, row: "Category | Family | Product", before: str | None) -> None:
        """Record the slug that `row` had before it was saved; its present one is no former slug of any object.

        Call it in the transaction that saves, after the row was written: the unique slug orders concurrent writers.
        """
        if before == row.slug:
            return
        self.taken(type(row), [row.slug, before or row.slug])
        if before:
            self.create(kind=row._meta.model_name or "", slug=before, object_id=row.pk)

    def taken(self, model: type[models.Model], slugs: Iterable[str]) -> None:
        """Objects have these slugs now: they are no former slugs of any other."""
        self.filter(kind=model._meta.model_name, slug__in=list(slugs)).delete()


class FormerSlug(models.Model):
    """A slug that an object had. It leads to the object until another one takes it, or the object takes it back."""

    kind = models.CharField(max_length=10)  # the name of the model
    slug = KeyField(max_length=220)
    object_id = models.BigIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    objects = FormerSlugs()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["kind", "object_id"], name="former_slug_object")]
        constraints = [models.UniqueConstraint(fields=["kind", "slug"], name="former_slug_once")]

    def __str__(self) -> str:
        return self.slug


def stored_slug(row: "Category | Family | Product") -> str | None:
    """The slug of a row in the database, which is locked."""
    locked: models.QuerySet[Any] = type(row).objects.order_by().select_for_update()
    return locked.filter(pk=row.pk).values_list("slug", flat=True).first()
