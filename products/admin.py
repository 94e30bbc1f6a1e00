"""The catalogue in the admin."""

from typing import Any

from django.contrib import admin
from django.core.files.storage import default_storage
from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from productbackend.admin import ReadOnly, ShopAdmin, begins_with
from products import categories, images, search, stock
from products.admin_forms import CategoryForm, ImageForm, ProductForm
from products.models import Category, Product, ProductImage, StockMovement

ROOTS_MAX = 50  # links that a filter shows
FEW = 5
RARE = 1_000  # matches of a search


@admin.register(Category)
class CategoryAdmin(ShopAdmin):
    form = CategoryForm
    list_display = ("path", "slug")
    list_display_links = ("path",)
    sortable_by = ("slug",)
    ordering = ("lineage",)
    search_fields = ("name",)
    search_help_text = "The beginning of the name, or the slug."
    autocomplete_fields = ("parent",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Category]:
        return super().get_queryset(request).select_related("parent__parent")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term:
            return queryset, False
        return queryset.filter(begins_with("name_key", search_term) | Q(slug=search_term)), False

    @admin.display(description="category")
    def path(self, category: Category) -> str:
        """The names from the root, or from the grandparent where it stands deeper."""
        chain = [category]
        while len(chain) < 3 and (parent := chain[0].parent) is not None:
            chain.insert(0, parent)
        return " › ".join(each.name for each in chain)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Say that a category is in use without listing the thousands of products in it."""
        ids = [category.pk for category in objs]
        in_use = []
        if Category.objects.filter(parent__in=ids).exclude(pk__in=ids).exists():
            in_use.append("categories below it")
        if Product.objects.filter(category__in=ids).exists():
            in_use.append("products in it")
        if in_use:
            return [], {}, set(), in_use
        return super().get_deleted_objects(objs, request)


class RootFilter(admin.SimpleListFilter):
    """The top of the tree; a search of the categories leads deeper."""

    title = "department"
    parameter_name = "department"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        roots = Category.objects.filter(parent=None).order_by("name_key")
        return list(roots.values_list("pk", "name")[:ROOTS_MAX])

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if not value or not value.isascii() or not value.isdigit():
            return queryset
        return queryset.filter(category__in=categories.subtree_ids(int(value)))


class StockFilter(admin.SimpleListFilter):
    title = "stock"
    parameter_name = "stock"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("none", "Sold out"), ("few", f"{FEW} or fewer"), ("some", "In stock")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "none":
                return queryset.filter(quantity=0)
            case "few":
                return queryset.filter(quantity__range=(1, FEW))
            case "some":
                return queryset.filter(quantity__gt=0)
        return queryset


def preview(image: ProductImage | None) -> str:
    """The thumbnail, a link to the large rendition; what became of it where there is none."""
    if image is None:
        return "–"
    if "thumb" not in image.renditions:
        return image.error_detail or image.get_status_display()
    thumb, full = image.renditions["thumb"], image.renditions.get("full", image.renditions["thumb"])
    return format_html(
        '<a href="{}"><img src="{}" alt="{}" class="preview"></a>',
        default_storage.url(full["file"]),
        default_storage.url(thumb["file"]),
        image.alt_text,
    )


class ImageInline(admin.TabularInline):
    model = ProductImage
    form = ImageForm
    extra = 1
    fields = ("preview", "upload", "alt_text", "position", "state")
    readonly_fields = ("preview", "state")

    @admin.display(description="")
    def preview(self, image: ProductImage) -> str:
        return preview(image if image.pk else None)

    @admin.display(description="status")
    def state(self, image: ProductImage) -> str:
        return image.get_status_display() if image.pk else "new"


@admin.register(Product)
class ProductAdmin(ShopAdmin):
    class Media:
        css = {"all": ["products/admin.css"]}

    form = ProductForm
    inlines = (ImageInline,)
    list_display = ("picture", "label", "sku", "maker", "category", "price", "quantity", "is_active")
    list_display_links = ("label",)
    sortable_by = ("label", "sku", "maker", "price", "quantity")
    list_filter = (StockFilter, RootFilter, "is_active")
    list_select_related = ("category",)
    ordering = ("name_key", "id")
    search_fields = ("name",)
    search_help_text = "Words of name, brand and description, or an SKU. Counting stops at 5,000."
    autocomplete_fields = ("category",)
    readonly_fields = ("created_at", "updated_at")
    fieldsets = (
        (None, {"fields": ("name", "brand", "category", "description", "is_active")}),
        ("Offer", {"fields": ("price", "quantity", "rating")}),
        ("Identifiers", {"fields": ("sku", "slug")}),
        ("Dates", {"fields": ("created_at", "updated_at")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Product]:
        ready = ProductImage.objects.filter(status=ProductImage.Status.READY).order_by("position", "id")
        return super().get_queryset(request).prefetch_related(Prefetch("images", ready, to_attr="ready_images"))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term:
            return queryset, False
        by_sku = queryset.filter(sku=search_term.upper())
        if by_sku.exists():
            return by_sku, False
        # What is rare takes a scan of the table: one, and in the table's own order. What is not
        # is soon found in the order of the page.
        matching = search.matching(queryset, search_term)
        ids = list(matching.order_by().values_list("pk", flat=True)[: RARE + 1])
        return (queryset.filter(pk__in=ids) if len(ids) <= RARE else matching), False

    @admin.display(description="")
    def picture(self, product: Any) -> str:
        return preview(product.ready_images[0] if product.ready_images else None)

    @admin.display(description="name", ordering="name_key")
    def label(self, product: Product) -> str:
        return product.name

    @admin.display(description="brand", ordering="brand_key")
    def maker(self, product: Product) -> str:
        return product.brand

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change and "quantity" in form.fields:
            stock.adjust(product_id=obj.pk, delta=form.quantity_delta, user=request.user)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Pictures come and go through the domain, which keeps their files."""
        formset.save(commit=False)
        for image in formset.deleted_objects:
            images.remove(image=image)
        for image, _ in formset.changed_objects:
            images.change(image=image, alt_text=image.alt_text, position=image.position)
        formset.new_objects = [self._added(form.instance, row) for row in formset.extra_forms if self._is_new(row)]

    @staticmethod
    def _is_new(row: Any) -> bool:
        return row.has_changed() and not row.cleaned_data.get("DELETE")

    @staticmethod
    def _added(product: Product, row: Any) -> ProductImage:
        data = row.cleaned_data
        image, _ = images.add(product_id=product.pk, file=data["upload"], alt_text=data["alt_text"])
        if "position" in row.changed_data:
            image = images.change(image=image, position=data["position"])
        return image


@admin.register(StockMovement)
class StockMovementAdmin(ReadOnly, ShopAdmin):
    list_display = ("created_at", "sku", "delta", "reason", "order_number", "user")
    sortable_by = ()
    list_filter = ("reason",)
    list_select_related = ("user",)
    ordering = ("-id",)
    search_fields = ("sku",)
    search_help_text = "An SKU, or an order's number. Counting stops at 5,000."

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term:
            return queryset, False
        term = search_term.upper()
        return queryset.filter(Q(sku=term) | Q(order_number=term)), False
