"""Writes products as they are read: a page at a time, since what a page costs is what it does for each row."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from django.conf import settings
from django.db.models import OuterRef, Subquery
from rest_framework.request import Request

from productbackend.api.permissions import is_staff_with
from products.image_serializers import ImageWriter
from products.models import Category, Product, ProductImage

# Products as rows and not as models, which take as long to make as all the rest of a page. Each query is made once,
# for it costs more to put together than to run; and not on import, where the models need not be there yet.


@cache
def product_rows(*, of_all: bool) -> Any:
    """Products as rows, with their categories' names; `of_all`, or those alone that customers may see."""
    # The category is not joined: beside a small table MySQL would rather sort than follow the page's index.
    names = Category.objects.filter(pk=OuterRef("category_id")).order_by().values("name")
    rows = Product.objects.annotate(category_name=Subquery(names)).values_list(
        "pk", "id", "name", "name_key", "slug", "sku", "brand", "description", "category_id", "category_name", "price",
        "quantity", "rating", "is_active", "created_at", "updated_at", named=True,
    )  # fmt: skip
    return rows if of_all else rows.filter(is_active=True)


@cache
def image_rows(*, of_all: bool) -> Any:
    """Images as rows; `of_all`, or those alone that are ready."""
    rows = ProductImage.objects.order_by().values_list(
        "pk", "product_id", "alt_text", "position", "status", "error_code", "error_detail", "width", "height",
        "renditions", named=True,
    )  # fmt: skip
    return rows if of_all else rows.filter(status=ProductImage.Status.READY)


def sees_all(user: Any) -> bool:
    """Whether `user` sees products that are hidden, and images that are not ready."""
    return any(is_staff_with(user, action, Product) for action in ("view", "change"))


class ProductWriter:
    """Writes products for one reader, with one query for the images of all."""

    def __init__(self, request: Request | None) -> None:
        self.image_writer = ImageWriter(request)
        self.sees_all = request is not None and sees_all(request.user)

    def write(self, products: Sequence[Any]) -> list[dict[str, Any]]:
        images = self._images([product.id for product in products])
        return [self._write(product, images[product.id]) for product in products]

    def _write(self, product: Any, images: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "id": product.id,
            "name": product.name,
            "slug": product.slug,
            "sku": product.sku,
            "brand": product.brand,
            "description": product.description,
            "category": product.category_id,
            "category_name": product.category_name,
            "price": f"{product.price:.2f}",
            "currency": settings.CURRENCY,
            "quantity": product.quantity,
            "rating": product.rating,
            "is_active": product.is_active,
            "image": next((image for image in images if image["status"] == "ready"), None),
            "images": images,
            "created_at": _time(product.created_at),
            "updated_at": _time(product.updated_at),
        }

    def _images(self, product_ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
        found: dict[int, list[dict[str, Any]]] = defaultdict(list)
        rows = image_rows(of_all=self.sees_all).filter(product_id__in=product_ids)
        for row in sorted(rows, key=lambda row: (row.position, row.pk)):
            found[row.product_id].append(self.image_writer.write(row))
        return found


def _time(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
