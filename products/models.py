"""The catalogue's tables."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.db.models import Q

from productbackend.database.fields import KEY_LENGTH, KeyField, KeyTextField, columns, fold
from productbackend.database.verification import Verification
from products.naming import NAME_KEY_LENGTH, free_sku, free_slug, name_key, sibling_key, validate_visible
from products.reads.caching import CatalogueQuerySet
from products.search.tokens import search_text

QUANTITY_MAX = POSITION_MAX = 2_147_483_647
DESCRIPTION_MAX = 20_000  # characters; the column holds more, which the admin may write
STANDARD_TAX_CLASS = "standard"  # of a product or a delivery method that names none
SUGGESTION_KEY_LENGTH = 64


def with_derived(row: "Category | Product", fields: Iterable[str]) -> set[str]:
    """`fields`, and the columns of `row` that are derived from any of them (`row.DERIVED`).

    Other sources of these columns are read again from the database and locked: a derived column must not be
    computed from a stale value in `row`. Call it in the transaction that saves.
    """
    fields = {row._meta.get_field(name).name for name in fields}  # parent_id is parent
    derived = {column for column, sources in row.DERIVED.items() if fields & {column, *sources}}
    unsaved = {source for column in derived for source in row.DERIVED[column]} - fields
    if unsaved:
        locked: models.QuerySet[Any] = type(row).objects.select_for_update()
        row.refresh_from_db(fields=unsaved, from_queryset=locked)
    return fields | derived


def category_names(categories: models.QuerySet[Any], lineages: Mapping[int, str]) -> dict[int, list[str]]:
    """The names from the root to each category, by id, in one query. `lineages` are their lineages by id."""
    chains = {pk: [int(ancestor) for ancestor in lineage.split("/") if ancestor] for pk, lineage in lineages.items()}
    names = dict(categories.filter(pk__in={pk for chain in chains.values() for pk in chain}).values_list("pk", "name"))
    return {pk: [names[ancestor] for ancestor in chain if ancestor in names] for pk, chain in chains.items()}


class FormerSlugs(models.Manager["FormerSlug"]):
    """The former slugs of products and categories."""

    def of(self, row: models.Model) -> models.QuerySet["FormerSlug"]:
        return self.filter(kind=row._meta.model_name, object_id=row.pk)

    def record(self, row: "Category | Product", before: str | None) -> None:
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


def stored_slug(row: "Category | Product") -> str | None:
    """The slug of a row in the database, which is locked."""
    locked: models.QuerySet[Any] = type(row).objects.order_by().select_for_update()
    return locked.filter(pk=row.pk).values_list("slug", flat=True).first()


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


class Product(models.Model):
    """A product.

    `quantity` is written when the row is created; after that only by `products.inventory.stock`, so
    that saving a description cannot undo a concurrent sale.
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
    rating = models.FloatField(default=5, validators=[MinValueValidator(0.1), MaxValueValidator(5)])
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
    # Tokens of name, brand, description, SKU and the categories' names; see products.search.tokens.
    search_text = KeyTextField(blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = CatalogueQuerySet.as_manager()

    DERIVED = {
        "name_key": ("name",),
        "brand_key": ("brand",),
        "search_text": ("name", "brand", "description", "sku", "category"),
    }

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
            is_new, before = self._state.adding, None
            if not is_new:
                fields = kwargs.get("update_fields")
                fields = columns(self) if fields is None else {*fields, "updated_at"}
                kwargs["update_fields"] = fields = with_derived(self, fields) - {"quantity"}
                before = stored_slug(self) if "slug" in fields else None
            self.derive()
            super().save(*args, **kwargs)
            if is_new or before is not None:
                FormerSlug.objects.record(self, before)

    def derive(self, categories: Sequence[str] | None = None) -> None:
        """Set the fields that are derived from others: keys, search text, and slug and SKU if empty.

        `categories` are the names of the category and those above it; if None, they are read.
        """
        self.name_key = name_key(self.name)
        self.brand_key = fold(self.brand)[:KEY_LENGTH]
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


class StockMovement(models.Model):
    """One change of one product's quantity. Rows are only added, and not changed.

    For every product `quantity == sum(delta)`; `manage.py check_stock` verifies it.
    """

    class Reason(models.TextChoices):
        INITIAL = "initial"
        SALE = "sale"
        RESTOCK = "restock"
        CORRECTION = "correction"

    product = models.ForeignKey(Product, models.SET_NULL, null=True, related_name="movements")
    sku = models.CharField("SKU", max_length=64)  # remains after the product is deleted
    delta = models.IntegerField()
    reason = models.CharField(max_length=10, choices=Reason)
    # The number, not a foreign key: this app does not depend on orders.
    order_number = models.CharField(max_length=20, blank=True, db_index=True)
    note = models.CharField(max_length=200, blank=True, default="", db_default="")  # of staff
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        # A covering index for the sum of a product's movements. MySQL uses it for the foreign key too.
        indexes = [models.Index(fields=["product", "delta"], name="movement_product_delta")]

    def __str__(self) -> str:
        return f"{self.delta:+d} {self.sku}"


class StockCheck(Verification):
    """The check of the stock ledger: products.inventory.ledger."""

    # The columns have the names of the first releases, which still read them during an upgrade.
    checked = models.PositiveIntegerField(default=0, db_column="products")
    last_pk = models.BigIntegerField(default=0, db_column="last_product")
    checked_so_far = models.PositiveIntegerField(default=0, db_column="products_so_far")


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
