"""An order is a copy of what was bought."""

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from orders.models import Order
from products.models import Product
from tests import factories
from tests.orders.placed import place

pytestmark = pytest.mark.django_db


def test_an_order_has_the_names_and_prices_of_its_checkout(customer: APIClient) -> None:
    product = factories.product("Red shoe", sku="R-1")
    number = place("carla", (product, 2))
    Product.objects.update(name="Blue shoe", price="25.00", sku="B-1")
    order = customer.get(f"/orders/{number}/").json()
    assert (order["status"], order["total"], order["currency"]) == ("paid", "39.80", "EUR")
    assert order["items"] == [
        {
            "product": product.pk,
            "sku": "R-1",
            "slug": "red-shoe",
            "name": "Red shoe",
            "options": {},
            "unit_price": "19.90",
            "quantity": 2,
            "line_total": "39.80",
            "tax_rate": None,
            "tax": "0.00",
        }
    ]


def test_an_order_remains_after_its_user_is_deleted() -> None:
    factories.user("carla")
    place("carla", (factories.product(), 1))
    User.objects.all().delete()
    order = Order.objects.get()
    assert (order.user, order.placed_by) == (None, None)
