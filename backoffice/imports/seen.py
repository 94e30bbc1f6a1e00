"""What the check saw of a product, and whether it was written since, other than by a sale."""

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Max, Q

from products.models import Product, StockMovement

Reason = StockMovement.Reason
FIELDS = (
    "name",
    "slug",
    "brand",
    "description",
    "category_id",
    "price",
    "rating",
    "is_active",
    "tax_class",
    "family_id",
    "options",
)


class Seen(NamedTuple):
    """A product as it was. `digest` is of all that staff write, `at` when it was last written, by a sale too."""

    pk: int
    at: str
    quantity: int
    digest: str

    @classmethod
    def of(cls, product: Product) -> "Seen":
        written = json.dumps([str(getattr(product, name)) for name in FIELDS])
        digest = hashlib.blake2b(written.encode(), digest_size=8).hexdigest()
        return cls(product.pk, _time(product.updated_at), product.quantity, digest)

    def is_sold_only(self, product: Product) -> bool:
        """Whether its fields are the same. Its stock may have been written by staff."""
        return self == Seen.of(product)._replace(at=self.at, quantity=self.quantity)


def _time(time: datetime) -> str:
    return time.isoformat()


def last_movement() -> int:
    """The id of the last movement. Products that the caller has locked get later ones only."""
    return StockMovement.objects.aggregate(last=Max("pk"))["last"] or 0


def written_since(seen: dict[str, Seen], products: dict[str, Product], movement: int) -> set[str]:
    """The SKUs of the products, by SKU and locked, that staff have written since they were seen."""
    touched = {sku for sku in products if sku in seen and _time(products[sku].updated_at) != seen[sku].at}
    written = {sku for sku in touched if not seen[sku].is_sold_only(products[sku])}
    corrected = _corrected((products[sku].pk for sku in touched), movement)
    return written | {sku for sku in touched if products[sku].pk in corrected}


def _corrected(ids: Iterable[int], movement: int) -> set[int]:
    """Those of the products whose stock was written by staff, by a correction, or as received: without an order."""
    ids = list(ids)
    if not ids:
        return set()
    by_staff = Q(reason=Reason.CORRECTION) | Q(reason=Reason.RESTOCK, order_number="")
    rows: Any = StockMovement.objects.filter(by_staff, product__in=ids, pk__gt=movement).order_by()
    return set(rows.values_list("product_id", flat=True))
