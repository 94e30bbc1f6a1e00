"""What searches and suggestions need in addition to the products."""

from django.db import models

from productbackend.database.fields import KEY_LENGTH, KeyField
from products.models.category import Category
from products.models.limits import SUGGESTION_KEY_LENGTH


class Reindex(models.Model):
    """A category that was renamed or moved, and whose products' search text is to be recomputed: products.search."""

    category = models.ForeignKey(Category, models.CASCADE, related_name="+")
    last_product = models.BigIntegerField(default=0)  # the id of the last product that is done
    claimed_at = models.DateTimeField(null=True)  # when a process claimed it, or renewed its claim
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"category {self.category_id} after product {self.last_product}"


class Suggestion(models.Model):
    """A word of the name of a product, category or brand, with the text after it: products.search.suggestions."""

    class Kind(models.TextChoices):
        PRODUCT = "product"
        CATEGORY = "category"
        BRAND = "brand"

    kind = models.CharField(max_length=8, choices=Kind)
    key = KeyField(max_length=SUGGESTION_KEY_LENGTH)
    source = KeyField(max_length=KEY_LENGTH)  # the id of the product or category, or the key of the brand

    class Meta:
        indexes = [
            # Contains the source, so that the rows of the table are not read.
            models.Index(fields=["kind", "key", "source"], name="suggestion_key"),
            models.Index(fields=["kind", "source"], name="suggestion_source"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.source}: {self.key}"
