"""The doors of carts: each is one call into the domain."""

from typing import Any

from carts import checkout
from carts.models import Cart, CartItem
from products import stock


def item_will_be_saved(sender: type[CartItem], instance: CartItem, raw: bool, **kwargs: Any) -> None:
    if not raw:
        instance.product_name = instance.name
        stock.check(wanted=stock.Wanted(instance.product_id, instance.name, instance.quantity))


def cart_saved(sender: type[Cart], instance: Cart, raw: bool, **kwargs: Any) -> None:
    if not raw and instance.completed:
        # Customers come in by the API: who saves a cart elsewhere has the run of all of them.
        actor = instance.completed_by or instance.user
        checkout.place_order(cart_id=instance.pk, actor=actor, any_owner=True)
