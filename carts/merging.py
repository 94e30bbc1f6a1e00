"""Merging a guest's cart into a user's."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from carts import items
from carts.models import Cart, CartItem
from orders.customers import Customer
from productbackend.database.transactions import atomic_with_retry
from products.models import QUANTITY_MAX, Product

if TYPE_CHECKING:
    from accounts.models import Guest, User


@dataclass(frozen=True)
class Capped:
    """A product of which fewer pieces were added than the guest wanted; `product` is None if it was deleted."""

    product: int | None
    wanted: int
    got: int


@atomic_with_retry
def merge(*, user: "User", guest: "Guest") -> tuple[Cart, list[Capped]]:
    """Add the guest's items to the user's cart, up to what is in stock, and delete the guest's cart.

    Details that the user's cart lacks, such as the shipping address, come from the guest's. Returns the user's cart,
    and the items that were added in part or not at all. A guest without a cart adds nothing: a second merge changes
    nothing. Raises InvalidValue if the total exceeds the maximum of an order.
    """
    # The guest's cart is locked first, by every merge: a concurrent merge of it finds none.
    source = Cart.objects.select_for_update().filter(guest=guest).first()
    cart = items.locked_cart_of(Customer(user=user))
    if source is None:
        return cart, []
    moved = list(source.items.all())
    products = Product.objects.select_for_update().filter(pk__in=[item.product_id for item in moved]).order_by("pk")
    active = {product.pk: product for product in products if product.is_active}
    capped = [each for item in moved if (each := move(item, active.get(item.product_id or 0), cart)).got < each.wanted]
    _fill_in_details(cart, source)
    source.delete()
    cart.save()
    return cart, capped


def move(item: CartItem, product: Product | None, cart: Cart) -> Capped:
    """Add as many of the guest's pieces as are in stock beyond those in the user's cart."""
    if product is None:
        return Capped(item.product_id, item.quantity, 0)
    own = CartItem.objects.filter(cart=cart, product=product).first()
    own = own or CartItem(cart=cart, product=product, quantity=0)
    got = max(min(item.quantity, min(product.quantity, QUANTITY_MAX) - own.quantity), 0)
    if got:
        own.quantity += got
        own.save()
    return Capped(product.pk, item.quantity, got)


def _fill_in_details(cart: Cart, source: Cart) -> None:
    """Copy the details that `cart` lacks from `source`. The e-mail address stays the account's."""
    for name in ("phone", "note", "delivery_method"):
        if not getattr(cart, name):
            setattr(cart, name, getattr(source, name))
    # Without a billing address of its own, a cart is billed to its shipping address: the two are copied together.
    if cart.shipping_address is None:
        cart.shipping_address = source.shipping_address
        cart.billing_address = cart.billing_address or source.billing_address
