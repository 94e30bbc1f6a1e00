"""Saving a cart or an item, as the admin and a shell do: the rules of the API apply."""

import pytest
from django.db import transaction

from carts.models import Cart, CartItem
from orders.models import Order
from productbackend.errors import DomainError
from products.inventory.stock import StockRequest, sell
from products.models import Product
from tests import factories
from tests.stock import quantity

pytestmark = pytest.mark.django_db


def filled_cart(quantity: int = 1) -> tuple[Cart, Product]:
    product = factories.product(quantity=5)
    cart = Cart.objects.create(user=factories.user())
    CartItem.objects.create(cart=cart, product=product, quantity=quantity)
    return cart, product


def test_saving_a_completed_cart_checks_it_out() -> None:
    cart, product = filled_cart(2)
    cart.completed = True
    cart.save()
    assert quantity(product) == 3
    assert Order.objects.get().cart_id == cart.pk
    assert not Cart.objects.exists()
    with pytest.raises(Exception, match="did not affect any rows"):
        cart.save()
    assert not Cart.objects.exists()


def test_after_a_shortage_completed_is_still_false() -> None:
    cart, product = filled_cart(2)
    Product.objects.filter(pk=product.pk).update(quantity=1)
    cart.completed = True
    with pytest.raises(DomainError, match="not enough"):
        cart.save()
    assert Cart.objects.get().completed is False
    assert quantity(product) == 1


def test_two_lines_of_one_product_are_added_up() -> None:
    product = factories.product(quantity=5)
    wanted = [StockRequest(product.pk, product.name, 3)] * 2
    with pytest.raises(DomainError) as refused, transaction.atomic():
        sell(wanted=wanted, order_number="", user=None)
    assert refused.value.extra["shortages"] == [
        {"product": product.pk, "name": "Red shoe", "requested": 6, "available": 5}
    ]
    assert quantity(product) == 5


def test_saving_an_item_checks_the_stock() -> None:
    cart, product = filled_cart()
    with pytest.raises(DomainError, match="not enough"):
        CartItem.objects.create(cart=cart, product=product, quantity=6)
