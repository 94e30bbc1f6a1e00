"""What the migrations of the carts do with rows that are there."""

from importlib import import_module

import pytest
from django.apps import apps
from django.db import IntegrityError, connection

from carts.models import Cart, CartItem
from products.models import QUANTITY_MAX
from tests import factories

item_once = import_module("carts.migrations.0002_item_once")


@pytest.mark.django_db(transaction=True)
def test_two_items_of_one_product_become_one() -> None:
    shoe, hat = factories.product("Shoe"), factories.product("Hat")
    carts = [Cart.objects.create(user=factories.user(f"buyer{number}")) for number in range(2)]
    rows = [
        (carts[0], shoe, 2),
        (carts[0], hat, 1),
        (carts[0], shoe, 3),
        (carts[0], None, 4),
        (carts[0], None, 5),
        (carts[1], shoe, QUANTITY_MAX),
        (carts[1], shoe, 1),
    ]
    with connection.schema_editor() as editor:
        item_once.remove_constraint(apps, editor)
    try:
        CartItem.objects.bulk_create(CartItem(cart=cart, product=product, quantity=n) for cart, product, n in rows)
        with connection.schema_editor(atomic=False) as editor:
            item_once.add_constraint(apps, editor)
    finally:
        if connection.vendor == "mysql":
            connection.cursor().execute("DROP INDEX cart_item_cart ON carts_cartitem")
    found = CartItem.objects.order_by("pk").values_list("cart", "product", "quantity")
    assert list(found) == [
        (carts[0].pk, shoe.pk, 5),
        (carts[0].pk, hat.pk, 1),
        (carts[0].pk, None, 4),
        (carts[0].pk, None, 5),
        (carts[1].pk, shoe.pk, QUANTITY_MAX),
    ]
    assert Cart.objects.get(pk=carts[0].pk).updated_at > carts[0].updated_at
    with pytest.raises(IntegrityError):
        CartItem.objects.create(cart=carts[0], product=hat, quantity=1)
