"""Checkout: `place_order` is the story from top to bottom, in one transaction."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import IntegrityError
from django.db.models import QuerySet, prefetch_related_objects

from carts.models import Cart, CartItem
from orders import placing
from orders.models import Order
from productbackend.errors import DomainError
from productbackend.transactions import retried
from products import stock
from products.models import Product

Inspect = Callable[[Cart], dict[str, Any] | None]


@dataclass(frozen=True)
class IdempotencyKey:
    """A client's name for one request, and the SHA-256 of that request."""

    value: str
    fingerprint: str


@dataclass(frozen=True)
class Placed:
    """The order, and whether it was there before this request."""

    order: Order
    replayed: bool = False


def place_order(
    *,
    cart_id: int,
    actor: Any,
    any_owner: bool = False,
    key: IdempotencyKey | None = None,
    inspect: Inspect = lambda cart: None,
) -> Placed:
    """Make an order of a cart: take the stock, write the order, delete the cart. All or nothing.

    `actor` is who checks out; with `any_owner` the cart may be another's, and so is its order.
    `inspect` sees the locked cart at the prices that will be paid and may refuse; what it
    returns is kept with the order for a replay. Raises DomainError: not-found, already-ordered,
    forbidden, empty-cart, insufficient-stock, idempotency-key-reused, or whatever `inspect` raises.
    """
    story = {"cart_id": cart_id, "actor": actor, "any_owner": any_owner, "key": key, "inspect": inspect}
    try:
        return _place_order(**story)
    except IntegrityError:
        if key is None or not _with_key(actor, key).exists():
            raise
    return _place_order(**story)  # the same key won elsewhere meanwhile: now it is found


@retried
def _place_order(*, cart_id: int, actor: Any, any_owner: bool, key: IdempotencyKey | None, inspect: Inspect) -> Placed:
    mine = {} if any_owner else {"user": actor}
    cart = _locked_cart(pk=cart_id, **mine)
    if key is not None and (earlier := _with_key(actor, key).first()):
        return _replay(earlier, key)
    if cart is None:
        raise _gone(Order.objects.filter(cart_id=cart_id, **mine))
    if not any_owner:
        _require_verified_email(actor)
    if cart.user_id == actor.pk:
        cart.user = actor
    items = _items_at_todays_prices(cart)
    snapshot = inspect(cart)
    if not items:
        raise DomainError("empty-cart", "The cart has no items.")
    number = placing.new_number()
    stock.take(
        wanted=[_wanted(item) for item in items],
        order_number=number,
        user=actor,
    )
    order = placing.write(
        number=number,
        user=cart.user,
        cart_id=cart.pk,
        lines=[(item.product, item.quantity) for item in items if item.product is not None],
        placed_by=actor,
        idempotency_key=key.value if key else None,
        fingerprint=key.fingerprint if key else "",
        cart_snapshot=snapshot if key else None,
    )
    cart.delete()
    return Placed(order)


def _require_verified_email(actor: Any) -> None:
    """Where the shop asks for it; whoever may check out any cart does it on the customer's behalf, and may."""
    if settings.REQUIRE_VERIFIED_EMAIL and not actor.email_verified:
        raise DomainError("forbidden", "Confirm your e-mail address first: this shop takes no other orders.")


def _locked_cart(**which: Any) -> Cart | None:
    return Cart.objects.select_for_update().filter(**which).first()


def _gone(orders: QuerySet[Order]) -> DomainError:
    """Why there is no cart: an order was made of it, in the transaction that deleted it, or it never was."""
    ordered = orders.values_list("number", flat=True).first()
    if ordered is None:
        return DomainError("not-found", "There is no such cart.")
    return DomainError("already-ordered", f"The cart became order {ordered}.", order=ordered)


def _wanted(item: CartItem) -> stock.Wanted:
    return stock.Wanted(item.product_id, item.name, item.quantity, sku=item.product.sku if item.product else "")


def _with_key(actor: Any, key: IdempotencyKey) -> QuerySet[Order]:
    return Order.objects.filter(placed_by=actor, idempotency_key=key.value)


def _replay(order: Order, key: IdempotencyKey) -> Placed:
    if order.fingerprint != key.fingerprint:
        raise DomainError("idempotency-key-reused", "This Idempotency-Key came with another request before.")
    return Placed(order, replayed=True)


def _items_at_todays_prices(cart: Cart) -> list[CartItem]:
    """The cart's items with their products, these locked in primary-key order, as the cart then shows them."""
    prefetch_related_objects([cart], "items")
    items = list(cart.items.all())
    products = _locked_products([item.product_id for item in items if item.product_id is not None])
    for item in items:
        item.product = products.get(item.product_id or 0)
    return items


def _locked_products(ids: list[int]) -> dict[int, Product]:
    """The products by id, locked in primary-key order: two checkouts never wait for each other."""
    return {row.pk: row for row in Product.objects.select_for_update().filter(pk__in=ids).order_by("pk")}
