"""Doors from Django's signals into the domain: one call each."""

from typing import Any

from products import images
from products.models import ProductImage


def image_deleted(instance: ProductImage, **kwargs: Any) -> None:
    images.forget(instance)
