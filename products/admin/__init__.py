"""The catalogue in the admin."""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import Prefetch, Q, QuerySet
from django.db.models.functions import Lower
from django.db.models.lookups import In
from django.http import HttpRequest, HttpResponse

from productbackend.site import home
from productbackend.site.admin import COUNT_MAX, ReadOnly, ShopAdmin, begins_with
from productbackend.site.filters import yes_no
from productbackend.text.formats import money
from products import categories
from products.admin import families as families  # registers its page
from products.admin import gathering as gathering  # adds its action
from products.admin import seams
from products.admin.forms import CategoryForm, PicksCategory, ProductForm
from products.admin.pictures import ImageInline, TakesPictures, preview
from products.inventory import low_stock, stock
from products.models import Category, Family, FormerSlug, Product, ProductImage, StockMovement
from products.naming import sku_spellings, sort_key
from products.search import query

WRITTEN_APART = {"quantity", "new_pictures"}  # by `stock`, and by `TakesPictures`
ROOTS_MAX = 50  # shown by the filter
SCAN_MAX = 1_000  # matches of a search that may scan the table
PATH_SEPARATOR = ">"
LEVELS_SEARCHED = 4  # of a path that is searched: each joins the table once more


def in_any_case(field: str, text: str) -> Q:
    """The rows whose `field` equals `text` in any case. SQLite lowers only ASCII, so spellings are compared too."""
    spellings = sku_spellings(text)
    return Q(**{f"{field}__in": spellings}) | Q(In(Lower(field), [text.lower(), *spellings]))


class ShowsFormerSlugs:
    """For the admin of a model with former slugs."""

    @admin.display(description="former web addresses")
    def former_slugs(self, row: Category | Product) -> str:
        return ", ".join(FormerSlug.objects.of(row).values_list("slug", flat=True)) or "–"


@admin.register(Category)
class CategoryAdmin(PicksCategory, ShowsFormerSlugs, ShopAdmin):
    section = "Catalogue"
    form = CategoryForm
    list_display = ("path", "web_address")
    list_display_links = ("path",)
    sortable_by = ("web_address",)
    ordering = ("lineage",)
    search_fields = ("name",)
    search_help_text = "The beginning of the name, or the slug. Home > La finds Lamps in Home."
    autocomplete_fields = ("parent",)
    readonly_fields = ("former_slugs",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Category]:
        return super().get_queryset(request).select_related("parent__parent")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term:
            return queryset, False
        *above, name = [sort_key(part) for part in search_term.split(PATH_SEPARATOR)][-LEVELS_SEARCHED:]
        found = begins_with("name_key", name)
        for levels, part in enumerate(reversed(above), start=1):
            found &= begins_with("parent__" * levels + "name_key", part)
        return queryset.filter(found if above else found | in_any_case("slug", search_term)), False

    def option_texts(self, rows: Iterable[Category]) -> dict[int, str]:
        """The paths of the options of an autocomplete, in one query."""
        return {pk: categories.path_text(names) for pk, names in categories.paths(list(rows)).items()}

    @admin.display(description="web address", ordering="slug")
    def web_address(self, category: Category) -> str:
        return category.slug

    @admin.display(description="category")
    def path(self, category: Category) -> str:
        """The names from the root, or from the grandparent if the category is deeper."""
        chain = [category]
        while len(chain) < 3 and (parent := chain[0].parent) is not None:
            chain.insert(0, parent)
        return categories.path_text(each.name for each in chain)

    def get_deleted_objects(self, objs: Iterable[Category], request: HttpRequest) -> Any:
        """Report that a category is in use, without listing its products, of which there can be thousands."""
        ids = [category.pk for category in objs]
        in_use = []
        if Category.objects.filter(parent__in=ids).exclude(pk__in=ids).exists():
            in_use.append("categories below it")
        if Product.objects.filter(category__in=ids).exists():
            in_use.append("products in it")
        if Family.objects.filter(category__in=ids).exists():
            in_use.append("families in it")
        if in_use:
            return [], {}, set(), in_use
        return super().get_deleted_objects(objs, request)


class RootFilter(admin.SimpleListFilter):
    """The categories at the root of the tree."""

    title = "department"
    parameter_name = "department"

    def lookups(self, request: HttpRequest, model_admin: "admin.ModelAdmin[Any]") -> list[tuple[Any, str]]:
        roots = Category.objects.filter(parent=None).order_by("name_key")
        return list(roots.values_list("pk", "name")[:ROOTS_MAX])

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if not value or not value.isascii() or not value.isdigit() or len(value) > 18:
            return queryset
        return queryset.filter(category__in=categories.subtree_ids(int(value)))


class StockFilter(admin.SimpleListFilter):
    title = "stock"
    parameter_name = "stock"

    def lookups(self, request: HttpRequest, model_admin: "admin.ModelAdmin[Any]") -> list[tuple[str, str]]:
        return [("none", "Sold out"), ("low", "Running out"), ("some", "In stock")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "none":
                return queryset.filter(quantity=0)
            case "low":
                return low_stock.running_out(queryset)
            case "some":
                return queryset.filter(quantity__gt=0)
        return queryset


class PictureFilter(admin.SimpleListFilter):
    title = "pictures"
    parameter_name = "pictures"

    def lookups(self, request: HttpRequest, model_admin: "admin.ModelAdmin[Any]") -> list[tuple[str, str]]:
        return [("failed", "Failed")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() != "failed":
            return queryset
        return queryset.filter(pk__in=ProductImage.objects.filter(status=ProductImage.Status.FAILED).values("product"))


@admin.register(Product)
class ProductAdmin(TakesPictures, PicksCategory, ShowsFormerSlugs, ShopAdmin):
    section = "Catalogue"
    rank = 0
    form = ProductForm
    change_list_template = "admin/shop_change_list.html"
    inlines = (ImageInline,)
    actions = seams.LIST_ACTIONS
    list_display = ("picture", "label", "sku", "maker", "category", "offered_at", "quantity", "visible")
    list_display_links = ("label",)
    sortable_by = ("label", "sku", "maker", "offered_at", "quantity")
    list_filter = (StockFilter, RootFilter, yes_no("is_active", "visible in the shop"), PictureFilter)
    list_select_related = ("category",)
    ordering = ("name_key", "id")
    search_fields = ("name",)
    search_help_text = "Words of name, brand and description, or an SKU. Counting stops at 5,000."
    autocomplete_fields = ("category",)
    readonly_fields = ("former_slugs", "family", "chosen_options", "created_at", "updated_at")
    fieldsets = (
        (None, {"fields": ("name", "brand", "category", "description", "is_active")}),
        ("Offer", {"fields": ("price", "tax_class", "quantity", "low_stock", "rating")}),
        ("Family", {"fields": ("family", "chosen_options")}),
        ("Identifiers", {"fields": ("sku", "slug", "former_slugs")}),
        ("Dates", {"fields": ("created_at", "updated_at")}),
    )

    def has_make_family_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perms(["products.change_product", "products.add_family"])

    def get_queryset(self, request: HttpRequest) -> QuerySet[Product]:
        ready = ProductImage.objects.filter(status=ProductImage.Status.READY).order_by("position", "id")
        return super().get_queryset(request).prefetch_related(Prefetch("images", ready, to_attr="ready_images"))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        links = [link for each in seams.LIST_LINKS for link in each(request)]
        return super().changelist_view(request, {**(extra_context or {}), "more_links": links})

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term:
            return queryset, False
        by_sku = query.with_sku(queryset, search_term)
        if by_sku.exists():
            return by_sku, False
        # A search with few matches may scan the whole table: do that once, unordered. One with many
        # matches soon fills a page in the page's order.
        matching = query.matching(queryset, search_term)
        ids = list(matching.order_by().values_list("pk", flat=True)[: SCAN_MAX + 1])
        return (queryset.filter(pk__in=ids) if len(ids) <= SCAN_MAX else matching), False

    @admin.display(description="")
    def picture(self, product: Any) -> str:
        return preview(product.ready_images[0] if product.ready_images else None)

    @admin.display(description="name", ordering="name_key")
    def label(self, product: Product) -> str:
        return product.name

    @admin.display(description="brand", ordering="brand_key")
    def maker(self, product: Product) -> str:
        return product.brand

    @admin.display(description="options")
    def chosen_options(self, product: Product) -> str:
        return ", ".join(f"{axis}: {value}" for axis, value in product.options.items()) or "–"

    @admin.display(description="price", ordering="price")
    def offered_at(self, product: Product) -> str:
        return money(product.price, settings.CURRENCY)

    @admin.display(description="visible", boolean=True)
    def visible(self, product: Product) -> bool:
        return product.is_active

    def save_model(self, request: HttpRequest, obj: Product, form: Any, change: bool) -> None:
        # These invalidate only this product's pages: do not save the product for them.
        if not change or {*form.changed_data} - WRITTEN_APART:
            super().save_model(request, obj, form, change)
        if change and "quantity" in form.fields:
            stock.adjust(product_id=obj.pk, delta=form.quantity_delta, user=request.user)


def running_out(request: HttpRequest) -> home.Waiting | None:
    if not home.may_view(request, Product):
        return None
    return home.Waiting(
        "Products that run out", low_stock.count(COUNT_MAX), home.list_url(Product, stock="low"), at_most=COUNT_MAX
    )


def failed_pictures(request: HttpRequest) -> home.Waiting | None:
    if not home.may_view(request, Product):
        return None
    failed = ProductImage.objects.filter(status=ProductImage.Status.FAILED)
    products = failed.order_by().values("product").distinct()[:COUNT_MAX].count()
    url = home.list_url(Product, pictures="failed")
    return home.Waiting("Products with failed pictures", products, url, at_most=COUNT_MAX)


home.WAITING.extend([running_out, failed_pictures])


@admin.register(StockMovement)
class StockMovementAdmin(ReadOnly, ShopAdmin):
    section = "Catalogue"
    list_display = ("created_at", "sku", "pieces", "what", "order_number", "note", "user")
    sortable_by = ()
    list_filter = ("reason",)
    list_select_related = ("user",)
    ordering = ("-id",)
    search_fields = ("sku",)
    search_help_text = "An SKU, or an order's number. Counting stops at 5,000."

    @admin.display(description="pieces")
    def pieces(self, movement: StockMovement) -> str:
        return f"{movement.delta:+,}"

    @admin.display(description="reason")
    def what(self, movement: StockMovement) -> str:
        """The reason, as staff choose it: what was received is a restock without an order."""
        is_received = movement.reason == StockMovement.Reason.RESTOCK and not movement.order_number
        return "Received" if is_received else movement.get_reason_display()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term:
            return queryset, False
        products = list(query.with_sku(Product.objects.all(), search_term).values_list("pk", flat=True)[:SCAN_MAX])
        # Any case of the SKU of a deleted product; of others its case does not matter to their present SKU.
        sku = Q(sku__in=sku_spellings(search_term)) | Q(product=None) & in_any_case("sku", search_term)
        found = Q(product__in=products) | sku | Q(order_number=search_term.upper())
        return queryset.filter(found), False
