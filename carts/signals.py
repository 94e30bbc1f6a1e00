"""Signal receivers of carts: each calls the domain."""

from typing import TYPE_CHECKING, Any

from carts import checkout, items
from carts.checkout import Checkout
from carts.models import Cart, CartItem
from orders.customers import Customer
from products.inventory import stock

if TYPE_CHECKING:
    from accounts.models import User


def cart_item_pre_save(sender: type[CartItem], instance: CartItem, raw: bool, **kwargs: Any) -> None:
    if not raw:
        instance.product_name = instance.name
        stock.check(wanted=stock.StockRequest(instance.product_id, instance.name, instance.quantity))
        items.check_total(instance)


def cart_post_save(sender: type[Cart], instance: Cart, raw: bool, **kwargs: Any) -> None:
    if not raw and instance.completed:
        # Customers use the API. Whoever saves a cart elsewhere (admin, shell) may check out any cart.
        user = instance.completed_by or instance.user
        customer = Customer(user=user) if user else Customer(guest=instance.guest)
        checkout.place_order(Checkout(cart_id=instance.pk, customer=customer, any_owner=True))


def account_closed(sender: "type[User]", user: "User", **kwargs: Any) -> None:
    items.delete_cart_of(Customer(user=user))
