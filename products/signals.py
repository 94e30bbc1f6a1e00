"""The doors of the catalogue: each is one call into the domain."""

from typing import Any

from products import caching, categories, images, stock
from products.models import Category, Product, ProductImage


def category_will_be_saved(sender: type[Category], instance: Category, raw: bool, **kwargs: Any) -> None:
    if not raw:
        categories.lock_tree()
        categories.check_place(instance)


def category_saved(sender: type[Category], instance: Category, raw: bool, **kwargs: Any) -> None:
    if not raw:
        categories.trace(instance)


def product_saved(sender: type[Product], instance: Product, created: bool, raw: bool, **kwargs: Any) -> None:
    if created and not raw:
        stock.record_initial(products=[instance])


def image_deleted(instance: ProductImage, **kwargs: Any) -> None:
    images.forget(instance)


def image_saved(instance: ProductImage, created: bool, **kwargs: Any) -> None:
    """A new one is on no page that is kept before it is ready."""
    if not created or instance.status == ProductImage.Status.READY:
        caching.catalogue_changed()


def catalogue_written(**kwargs: Any) -> None:
    """Rows that a fixture brings count too."""
    caching.catalogue_changed()
