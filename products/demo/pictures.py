"""Gives demo products the pictures that are drawn for them, by the way that every upload takes."""

import random
from collections.abc import Iterator

from django.core.files.base import ContentFile

from products import images
from products.demo import catalogue, drawing, words
from products.models import Product, ProductImage


def missing(total: int) -> list[Product]:
    """Those of the demo products 1 to `total` that have no picture, in their order."""
    rows = Product.objects.filter(sku__range=(catalogue.sku(1), catalogue.sku(total)))
    return list(rows.exclude(pk__in=ProductImage.objects.values("product_id")).order_by("sku"))


def make_pictures(products: list[Product], *, seed: int, sorts: list[catalogue.Sort]) -> Iterator[None]:
    """Draw and add one for each; workers make the renditions. Yields after each."""
    for product in products:
        number = int(product.sku.removeprefix(catalogue.SKU_PREFIX))
        colour = catalogue.colour_of(number, seed)
        content = drawing.picture(
            catalogue.sort_of(number, seed, sorts).leaf.shape,
            words.COLOURS[colour],
            brand=product.brand,
            line=product.name.partition(" ")[0],
            chance=random.Random(f"{seed}:{number}:picture"),
        )
        images.add(
            product_id=product.pk, file=ContentFile(content, name=f"{product.slug}.jpg"), alt_text=product.name[:200]
        )
        yield
