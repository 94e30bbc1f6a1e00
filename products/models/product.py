"""Products."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.db.models import Q

from productbackend.database.fields import KEY_LENGTH, KeyField, KeyTextField, TextMapField, columns, fold
from products.models.category import Category, category_names
from products.models.derived import with_derived
from products.models.family import Family
from products.models.limits import QUANTITY_MAX, STANDARD_TAX_CLASS
from products.models.slugs import FormerSlug
from products.naming import NAME_KEY_LENGTH, free_sku, free_slug, name_key, validate_visible
from products.reads.caching import CatalogueQuerySet
from products.search.tokens import search_text


class Product(models.Model):
    """A product.

    `quantity` is written when the row is created; after that only by `products.inventory.stock`, so
    that saving a description cannot undo a concurrent sale. The same holds for its place in a family.
    """

    name = models.CharField(max_length=200, validators=[validate_visible])
    name_key = KeyField(max_length=NAME_KEY_LENGTH, editable=False)
    slug = KeyField(max_length=220, unique=True, blank=True, help_text="Derived from the name if empty.")
    sku = KeyField("SKU", max_length=64, unique=True, blank=True, help_text="Derived from the name if empty.")
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
    # Null: nobody gave one.
    rating = models.FloatField(null=True, blank=True, validators=[MinValueValidator(0.1), MaxValueValidator(5)])
    is_active = models.BooleanField(default=True)
    tax_class = KeyField(
        max_length=50,
        default=STANDARD_TAX_CLASS,
        db_default=STANDARD_TAX_CLASS,
        help_text="A word of the shop's own, such as reduced.",
    )
    # At how many pieces it runs out: products.inventory.low_stock. Null: LOW_STOCK.
    low_stock = models.PositiveIntegerField(
        "low stock at",
        null=True,
        blank=True,
        validators=[MaxValueValidator(QUANTITY_MAX)],
        help_text="The home page lists the product at so many pieces or fewer. Empty: the shop's LOW_STOCK.",
    )
    # Null: no member of a family. `products.families` has the rules, and alone writes the position and the lead.
    family = models.ForeignKey(Family, models.SET_NULL, null=True, blank=True, related_name="members", db_index=False)
    options = TextMapField()  # axis -> value, in the order of the axes
    # A hash of the family and the options: no two members have the same.
    options_key = KeyField(max_length=32, null=True, unique=True, editable=False)
    family_position = models.PositiveIntegerField(null=True, editable=False)
    # Of the products of a family one stands for it in lists; any other product stands for itself.
    is_lead = models.BooleanField(default=True, db_default=True, editable=False)
    # Tokens of name, brand, description, SKU and the categories' names; see products.search.tokens.
    search_text = KeyTextField(blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = CatalogueQuerySet.as_manager()

    DERIVED = {
        "name_key": ("name",),
        "brand_key": ("brand",),
        "search_text": ("name", "brand", "description", "sku", "category"),
        "options": ("family",),
        "options_key": ("family", "options"),
    }
    # Columns that saving an existing row does not write: a stale instance must not undo what others wrote.
    WRITTEN_ELSEWHERE = {"quantity", "family_position", "is_lead"}

    family_before: int | None = None  # the family of the row before it is saved, if the family is saved

    class Meta:
        ordering = ["name_key", "id"]
        # InnoDB and SQLite append the primary key to each index, so that each of these also orders
        # ties by id. Customers see active products, in every order; staff see all.
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
            models.Index(fields=["low_stock"], name="product_low_stock"),
            models.Index(fields=["created_at"], name="product_created"),
            models.Index(fields=["brand_key"], name="product_brand"),
            models.Index(fields=["category", "is_active", "name_key"], name="product_category_name"),
            models.Index(fields=["category", "is_active", "price"], name="product_category_price"),
            models.Index(fields=["category", "is_active", "rating"], name="product_category_rating"),
            models.Index(fields=["category", "is_active", "quantity"], name="product_category_quantity"),
            models.Index(fields=["category", "is_active", "created_at"], name="product_category_created"),
            # Has what a lead is found and compared by, so that no row of a member is read for that.
            models.Index(
                fields=["family", "family_position", "is_lead", "is_active", "price"], name="product_family_price"
            ),
            # For lists with one product of each family. Other orders than by name skip the other members on the way,
            # of which a family has 249 at most; counts and facets read one of these.
            models.Index(fields=["is_lead", "is_active", "name_key"], name="product_lead_name"),
            models.Index(fields=["category", "is_lead", "is_active", "name_key"], name="product_category_lead"),
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
        with transaction.atomic():  # a new row and its first movement are written together
            is_new, before, self.family_before = self._state.adding, None, None
            if not is_new:
                fields = kwargs.get("update_fields")
                fields = columns(self) if fields is None else {*fields, "updated_at"}
                kwargs["update_fields"] = fields = with_derived(self, fields) - self.WRITTEN_ELSEWHERE
                if fields & {"slug", "family"}:
                    slug, self.family_before = self._stored()
                    before = slug if "slug" in fields else None
            self.derive()
            super().save(*args, **kwargs)
            if is_new or before is not None:
                FormerSlug.objects.record(self, before)

    def _stored(self) -> tuple[str | None, int | None]:
        """The slug and the family of the row in the database, which is locked."""
        locked = Product.objects.order_by().select_for_update().filter(pk=self.pk)
        return locked.values_list("slug", "family_id").first() or (None, None)

    def derive(self, categories: Sequence[str] | None = None) -> None:
        """Set the fields that are derived from others: keys, search text, and slug and SKU if empty.

        `categories` are the names of the category and those above it; if None, they are read.
        """
        self.name_key = name_key(self.name)
        self.brand_key = fold(self.brand)[:KEY_LENGTH]
        if self.family_id is None:
            self.options, self.options_key = {}, None
        if not self.slug:
            self.slug = free_slug(Product, self.name, fallback="product")
        if not self.sku:
            self.sku = free_sku(Product, self.name)
        self.search_text = search_text(
            name=self.name,
            brand=self.brand,
            description=self.description,
            sku=self.sku,
            categories=self._category_names() if categories is None else categories,
        )

    def _category_names(self) -> list[str]:
        if self.category_id is None:
            return []
        lineages = dict(Category.objects.filter(pk=self.category_id).values_list("pk", "lineage"))
        return category_names(Category.objects.all(), lineages).get(self.category_id, [])
