"""Making, changing and removing products."""

from collections.abc import Callable
from typing import Any

from django.db import IntegrityError, transaction

from productbackend.errors import DomainError, InvalidValue
from productbackend.transactions import retried
from products import images, stock
from products.models import Product

UNIQUE = ("slug", "sku")


def create(*, picture: Any = None, **fields: Any) -> Product:
    """A new product, with an uploaded picture where there is one: both or neither.

    Slug and SKU are made from its name where they are not given. Raises DomainError:
    `validation-error` for what another product has, `too-large` or `invalid-image`.
    """
    if picture is None:
        return _create(upload=None, **fields)
    with images.stored(picture) as upload:
        return _create(upload=upload, **fields)


@retried
def _create(*, upload: images.Upload | None, **fields: Any) -> Product:
    try:
        with transaction.atomic():
            product = Product.objects.create(**fields)
    except IntegrityError:
        _refuse_taken({name: fields[name] for name in UNIQUE if fields.get(name)}, exclude=None)
        product = Product.objects.create(**fields)  # another took the slug that we made: a new one is made
    if upload is not None:
        images.attach(product_id=product.pk, upload=upload)
    return product


@retried
def change(*, product_id: int, user: Any, inspect: Callable[[Product], None], **fields: Any) -> Product:
    """Change a product's fields; `quantity` goes through the ledger.

    `inspect` sees the locked product before anything is written, and may refuse.
    """
    product = _locked(product_id)
    inspect(product)
    quantity = fields.pop("quantity", None)
    # An empty slug or SKU is one that is not given: the product keeps what it has.
    fields = {name: value for name, value in fields.items() if not (name in UNIQUE and not value)}
    for name, value in fields.items():
        setattr(product, name, value)
    try:
        with transaction.atomic():
            product.save(update_fields=set(fields))
    except IntegrityError:
        _refuse_taken({name: fields[name] for name in UNIQUE if name in fields}, exclude=product_id)
        raise
    if quantity is not None:
        stock.set_quantity(product_id=product_id, quantity=quantity, user=user)
        product.refresh_from_db()
    return product


@retried
def delete(*, product_id: int, inspect: Callable[[Product], None]) -> None:
    """Remove a product and its pictures. Orders keep their lines, carts the item's name."""
    product = _locked(product_id)
    inspect(product)
    product.delete()


def _locked(product_id: int) -> Product:
    product = Product.objects.select_for_update().filter(pk=product_id).first()
    if product is None:
        raise DomainError("not-found", "There is no such product.")
    return product


def _refuse_taken(values: dict[str, Any], *, exclude: int | None) -> None:
    for name, value in values.items():
        if Product.objects.filter(**{name: value}).exclude(pk=exclude or 0).exists():
            raise InvalidValue(name, "unique", f"Another product has this {name}.")
