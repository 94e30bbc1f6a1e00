"""What a check or a page saw of a product, and whether it was written since, other than by a sale."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from django.db.models import Max, Q

from products.models import Product, StockMovement

K = TypeVar("K")

Reason = StockMovement.Reason
FIELDS = (
    "name",
    "sku",
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


def written_since(seen: Mapping[K, Seen], products: Mapping[K, Product], movement: int) -> set[K]:
    """The keys of the products, which are locked, that staff have written since they were seen.

    `movement` was the last one then.
    """
    touched = {key for key in products if key in seen and _time(products[key].updated_at) != seen[key].at}
    written = {key for key in touched if not seen[key].is_sold_only(products[key])}
    corrected = _corrected((products[key].pk for key in touched), movement)
    return written | {key for key in touched if products[key].pk in corrected}


def _corrected(ids: Iterable[int], movement: int) -> set[int]:
    """Those of the products whose stock was written by staff, by a correction, or as received: without an order."""
    ids = list(ids)
    if not ids:
        return set()
    by_staff = Q(reason=Reason.CORRECTION) | Q(reason=Reason.RESTOCK, order_number="")
    rows: Any = StockMovement.objects.filter(by_staff, product__in=ids, pk__gt=movement).order_by()
    return set(rows.values_list("product_id", flat=True))
