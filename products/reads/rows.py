"""Renders products for responses, a whole page at a time: the cost of a page is the cost per row."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import cache
from operator import attrgetter
from typing import Any

from django.conf import settings
from django.db.models import F, OuterRef, QuerySet, Subquery
from django.db.models.lookups import In
from rest_framework.request import Request

from productbackend.api.permissions import sees_all
from productbackend.database.statements import SelectRows, slot, slots
from products.images.serializers import ImageWriter
from products.models import Category, Product, ProductImage

Images = list[dict[str, Any]]


def _time(column: str) -> Callable[[Any, Images], str]:
    return lambda row, images: getattr(row, column).isoformat().replace("+00:00", "Z")


# The members of a product in a response. The query reads them as columns, except those in COMPUTED, and
# `ProductSerializer` has them as fields, so that the OpenAPI document has them.
MEMBERS = (
    "id", "name", "slug", "sku", "brand", "description", "category", "category_name", "price", "currency", "quantity",
    "rating", "is_active", "family", "options", "tax_class", "image", "images", "created_at", "updated_at",
)  # fmt: skip
COMPUTED = {"currency", "image", "images"}
# The members that are not written as their column is, with functions of the row and its images.
WRITERS: dict[str, Callable[[Any, Images], Any]] = {
    "price": lambda row, images: f"{row.price:.2f}",
    "currency": lambda row, images: settings.CURRENCY,
    "image": lambda row, images: next((image for image in images if image["status"] == "ready"), None),
    "images": lambda row, images: images,
    "created_at": _time("created_at"),
    "updated_at": _time("updated_at"),
}

# All members of a row by one call; in the place of each computed one there is an id, until its writer replaces it.
AS_THEY_ARE = attrgetter(*("id" if name in WRITERS else name for name in MEMBERS))

# Rows, not models: creating model instances takes as long as everything else in a page. Each query is built once,
# for building it takes longer than running it, and not on import, when the models may not be loaded yet.


@cache
def product_rows(*, include_hidden: bool) -> QuerySet[Any]:
    """Products as rows, with their categories' names; only active ones unless `include_hidden`."""
    # A subquery, not a join: with a small table joined, MySQL would sort instead of reading the page's index.
    names = Category.objects.filter(pk=OuterRef("category_id")).order_by().values("name")
    columns = [name for name in MEMBERS if name not in COMPUTED]
    rows = Product.objects.annotate(category_name=Subquery(names)).values_list("pk", "name_key", *columns, named=True)
    return rows if include_hidden else rows.filter(is_active=True)


@cache
def image_rows(*, include_hidden: bool) -> QuerySet[Any]:
    """Images as rows; only those that are ready unless `include_hidden`."""
    rows = ProductImage.objects.order_by().values_list(
        "pk", "product_id", "alt_text", "position", "status", "error_code", "error_detail", "width", "height",
        "renditions", named=True,
    )  # fmt: skip
    return rows if include_hidden else rows.filter(status=ProductImage.Status.READY)


# The rows of single products, and of the images of a page, are read by compiled statements, by `include_hidden`.
ONE_PRODUCT = {
    hidden: SelectRows(lambda hidden=hidden: product_rows(include_hidden=hidden).order_by().filter(pk=slot("pk")))
    for hidden in (False, True)
}
PRODUCTS = {
    hidden: SelectRows(
        lambda count, hidden=hidden: product_rows(include_hidden=hidden).order_by().filter(pk__in=slots(count))
    )
    for hidden in (False, True)
}
IMAGES = {
    hidden: SelectRows(
        lambda count, hidden=hidden: image_rows(include_hidden=hidden).filter(In(F("product_id"), slots(count)))
    )
    for hidden in (False, True)
}


def product_row(pk: int, *, include_hidden: bool) -> Any | None:
    """One product as a row."""
    return ONE_PRODUCT[include_hidden].first(pk=pk)


def rows_by_id(ids: Sequence[int], *, include_hidden: bool) -> list[Any]:
    """The products with these ids in the order of `ids`, without those that were deleted meanwhile."""
    rows = {row.id: row for row in PRODUCTS[include_hidden].of_list(ids)}
    return [rows[pk] for pk in ids if pk in rows]


class ProductWriter:
    """Renders products for one request, with one query for all images."""

    def __init__(self, request: Request | None) -> None:
        self.image_writer = ImageWriter(request)
        self.sees_all_images = request is not None and sees_all(request.user, ProductImage)

    def write(self, products: Sequence[Any]) -> list[dict[str, Any]]:
        images = self._images([product.id for product in products])
        return [self._written(product, images[product.id]) for product in products]

    @staticmethod
    def _written(product: Any, images: Images) -> dict[str, Any]:
        members = dict(zip(MEMBERS, AS_THEY_ARE(product), strict=True))
        for name, writer in WRITERS.items():
            members[name] = writer(product, images)
        return members

    def _images(self, product_ids: Sequence[int]) -> dict[int, Images]:
        found: dict[int, Images] = defaultdict(list)
        rows = IMAGES[self.sees_all_images].of_list(product_ids)
        for row in sorted(rows, key=lambda row: (row.position, row.pk)):
            found[row.product_id].append(self.image_writer.write(row))
        return found


def thumbs(request: Request, product_ids: Sequence[int]) -> dict[int, str | None]:
    """The URLs of the small renditions of the products' first ready images, in one query."""
    writer, found = ImageWriter(request), {}
    rows = IMAGES[False].of_list(product_ids)
    for row in sorted(rows, key=lambda row: (row.position, row.pk), reverse=True):
        found[row.product_id] = writer.write(row)["thumb"]
    return found
