"""The catalogue's tables."""

from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.db.models import Q

from productbackend.fields import KEY_LENGTH, KeyField, KeyTextField, fold
from products.caching import CatalogueQuerySet
from products.naming import free_sku, free_slug, search_text

QUANTITY_MAX = 2_147_483_647


class Category(models.Model):
    """A place in the tree that products stand in."""

    name = models.CharField(max_length=100)
    name_key = KeyField(max_length=300, editable=False)
    slug = KeyField(max_length=120, unique=True, blank=True, help_text="Made from the name where left empty.")
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    # "PARENT:name": siblings' names are unique, those at the root too, where a (parent, name)
    # constraint would let NULL parents pass.
    sibling_key = KeyField(max_length=330, unique=True, editable=False)
    # "/1/5/": the ids from the root to this one, so that a subtree is one prefix.
    lineage = KeyField(max_length=255, editable=False, db_index=True)

    objects = CatalogueQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "categories"
        ordering = ["name_key", "id"]
        indexes = [models.Index(fields=["name_key"], name="category_name")]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.name_key = fold(self.name)
        self.sibling_key = f"{self.parent_id or 0}:{self.name_key}"
        if not self.slug:
            self.slug = free_slug(Category, self.name, fallback="category")
        with transaction.atomic():  # the tree is locked until the row and its lineage are written
            super().save(*args, **kwargs)


class Product(models.Model):
    """Something for sale.

    `quantity` is written once, when the row is made; after that by `products.stock` alone, so
    that saving a description cannot bring back what was sold meanwhile.
    """

    name = models.CharField(max_length=200)
    name_key = KeyField(max_length=KEY_LENGTH, editable=False)
    slug = KeyField(max_length=220, unique=True, blank=True, help_text="Made from the name where left empty.")
    sku = KeyField("SKU", max_length=64, unique=True, blank=True, help_text="Made from the name where left empty.")
    brand = models.CharField(max_length=100, blank=True)
    brand_key = KeyField(max_length=KEY_LENGTH, blank=True, editable=False)
    description = models.TextField(blank=True)
    category = models.ForeignKey(
        Category, models.PROTECT, null=True, blank=True, related_name="products", db_index=False
    )
    price = models.DecimalField(
        max_digits=10, decimal_places=2, default=Decimal("0.00"), validators=[MinValueValidator(0)]
    )
    quantity = models.PositiveIntegerField(validators=[MaxValueValidator(QUANTITY_MAX)])
    rating = models.FloatField(default=5, validators=[MinValueValidator(0.1), MaxValueValidator(5)])
    is_active = models.BooleanField(default=True)
    # Words of name, brand and description as the search compares them; see products.search_index.
    search_text = KeyTextField(blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = CatalogueQuerySet.as_manager()

    class Meta:
        ordering = ["name_key", "id"]
        # Both engines keep the primary key behind an index's own columns, so that each of these
        # also holds the tie by id. Customers see what is active, in every order; staff see all.
        indexes = [
            models.Index(fields=["is_active", "name_key"], name="product_active_name"),
            models.Index(fields=["is_active", "price"], name="product_active_price"),
            models.Index(fields=["is_active", "rating"], name="product_active_rating"),
            models.Index(fields=["is_active", "quantity"], name="product_active_quantity"),
            models.Index(fields=["is_active", "created_at"], name="product_active_created"),
            models.Index(fields=["name_key"], name="product_name"),
            models.Index(fields=["price"], name="product_price"),
            models.Index(fields=["rating"], name="product_rating"),
            models.Index(fields=["quantity"], name="product_quantity"),
            models.Index(fields=["created_at"], name="product_created"),
            models.Index(fields=["brand_key"], name="product_brand"),
            models.Index(fields=["category", "is_active", "name_key"], name="product_category_name"),
            models.Index(fields=["category", "is_active", "price"], name="product_category_price"),
            models.Index(fields=["category", "is_active", "rating"], name="product_category_rating"),
            models.Index(fields=["category", "is_active", "quantity"], name="product_category_quantity"),
            models.Index(fields=["category", "is_active", "created_at"], name="product_category_created"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(quantity__gte=0, quantity__lte=QUANTITY_MAX), name="product_quantity_range"
            ),
            models.CheckConstraint(condition=Q(price__gte=0), name="product_price_range"),
            models.CheckConstraint(condition=Q(rating__gte=0.1, rating__lte=5), name="product_rating_range"),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.derive()
        if not self._state.adding:
            fields = kwargs.get("update_fields")
            if fields is None:
                fields = {field.name for field in self._meta.concrete_fields if not field.primary_key}
            else:
                fields = {*fields, "name_key", "brand_key", "search_text", "updated_at"}
            kwargs["update_fields"] = fields - {"quantity"}
        with transaction.atomic():  # a new row and its first movement stand or fall together
            super().save(*args, **kwargs)

    def derive(self) -> None:
        """Set what is made from other fields: keys, search text, and slug and SKU where empty."""
        self.name_key = fold(self.name)[:KEY_LENGTH]
        self.brand_key = fold(self.brand)[:KEY_LENGTH]
        self.search_text = search_text(self.name, self.brand, self.description)
        if not self.slug:
            self.slug = free_slug(Product, self.name, fallback="product")
        if not self.sku:
            self.sku = free_sku(Product, self.name)


class ProductImage(models.Model):
    """A picture of a product: the file as uploaded, and what the worker made of it."""

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
    # Of the original, as oriented.
    width = models.PositiveIntegerField(editable=False)
    height = models.PositiveIntegerField(editable=False)
    # {"full": {"file": storage name, "width": px, "height": px, "others": [storage names, one for each
    # other format]}, ...}; empty until ready. Rows from before there were others have none.
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


class StockMovement(models.Model):
    """One change of one product's quantity. Rows are added and never changed.

    For every product `quantity == sum(delta)`; `manage.py check_stock` proves it.
    """

    class Reason(models.TextChoices):
        INITIAL = "initial"
        SALE = "sale"
        RESTOCK = "restock"
        CORRECTION = "correction"

    product = models.ForeignKey(Product, models.SET_NULL, null=True, related_name="movements")
    sku = models.CharField("SKU", max_length=64)  # stays when the product goes
    delta = models.IntegerField()
    reason = models.CharField(max_length=10, choices=Reason)
    # The number and not the row: products do not know orders.
    order_number = models.CharField(max_length=20, blank=True, db_index=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.delta:+d} {self.sku}"


class StockCheck(models.Model):
    """How far the proof of the ledger is, and what the last whole one found: one row, of `products.ledger`."""

    ended_at = models.DateTimeField(null=True)
    products = models.PositiveIntegerField(default=0)
    wrong = models.PositiveIntegerField(default=0)
    # Of the one under way.
    last_product = models.BigIntegerField(default=0)
    products_so_far = models.PositiveIntegerField(default=0)
    wrong_so_far = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.wrong} of {self.products}"
