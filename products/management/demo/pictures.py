"""Draws pictures of demo products and adds them like uploads."""

from collections.abc import Iterator

from django.core.files.base import ContentFile

from products.images import lifecycle
from products.management.demo import catalogue, drawing, words
from products.models import Product, ProductImage


def without_pictures(total: int) -> list[Product]:
    """The demo products 1 to `total` that have no picture, in order."""
    rows = Product.objects.filter(sku__range=(catalogue.sku(1), catalogue.sku(total)))
    return list(rows.exclude(pk__in=ProductImage.objects.values("product_id")).order_by("sku"))


def make_pictures(products: list[Product], *, seed: int) -> Iterator[None]:
    """Draw and add one picture for each product, and yield after each. Workers make the renditions."""
    for product in products:
        number = int(product.sku.removeprefix(catalogue.SKU_PREFIX))
        shape = words.LEAVES[catalogue.leaf_of(number, seed)].shape
        content = drawing.picture(shape, words.COLOURS[catalogue.colour_of(number, seed)])
        lifecycle.add(
            product_id=product.pk, file=ContentFile(content, name=f"{product.slug}.jpg"), alt_text=product.name[:200]
        )
        yield
