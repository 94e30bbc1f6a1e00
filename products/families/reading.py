"""Reads and renders families with their variants: three statements for any number of families."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db.models import Exists, F, OuterRef, QuerySet
from django.db.models.lookups import In
from rest_framework.request import Request

from productbackend.api.permissions import may_see_all
from productbackend.database.statements import SelectRows, slots
from products.images.serializers import ImageWriter
from products.models import Family, Product
from products.reads.rows import IMAGES

FAMILIES_SLICE, IMAGES_SLICE = 50, 500  # ids in one statement
COLUMNS = "id", "name", "slug", "description", "category", "brand", "axes", "created_at", "updated_at"


def families(*, include_hidden: bool) -> QuerySet[Any]:
    """Families as rows; only those with an active product unless `include_hidden`."""
    rows = Family.objects.values_list("pk", "name_key", *COLUMNS, named=True)
    active = Product.objects.order_by().filter(family=OuterRef("pk"), is_active=True)
    return rows if include_hidden else rows.filter(Exists(active))


def _variants(count: int, *, include_hidden: bool) -> QuerySet[Any]:
    columns = "id", "family_id", "sku", "slug", "name", "options", "price", "quantity", "is_active", "family_position"
    rows = Product.objects.order_by().filter(In(F("family_id"), slots(count))).values_list(*columns, named=True)
    return rows if include_hidden else rows.filter(is_active=True)


VARIANTS = {
    hidden: SelectRows(lambda count, hidden=hidden: _variants(count, include_hidden=hidden)) for hidden in (False, True)
}


class FamilyWriter:
    """Renders families for one request."""

    def __init__(self, request: Request) -> None:
        self.include_hidden = may_see_all(request, Product)
        self.image_writer = ImageWriter(request)

    def write(self, found: Sequence[Any]) -> list[dict[str, Any]]:
        variants = self._variants([family.id for family in found])
        return [self._written(family, variants[family.id]) for family in found]

    @staticmethod
    def _written(family: Any, variants: list[dict[str, Any]]) -> dict[str, Any]:
        prices = [each["price"] for each in variants if each["is_active"]]
        for each in variants:
            each["price"] = f"{each['price']:.2f}"
        return {
            "id": family.id,
            "name": family.name,
            "slug": family.slug,
            "description": family.description,
            "category": family.category_id if isinstance(family, Family) else family.category,
            "brand": family.brand,
            "axes": family.axes,
            "variants": variants,
            "price_from": f"{min(prices):.2f}" if prices else None,
            "price_to": f"{max(prices):.2f}" if prices else None,
            "currency": settings.CURRENCY,
            "created_at": family.created_at.isoformat().replace("+00:00", "Z"),
            "updated_at": family.updated_at.isoformat().replace("+00:00", "Z"),
        }

    def _variants(self, family_ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
        rows = [
            row for part in _slices(family_ids, FAMILIES_SLICE) for row in VARIANTS[self.include_hidden].of_list(part)
        ]
        rows.sort(key=lambda row: (row.family_position or 0, row.id))
        images = self._images([row.id for row in rows])
        found: dict[int, list[dict[str, Any]]] = defaultdict(list)
        for row in rows:
            found[row.family_id].append(
                {
                    "id": row.id,
                    "sku": row.sku,
                    "slug": row.slug,
                    "name": row.name,
                    "options": row.options,
                    "price": row.price,  # a number, until the family's range of prices is known
                    "currency": settings.CURRENCY,
                    "quantity": row.quantity,
                    "in_stock": row.quantity > 0,
                    "is_active": row.is_active,
                    "image": images.get(row.id),
                }
            )
        return found

    def _images(self, product_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
        """The first ready image of each product."""
        rows = [row for part in _slices(product_ids, IMAGES_SLICE) for row in IMAGES[False].of_list(part)]
        rows.sort(key=lambda row: (row.position, row.pk), reverse=True)
        first = {row.product_id: row for row in rows}
        return {pk: self.image_writer.write(row) for pk, row in first.items()}


def _slices(ids: Sequence[int], size: int) -> list[Sequence[int]]:
    return [ids[start : start + size] for start in range(0, len(ids), size)]
