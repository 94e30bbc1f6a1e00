"""Checkout: `place_order` runs all steps in one transaction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import IntegrityError
from django.db.models import CharField, Exists, QuerySet

from carts import pricing
from carts.details import Details, set_details, unknown_method
from carts.models import Cart, CartItem
from orders import placing
from orders.customers import Customer
from orders.models import Order
from productbackend.database.idempotency import IdempotencyKey
from productbackend.database.statements import Select, Write, slot, slots
from productbackend.database.transactions import atomic_with_retry
from productbackend.errors import DomainError
from products.inventory import stock
from products.models import Product

Precondition = Callable[[Cart], None]
Snapshot = Callable[[Cart], dict[str, Any]]


WITH_KEY = Order.objects.order_by().filter(
    key_owner=slot("key_owner", CharField()), idempotency_key=slot("key", CharField())
)
CARTS = Cart.objects.select_for_update().order_by()
OWNERS: dict[str, dict[str, Any]] = {"any": {}, "user": {"user": slot("owner")}, "guest": {"guest": slot("owner")}}
# By the type of the owner. The second ones say in the same statement whether an order with a key exists.
CART = {name: Select(lambda owner=owner: CARTS.filter(pk=slot("pk"), **owner)) for name, owner in OWNERS.items()}
CART_WITH_KEY: dict[str, Select[Any]] = {
    name: Select(lambda owner=owner: CARTS.annotate(key_is_used=Exists(WITH_KEY)).filter(pk=slot("pk"), **owner))
    for name, owner in OWNERS.items()
}
ITEMS = Select(lambda: CartItem.objects.filter(cart=slot("cart")))
PRODUCTS = Select(lambda count: Product.objects.select_for_update().filter(pk__in=slots(count)).order_by("pk"))
ORDER_WITH_KEY = Select(lambda: WITH_KEY)
DELETE_ITEMS = Write(lambda: CartItem.objects.filter(cart=slot("cart")))
DELETE_CART = Write(lambda: Cart.objects.filter(pk=slot("cart")))


@dataclass(frozen=True)
class PlacedOrder:
    """The order, the snapshot of its cart if one was taken, and whether the order is of an earlier request."""

    order: Order
    cart_snapshot: dict[str, Any] | None = None
    replayed: bool = False


@dataclass(frozen=True)
class Checkout:
    """A request to make an order of a cart.

    `customer` checks out; with `any_owner` the cart, and so the order, may be another one's. `details` are set on the
    cart first. `precondition` and `take_snapshot` are called with the locked cart at the prices that will be paid. The
    snapshot is stored with the order of a `key`, for a replay.
    """

    cart_id: int
    customer: Customer
    any_owner: bool = False
    details: Details = field(default_factory=dict)
    key: IdempotencyKey | None = None
    precondition: Precondition = lambda cart: None
    take_snapshot: Snapshot | None = None

    @property
    def owner(self) -> dict[str, Any]:
        """The lookup of carts and orders that may be meant."""
        return {} if self.any_owner else self.customer.owner

    def order_with_key(self) -> Order | None:
        """The customer's order of an earlier request with the key."""
        if self.key is None:
            return None
        return ORDER_WITH_KEY.first(key_owner=self.customer.key_owner, key=self.key.value)


def place_order(checkout: Checkout) -> PlacedOrder:
    """Make an order of a cart: take the stock, write the order, delete the cart. All or nothing.

    Raises DomainError: not-found, already-ordered, forbidden, empty-cart, checkout-incomplete, insufficient-stock,
    delivery-unavailable, idempotency-key-reused, InvalidValue for unknown details or too large a total, or whatever the
    `precondition` raises.
    """
    try:
        return _place_order(checkout)
    except IntegrityError:
        if checkout.order_with_key() is None:
            raise
    return _place_order(checkout)  # a concurrent request used the same key: this call finds its order


@atomic_with_retry
def _place_order(checkout: Checkout) -> PlacedOrder:
    customer, key = checkout.customer, checkout.key
    cart, earlier = _cart_and_order_with_key(checkout)
    if key is not None and earlier is not None:
        return _replay(earlier, key)
    if cart is None:
        raise _missing_cart_error(Order.objects.filter(cart_id=checkout.cart_id, **checkout.owner))
    if not checkout.any_owner:
        _require_verified_email(customer)
    if customer.user and cart.user_id == customer.user.pk:
        cart.user = customer.user
    items = items_at_current_prices(cart)
    quote = _agreed_quote(checkout, cart, items)
    snapshot = checkout.take_snapshot(cart) if checkout.take_snapshot else None
    number = placing.new_number()
    stock.sell(wanted=[_stock_request(item) for item in items], order_number=number, user=customer.user)
    order = placing.create_order(
        number=number,
        user=cart.user,
        guest_id=cart.guest_id,
        cart_id=cart.pk,
        lines=[(item.product, item.quantity) for item in items if item.product is not None],
        rates=quote.rates,
        delivery=quote.offer,
        placed_by=customer.user,
        email=cart.contact_email,
        phone=cart.phone,
        note=cart.note,
        shipping_address=cart.shipping_address,
        billing_address=cart.billing_address,
        key_owner=customer.key_owner if key else "",
        idempotency_key=key.value if key else None,
        fingerprint=key.fingerprint if key else "",
        cart_snapshot=snapshot if key else None,
    )
    DELETE_ITEMS.run(cart=cart.pk)
    DELETE_CART.run(cart=cart.pk)
    return PlacedOrder(order, snapshot)


def _agreed_quote(checkout: Checkout, cart: Cart, items: Sequence[CartItem]) -> pricing.Quote:
    """Compare the cart with what the client saw, set the given details, and return what the cart costs then.

    Raises whatever the `precondition` raises, InvalidValue, empty-cart, checkout-incomplete or delivery-unavailable.
    """
    checkout.precondition(cart)
    if checkout.details:
        set_details(cart, checkout.details)
    # Amounts that were compared are not computed again: they are paid, whatever staff change meanwhile.
    quote = cart.quote or pricing.quote_cart(cart)
    if checkout.details.get("delivery_method") and quote.offer is None:
        raise unknown_method()
    if not items:
        raise DomainError("empty-cart", "The cart has no items.")
    if missing := quote.missing:
        names = ", ".join(missing)
        raise DomainError("checkout-incomplete", f"The cart lacks what checkout needs: {names}.", missing=missing)
    if cart.delivery_method:
        reason = quote.offer.reason if quote.offer else "inactive"
        if reason is not None:
            detail = f"The delivery method {cart.delivery_method} is not offered for this cart: {reason}."
            raise DomainError("delivery-unavailable", detail, reason=reason)
    return quote


def _require_verified_email(customer: Customer) -> None:
    """Raise forbidden if the shop requires a verified address. Staff who check out any cart are exempt."""
    if not settings.REQUIRE_VERIFIED_EMAIL:
        return
    if customer.user is None:
        raise DomainError("forbidden", "This shop takes no orders of guests: register, and verify your e-mail address.")
    if not customer.user.email_verified:
        raise DomainError("forbidden", "Verify your e-mail address first: this shop requires it for orders.")


def locked_cart(*, pk: int, **owner: Any) -> Cart | None:
    """Return a cart, locked; only if it is that `user`'s or `guest`'s, if one is given."""
    name, values = _owner(owner)
    return CART[name].first(pk=pk, **values)


def _owner(owner: dict[str, Any]) -> tuple[str, dict[str, int]]:
    """The name of the statement for carts of `owner`, and the value of its slot."""
    for name, customer in owner.items():
        return name, {"owner": customer.pk}
    return "any", {}


def _cart_and_order_with_key(checkout: Checkout) -> tuple[Cart | None, Order | None]:
    """Return the cart, locked, and the customer's order of an earlier request with the key.

    The statement of the cart looks for the key too, since there is hardly ever such an order. A cart that is gone may
    have become it while the statement waited for the lock.
    """
    if checkout.key is None:
        return locked_cart(pk=checkout.cart_id, **checkout.owner), None
    name, values = _owner(checkout.owner)
    key_values = {"key_owner": checkout.customer.key_owner, "key": checkout.key.value}
    cart = CART_WITH_KEY[name].first(pk=checkout.cart_id, **values, **key_values)
    return cart, checkout.order_with_key() if cart is None or cart.key_is_used else None


def _missing_cart_error(orders: QuerySet[Order]) -> DomainError:
    """Return already-ordered if the cart became an order, else not-found."""
    number = orders.values_list("number", flat=True).first()
    if number is None:
        return DomainError("not-found", "There is no such cart.")
    return DomainError("already-ordered", f"The cart became order {number}.", order=number)


def _stock_request(item: CartItem) -> stock.StockRequest:
    sku = item.product.sku if item.product else ""
    return stock.StockRequest(item.product_id, item.name, item.quantity, sku, item.product)


def _replay(order: Order, key: IdempotencyKey) -> PlacedOrder:
    if order.fingerprint != key.fingerprint:
        raise DomainError("idempotency-key-reused", "This Idempotency-Key was used with another request.")
    return PlacedOrder(order, order.cart_snapshot, replayed=True)


def items_at_current_prices(cart: Cart) -> list[CartItem]:
    """Return the cart's items, with their products locked in primary-key order."""
    cart.lines = ITEMS.all(cart=cart.pk)
    products = locked_products([item.product_id for item in cart.lines if item.product_id is not None])
    for item in cart.lines:
        item.product = products.get(item.product_id or 0)
    return cart.lines


def locked_products(ids: list[int]) -> dict[int, Product]:
    """Return the products by id, locked in primary-key order: two checkouts cannot deadlock."""
    return {row.pk: row for row in PRODUCTS.of_list(ids)}
