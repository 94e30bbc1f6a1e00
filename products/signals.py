"""Signal receivers of the catalogue. Each is one call of a domain function."""

from typing import Any

from products import categories
from products.families import membership, writing
from products.images import lifecycle
from products.inventory import stock
from products.models import Category, Family, FormerSlug, Product, ProductImage
from products.reads import caching
from products.search import reindex, suggestions


def category_will_be_saved(
    sender: type[Category], instance: Category, raw: bool, update_fields: frozenset[str] | None, **kwargs: Any
) -> None:
    if raw:
        return
    categories.lock_tree()
    if update_fields is None or update_fields & {"name", "parent"}:
        categories.validate_position(instance)
        reindex.category_will_change(instance)


def category_saved(
    sender: type[Category], instance: Category, raw: bool, update_fields: frozenset[str] | None, **kwargs: Any
) -> None:
    if raw:
        return
    categories.update_lineage(instance)
    if update_fields is None or "name" in update_fields:
        suggestions.refresh_categories([instance])


def product_will_be_saved(
    sender: type[Product], instance: Product, raw: bool, update_fields: frozenset[str] | None, **kwargs: Any
) -> None:
    if not raw:
        membership.will_be_saved(instance, update_fields)


def product_saved(
    sender: type[Product],
    instance: Product,
    created: bool,
    raw: bool,
    update_fields: frozenset[str] | None,
    **kwargs: Any,
) -> None:
    if raw:
        return
    if created:
        stock.record_initial(products=[instance])
    if update_fields is None or update_fields & {"name", "brand"}:
        suggestions.refresh_products([instance])
    membership.was_saved(instance, update_fields)


def product_deleted(instance: Product, **kwargs: Any) -> None:
    membership.was_deleted(instance)


def family_will_be_deleted(instance: Family, **kwargs: Any) -> None:
    writing.release(instance)


def family_deleted(instance: Family, **kwargs: Any) -> None:
    FormerSlug.objects.of(instance).delete()


def row_deleted(instance: Product | Category, **kwargs: Any) -> None:
    suggestions.forget(instance)
    FormerSlug.objects.of(instance).delete()


def image_deleted(instance: ProductImage, **kwargs: Any) -> None:
    lifecycle.delete_files_on_commit(instance)


def image_saved(instance: ProductImage, created: bool, **kwargs: Any) -> None:
    """A new image is on no cached page until it is ready."""
    if not created or instance.status == ProductImage.Status.READY:
        caching.catalogue_changed()


def catalogue_written(**kwargs: Any) -> None:
    """For writes that no domain function makes, such as those of the admin; also for rows that a fixture loads."""
    caching.catalogue_changed()
