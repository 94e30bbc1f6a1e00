"""Creates, changes and deletes products."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from django.core.files.base import File
from django.db import IntegrityError, transaction

from productbackend.database import recorded
from productbackend.database.transactions import atomic_with_retry
from productbackend.errors import DomainError, InvalidValue
from products.families import leads
from products.images import lifecycle
from products.inventory import stock
from products.models import Category, FormerSlug, Product, category_names
from products.naming import free_slugs
from products.reads import caching
from products.search import suggestions

UNIQUE = ("slug", "sku")


def create(*, picture: File | None = None, **fields: Any) -> Product:
    """Create a product, and its image if a picture was uploaded: both or neither.

    Slug and SKU are derived from the name if not given. Raises InvalidValue if another product has the given
    slug or SKU, and DomainError: `too-large`, `invalid-image`, `unavailable`.
    """
    if picture is None:
        return _create(upload=None, **fields)
    with lifecycle.stored_upload(picture) as upload:
        return _create(upload=upload, **fields)


@atomic_with_retry
def _create(*, upload: lifecycle.Upload | None, **fields: Any) -> Product:
    check_category(fields)
    _check_options(fields, family=None)
    try:
        with transaction.atomic():
            product = Product.objects.create(**fields)
    except IntegrityError:
        check_category(fields)
        _check_unique({name: fields[name] for name in UNIQUE if fields.get(name)}, exclude=None)
        product = Product.objects.create(**fields)  # a concurrent request took the derived slug or SKU: derive another
    caching.catalogue_changed()
    if upload is not None:
        lifecycle.attach(product_id=product.pk, upload=upload)
    return product


@atomic_with_retry
def change(
    *, product_id: int, user: stock.RequestUser | None, precondition: Callable[[Product], None], **fields: Any
) -> None:
    """Change a product's fields; a change of `quantity` is written to the ledger.

    `precondition` is called with the locked product first and may raise DomainError.
    Raises InvalidValue, and DomainError `not-found`.
    """
    product = locked_product(product_id)
    recorded.watch(product)
    precondition(product)
    _check_options(fields, family=product.family_id)
    quantity = fields.pop("quantity", None)
    # An empty slug or SKU leaves the current one unchanged.
    fields = {name: value for name, value in fields.items() if not (name in UNIQUE and not value)}
    # Only what differs: a client that sends a whole product to set its stock invalidates that product's pages alone.
    fields = {
        name: value for name, value in fields.items() if product.serializable_value(name) != getattr(value, "pk", value)
    }
    check_category(fields)
    for name, value in fields.items():
        setattr(product, name, value)
    try:
        if fields:
            with transaction.atomic():
                product.save(update_fields=set(fields))
            caching.catalogue_changed()
    except IntegrityError:
        check_category(fields)
        _check_unique({name: fields[name] for name in UNIQUE if name in fields}, exclude=product_id)
        raise
    if quantity is not None:
        stock.set_quantity(product_id=product_id, quantity=quantity, user=user)


def lock_by_sku(skus: Iterable[str]) -> dict[str, Product]:
    """Lock the products that have these SKUs, in primary-key order; return them by SKU."""
    found = Product.objects.select_for_update().filter(sku__in=list(skus)).order_by("pk")
    for product in found:
        recorded.watch(product)
    return {product.sku: product for product in found}


@atomic_with_retry
def create_many(products: Sequence[Product]) -> None:
    """Create products whose fields were validated and whose SKUs are unused, by a few statements. Slugs are derived.

    Raises IntegrityError if a concurrent request took a slug or an SKU.
    """
    slugs = free_slugs(Product, [product.name for product in products], fallback="product")
    for product, slug in zip(products, slugs, strict=True):
        product.slug = slug
    _derive_all(products)
    Product.objects.bulk_create(products)
    # MySQL does not return the ids of several rows.
    ids = dict(Product.objects.filter(sku__in=[each.sku for each in products]).order_by().values_list("sku", "pk"))
    for product in products:
        product.pk = ids[product.sku]
    stock.record_initial(products=products)
    suggestions.refresh_products(products)
    FormerSlug.objects.taken(Product, slugs)


@atomic_with_retry
def save_many(
    products: Sequence[Product],
    fields: Iterable[str],
    *,
    deltas: Mapping[int, int] = MappingProxyType({}),
    user_id: int | None = None,
    **movement: str,
) -> None:
    """Write `fields` of products that the caller has got from `lock_by_sku` and changed, by one statement.

    Slugs and stock are none of the fields. `deltas` are pieces to be added to the stock, by primary key; for these and
    for `movement` see `stock.adjust_many`. What is derived from the fields is written too.
    """
    fields = set(fields)
    if derived := {name for name, sources in Product.DERIVED.items() if fields & set(sources)}:
        _derive_all(products)
    if fields:
        caching.catalogue_changed()  # before the stock, which then invalidates no product on its own
    pieces = [(product, deltas.get(product.pk, 0)) for product in products]
    stock.adjust_many(deltas=pieces, user_id=user_id, also={*fields, *derived}, **movement)
    if not fields:
        return
    recorded.overwritten(products, fields)
    if "name" in fields:
        suggestions.refresh_products(products)
    elif "brand" in fields:
        suggestions.refresh_brands(products)
    if "is_active" in fields:
        leads.elect({product.family_id for product in products})


def _derive_all(products: Sequence[Product]) -> None:
    """Set the derived columns of products, with one read of the categories."""
    used = {product.category_id for product in products if product.category_id is not None}
    lineages = dict(Category.objects.filter(pk__in=used).values_list("pk", "lineage"))
    names = category_names(Category.objects.all(), lineages)
    for product in products:
        product.derive(names.get(product.category_id or 0, []))


@atomic_with_retry
def delete(*, product_id: int, precondition: Callable[[Product], None]) -> None:
    """Delete a product and its images. Orders keep their lines, carts the item's name.

    `precondition` is called with the locked product first and may raise DomainError. Raises DomainError `not-found`.
    """
    product = locked_product(product_id)
    precondition(product)
    product.delete()
    caching.catalogue_changed()


def locked_product(product_id: int) -> Product:
    product = Product.objects.select_for_update().filter(pk=product_id).first()
    if product is None:
        raise DomainError("not-found", "There is no such product.")
    return product


def _check_unique(values: dict[str, Any], *, exclude: int | None) -> None:
    """Raise InvalidValue if another product has one of the values."""
    for name, value in values.items():
        if Product.objects.filter(**{name: value}).exclude(pk=exclude or 0).exists():
            raise InvalidValue(name, "unique", f"Another product has this {name}.")


def _check_options(fields: dict[str, Any], *, family: Any) -> None:
    """Raise InvalidValue for options of a product that is in no family then."""
    if fields.get("options") and fields.get("family", family) is None:
        raise InvalidValue("options", "unknown_axis", "A product of no family has no options.")


def check_category(fields: dict[str, Any]) -> None:
    """Check that the category still exists: it may be deleted after validation. Raises InvalidValue."""
    category = fields.get("category")
    if category is not None and not Category.objects.filter(pk=category.pk).exists():
        raise InvalidValue("category", "does_not_exist", "There is no such category.")
