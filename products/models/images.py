"""Images of products, and the files that they had before."""

from django.db import models

from products.models.product import Product
from products.reads.caching import CatalogueQuerySet


class ProductImage(models.Model):
    """An image of a product: the uploaded file and the renditions that a worker makes of it."""

    class Status(models.TextChoices):
        PENDING = "pending"
        READY = "ready"
        FAILED = "failed"

    product = models.ForeignKey(Product, models.CASCADE, related_name="images", db_index=False)
    original = models.CharField(max_length=200, editable=False)  # storage name
    sha256 = models.CharField(max_length=64, editable=False)
    format = models.CharField(max_length=10, editable=False)  # Pillow's name: JPEG, PNG ...
    alt_text = models.CharField(max_length=200, blank=True)
    position = models.PositiveIntegerField(default=0)
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING, editable=False)
    error_code = models.CharField(max_length=40, blank=True, editable=False)
    error_detail = models.CharField(max_length=300, blank=True, editable=False)
    # Of the original, after orientation.
    width = models.PositiveIntegerField(editable=False)
    height = models.PositiveIntegerField(editable=False)
    # {"full": {"file": storage name, "width": px, "height": px, "others": [storage names, one for each
    # other format]}, ...}; empty until ready. Old rows lack "others".
    renditions = models.JSONField(default=dict, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    claimed_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = CatalogueQuerySet.as_manager()

    class Meta:
        ordering = ["position", "id"]
        indexes = [
            models.Index(fields=["product", "position"], name="image_order"),
            models.Index(fields=["status", "claimed_at"], name="image_waiting"),
            models.Index(fields=["original"], name="image_original"),
        ]
        constraints = [models.UniqueConstraint(fields=["product", "sha256"], name="image_once")]

    def __str__(self) -> str:
        return f"image {self.pk}"


class ReplacedFiles(models.Model):
    """The files that a rebuild of an image has replaced: cached pages name them until the sweep deletes them."""

    # No constraint: the row survives its image until the files are deleted.
    image = models.ForeignKey(ProductImage, models.DO_NOTHING, related_name="replaced", db_constraint=False)
    original = models.CharField(max_length=200, db_index=True)  # the former original's storage name
    files = models.JSONField()  # storage names, the original's too
    replaced_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"replaced files of {self.original}"
