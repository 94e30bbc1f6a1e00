"""Filling a cart. Every write holds the cart's row, so that none meets a checkout halfway."""

from typing import Any

from django.db import IntegrityError
from django.utils import timezone

from carts.models import Cart, CartItem
from productbackend.errors import DomainError, InvalidValue
from productbackend.transactions import retried
from products.models import QUANTITY_MAX, Product


def cart_of(user: Any) -> tuple[Cart, bool]:
    """The user's cart, and whether it was made just now."""
    return Cart.objects.get_or_create(user=user)


def add(*, user: Any, product_id: int, quantity: int) -> tuple[CartItem, bool]:
    """Put `quantity` of a product into the user's cart; returns the item, and whether it is new.

    InsufficientStock where the item's new quantity is not there.
    """
    try:
        return _add(user, product_id, quantity)
    except IntegrityError:  # the product was deleted after it was read: now it is not found
        return _add(user, product_id, quantity)


@retried
def _add(user: Any, product_id: int, quantity: int) -> tuple[CartItem, bool]:
    cart = _locked_cart_of(user)
    product = Product.objects.filter(pk=product_id, is_active=True).first()
    if product is None:
        raise InvalidValue("product", "does_not_exist", "There is no such product.")
    item = CartItem.objects.filter(cart=cart, product=product).first()
    created = item is None
    if item is None:
        item = CartItem(cart=cart, product=product, quantity=0)
    item.product_name = product.name
    item.quantity += quantity
    if item.quantity > QUANTITY_MAX:
        raise InvalidValue("quantity", "max_value", f"A cart holds {QUANTITY_MAX} of a product at most.")
    item.save()
    _touch(cart)
    return item, created


@retried
def change(*, item: CartItem, quantity: int) -> CartItem:
    """Make an item's quantity `quantity`. InsufficientStock where that many are not there."""
    cart = _locked(Cart.objects.filter(pk=item.cart_id))
    current = CartItem.objects.filter(pk=item.pk, cart=cart).first()
    if current is None:
        raise DomainError("not-found", "There is no such item.")
    current.quantity = quantity
    current.save(update_fields={"quantity"})
    _touch(cart)
    return current


@retried
def remove(*, item: CartItem) -> None:
    """Take an item out of its cart."""
    cart = _locked(Cart.objects.filter(pk=item.cart_id))
    CartItem.objects.filter(pk=item.pk).delete()
    _touch(cart)


def _locked_cart_of(user: Any) -> Cart:
    """The user's cart, made where there is none. One that is checked out while we wait for it makes room for a new."""
    carts = Cart.objects.select_for_update().filter(user=user)
    while (cart := carts.first()) is None:
        cart_of(user)
    return cart


def _locked(carts: Any) -> Cart:
    cart = carts.select_for_update().first()
    if cart is None:
        raise DomainError("not-found", "There is no such cart.")
    return cart


def _touch(cart: Cart) -> None:
    Cart.objects.filter(pk=cart.pk).update(updated_at=timezone.now())
