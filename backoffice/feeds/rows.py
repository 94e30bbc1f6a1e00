"""Reads products for the sitemap and the feed, a slice at a time.

There is no consistent picture: each slice shows the database at the time when it was read.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Max

from backoffice.feeds.addresses import image_url, product_url
from backoffice.history.models import Change
from products.models import Product, ProductImage

SLICE = 500  # products that are read together; a description may have 20,000 characters
RENDITIONS = ("large", "full")  # the first that the picture has
FORMATS = ("jpg", "png", "webp", "gif")  # that Google takes; a picture in another one has a rendition in one of these
COLUMNS = (
    "pk", "name", "slug", "sku", "brand", "description", "price", "quantity", "is_active", "created_at", "updated_at",
    "family_id", "options",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """A product on sale, as others see it."""

    pk: int
    name: str
    link: str  # its page
    sku: str
    brand: str
    description: str
    price: Decimal
    in_stock: bool
    image: str | None  # the URL of the first picture
    family: int | None
    options: dict[str, str]  # axis -> value
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Slice:
    """The products on sale among `read` products, of which the last has the id `last`."""

    rows: list[Row]
    read: int
    last: int


def slices(after: int) -> Iterator[Slice]:
    """The products with larger ids than `after`, by id. Hidden ones are read too, so that each query reads few rows."""
    products = Product.objects.order_by("pk").values_list(*COLUMNS, named=True)
    while found := list(products.filter(pk__gt=after)[:SLICE]):
        after = found[-1].pk
        yield Slice(_rows([product for product in found if product.is_active]), len(found), after)


def _rows(products: Sequence[Any]) -> list[Row]:
    ids = [product.pk for product in products]
    images, changes = _images(ids), _changes(ids)
    return [
        Row(
            pk=product.pk,
            name=product.name,
            link=product_url(product.slug),
            sku=product.sku,
            brand=product.brand,
            description=product.description,
            price=product.price,
            in_stock=product.quantity > 0,
            image=_url(images.get(product.pk)),
            family=product.family_id,
            options=product.options,
            changed_at=_changed_at(product, changes.get(product.pk), images.get(product.pk)),
        )
        for product in products
    ]


@dataclass(frozen=True, slots=True)
class _Image:
    file: str | None
    latest: datetime  # when the last of the product's pictures was added


def _images(ids: Sequence[int]) -> dict[int, _Image]:
    """Of each product the first picture that is ready, and that Google takes."""
    ready = ProductImage.objects.filter(product_id__in=ids, status=ProductImage.Status.READY).order_by()
    rows = ready.values_list("product_id", "position", "pk", "renditions", "created_at")
    found: dict[int, _Image] = {}
    for product_id, _, _, renditions, created_at in sorted(rows, key=lambda row: row[:3]):
        known = found.get(product_id)
        file = (known and known.file) or _file(renditions)
        found[product_id] = _Image(file, max(created_at, known.latest) if known else created_at)
    return found


def _url(image: _Image | None) -> str | None:
    return image_url(image.file) if image and image.file else None


def _file(renditions: dict[str, Any]) -> str | None:
    for name in RENDITIONS:
        if name in renditions:
            for file in (renditions[name]["file"], *renditions[name].get("others", [])):
                if file.endswith(FORMATS):
                    return str(file)
    return None


def _changes(ids: Sequence[int]) -> dict[int, datetime]:
    """When each product was last changed by a person, an import or a command, from the history."""
    rows = Change.objects.filter(kind=Product._meta.label_lower, object_id__in=ids).order_by()
    return dict(rows.values("object_id").annotate(latest=Max("created_at")).values_list("object_id", "latest"))


def _changed_at(product: Any, changed: datetime | None, image: _Image | None) -> datetime:
    """When the product's page changed. `updated_at` also moves with each sale, which changes nothing on the page."""
    known = [product.created_at, *([changed] if changed else []), *([image.latest] if image else [])]
    latest: datetime = min(product.updated_at, max(known))
    return latest
