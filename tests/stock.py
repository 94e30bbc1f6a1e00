"""Reads the stock."""

from products.models import Product


def quantity(product: Product) -> int:
    """The quantity of the product that is stored now."""
    return Product.objects.values_list("quantity", flat=True).get(pk=product.pk)
