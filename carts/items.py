"""Changing a cart's items. Every write locks the cart's row, so that it cannot interleave with a checkout."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from django.db import IntegrityError
from django.db.models import DateTimeField, QuerySet
from django.utils import timezone

from carts.models import Cart, CartItem
from orders import placing
from orders.customers import Customer
from productbackend.database.statements import Select, SelectRows, Write, slot
from productbackend.database.transactions import atomic_with_retry
from productbackend.errors import DomainError, InvalidValue
from products.inventory import stock
from products.models import QUANTITY_MAX, Product

CART_OF = {
    "user": Select(lambda: Cart.objects.select_for_update().order_by().filter(user=slot("owner"))),
    "guest": Select(lambda: Cart.objects.select_for_update().order_by().filter(guest=slot("owner"))),
}
ITEM = Select(lambda: CartItem.objects.order_by().filter(cart=slot("cart"), product=slot("product")))
ACTIVE_PRODUCT = Select(lambda: Product.objects.order_by().filter(pk=slot("product"), is_active=True))
PRICES = SelectRows(
    lambda: (
        CartItem.objects.order_by()
        .filter(cart=slot("cart"))
        .values_list("pk", "product__price", "quantity", named=True)
    )
)
TOUCH = Write(lambda: Cart.objects.filter(pk=slot("cart")), updated_at=slot("now", DateTimeField()))


def get_or_create_cart(customer: Customer) -> tuple[Cart, bool]:
    """Return the customer's cart, and whether it was created."""
    cart = Cart.objects.filter(**customer.owner).first()
    if cart is not None:
        return cart, False
    try:
        Cart.objects.create(**customer.owner)
    except IntegrityError:  # a concurrent request created it
        return Cart.objects.get(**customer.owner), False
    return Cart.objects.get(**customer.owner), True


def add(*, customer: Customer, product_id: int, quantity: int) -> tuple[CartItem, bool]:
    """Add `quantity` of a product to the customer's cart; return the item, and whether it was created.

    Raises InvalidValue for an unknown product or too large a quantity, and InsufficientStock for the new quantity.
    """
    try:
        return _add(customer, product_id, quantity)
    except IntegrityError:  # the product was deleted after it was read: the retry does not find it
        return _add(customer, product_id, quantity)


@atomic_with_retry
def _add(customer: Customer, product_id: int, quantity: int) -> tuple[CartItem, bool]:
    cart = locked_cart_of(customer)
    item, created = _add_to(cart, product_id, quantity)
    _touch(cart)
    return item, created


def add_several(*, customer: Customer, quantities: Sequence[tuple[int, int]]) -> Cart:
    """Add `(product id, quantity)` pairs to the customer's cart, all or nothing; return the cart.

    Raises InvalidValue with the position of the value, as `items.0.product`, and InsufficientStock with all shortages.
    """
    try:
        return _add_several(customer, quantities)
    except IntegrityError:
        return _add_several(customer, quantities)


@atomic_with_retry
def _add_several(customer: Customer, quantities: Sequence[tuple[int, int]]) -> Cart:
    cart = locked_cart_of(customer)
    shortages: list[dict[str, Any]] = []
    for position, (product_id, quantity) in enumerate(quantities):
        try:
            _add_to(cart, product_id, quantity, prefix=f"items.{position}.")
        except stock.InsufficientStock as error:
            shortages += error.extra["shortages"]
    if shortages:
        raise stock.InsufficientStock(shortages)
    _touch(cart)
    return cart


def _add_to(cart: Cart, product_id: int, quantity: int, prefix: str = "") -> tuple[CartItem, bool]:
    product = ACTIVE_PRODUCT.first(product=product_id)
    if product is None:
        raise InvalidValue(f"{prefix}product", "does_not_exist", "There is no such product.")
    item = ITEM.first(cart=cart.pk, product=product.pk)
    created = item is None
    if item is None:
        item = CartItem(cart=cart, product=product, quantity=0)
    item.product_name = product.name
    item.quantity += quantity
    if item.quantity > QUANTITY_MAX:
        raise InvalidValue(f"{prefix}quantity", "max_value", f"A cart holds at most {QUANTITY_MAX} of a product.")
    item.save()
    return item, created


@atomic_with_retry
def change_quantity(
    *, item: CartItem, quantity: int | None = None, precondition: Callable[[CartItem], None] = lambda item: None
) -> CartItem:
    """Set an item's quantity; None does not change it. `precondition` is called first, with the cart locked.

    Raises not-found, InsufficientStock, or whatever `precondition` raises.
    """
    cart, current = locked_item(item)
    precondition(current)
    if quantity is not None:
        current.quantity = quantity
        current.save(update_fields={"quantity"})
        _touch(cart)
    return current


@atomic_with_retry
def remove(*, item: CartItem, precondition: Callable[[CartItem], None] = lambda item: None) -> None:
    """Remove an item from its cart. `precondition` is called first, with the cart locked. Raises not-found."""
    cart, current = locked_item(item)
    precondition(current)
    current.delete()
    _touch(cart)


@atomic_with_retry
def delete_cart(*, cart_id: int, precondition: Callable[[Cart], None] = lambda cart: None) -> None:
    """Delete a cart and its items. `precondition` is called first, with the cart locked. Raises not-found."""
    cart = locked_cart(Cart.objects.filter(pk=cart_id))
    precondition(cart)
    cart.delete()


def delete_cart_of(customer: Customer) -> None:
    """Lock and delete the customer's cart in the caller's transaction."""
    cart = Cart.objects.select_for_update().filter(**customer.owner).first()
    if cart is not None:
        cart.delete()


def check_total(item: CartItem) -> None:
    """Raise InvalidValue if the cart's total with this item exceeds the maximum of an order."""
    total = Decimal(item.product.price) * item.quantity if item.product else Decimal(0)
    for pk, price, quantity in PRICES.all(cart=item.cart_id):
        if pk != item.pk and price is not None:
            total += price * quantity
    placing.checked_total(total, field="quantity")


def locked_item(item: CartItem) -> tuple[Cart, CartItem]:
    """Return the current item and its locked cart. Raises not-found."""
    cart = locked_cart(Cart.objects.filter(pk=item.cart_id))
    current = CartItem.objects.select_related("product").filter(pk=item.pk, cart=cart).first()
    if current is None:
        raise DomainError("not-found", "There is no such item.")
    return cart, current


def locked_cart_of(customer: Customer) -> Cart:
    """Return the customer's cart, locked. Create it if there is none, also if it was checked out during the wait."""
    ((column, owner),) = customer.owner.items()
    while (cart := CART_OF[column].first(owner=owner.pk)) is None:
        try:
            return Cart.objects.create(**customer.owner)  # nobody else sees it before the commit
        except IntegrityError:
            if not Cart.objects.filter(**customer.owner).exists():
                raise  # the account was closed; else a concurrent request created it
    return cart


def locked_cart(carts: QuerySet[Cart]) -> Cart:
    cart = carts.select_for_update().first()
    if cart is None:
        raise DomainError("not-found", "There is no such cart.")
    return cart


def _touch(cart: Cart) -> None:
    cart.updated_at = timezone.now()
    TOUCH.run(cart=cart.pk, now=cart.updated_at)
