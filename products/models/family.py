"""Families: products that differ by options such as a size. A member is a product as any other."""

from typing import TYPE_CHECKING, Any

from django.db import models, transaction

from productbackend.database.fields import KEY_LENGTH, KeyField, columns
from products.models.category import Category
from products.models.derived import with_derived
from products.models.limits import AXIS_KEY_LENGTH
from products.models.slugs import FormerSlug, stored_slug
from products.naming import NAME_KEY_LENGTH, free_slug, name_key, validate_visible
from products.reads.caching import CatalogueQuerySet

if TYPE_CHECKING:
    from products.models.product import Product


class Family(models.Model):
    """Products that differ by the values of one to three axes, such as Size and Colour.

    `products.families` has the rules. Deleting a family keeps its members as products of their own.
    """

    name = models.CharField(max_length=200, validators=[validate_visible])
    name_key = KeyField(max_length=NAME_KEY_LENGTH, editable=False)
    slug = KeyField(max_length=220, unique=True, blank=True, help_text="Derived from the name if empty.")
    description = models.TextField(blank=True)
    category = models.ForeignKey(Category, models.PROTECT, null=True, blank=True, related_name="families")
    brand = models.CharField(max_length=100, blank=True)
    axes = models.JSONField()  # their names, a list of text
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = CatalogueQuerySet.as_manager()

    DERIVED = {"name_key": ("name",)}

    class Meta:
        verbose_name_plural = "families"
        ordering = ["name_key", "id"]
        indexes = [
            models.Index(fields=["name_key"], name="family_name"),
            models.Index(fields=["created_at"], name="family_created"),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        with transaction.atomic():
            is_new, before = self._state.adding, None
            if not is_new:
                fields = kwargs.get("update_fields")
                fields = columns(self) if fields is None else {*fields, "updated_at"}
                kwargs["update_fields"] = fields = with_derived(self, fields)
                before = stored_slug(self) if "slug" in fields else None
            self.derive()
            super().save(*args, **kwargs)
            if is_new or before is not None:
                FormerSlug.objects.record(self, before)

    def derive(self) -> None:
        """Set the fields that are derived from others: the key, and the slug if empty."""
        self.name_key = name_key(self.name)
        if not self.slug:
            self.slug = free_slug(Family, self.name, fallback="family")


class Option(models.Model):
    """The value that a member of a family has on an axis, by which it is found. `Product.options` has the spellings."""

    # No constraint, and no cascade: deleting a product of no family needs no statement for its options.
    product: "models.ForeignKey[Product]" = models.ForeignKey(
        "products.Product", models.DO_NOTHING, db_constraint=False, related_name="+", db_index=False
    )
    axis_key = KeyField(max_length=AXIS_KEY_LENGTH)
    value_key = KeyField(max_length=KEY_LENGTH)

    class Meta:
        # Contains the product, so that the rows of the table are not read.
        indexes = [models.Index(fields=["axis_key", "value_key", "product"], name="option_value")]
        constraints = [models.UniqueConstraint(fields=["product", "axis_key"], name="option_once")]

    def __str__(self) -> str:
        return f"{self.axis_key}: {self.value_key}"
