"""Orders over HTTP: who cancels and fulfils them."""

import pytest
from rest_framework.test import APIClient

from orders.models import Order
from products.models import StockMovement
from tests import factories
from tests.orders.placed import place
from tests.stock import quantity

pytestmark = pytest.mark.django_db


def test_a_cancelled_order_is_restocked_once(customer: APIClient) -> None:
    product = factories.product(quantity=5)
    number = place("carla", (product, 2))
    assert quantity(product) == 3
    for _ in range(3):
        response = customer.post(f"/orders/{number}/cancel/")
        assert (response.status_code, response.json()["status"]) == (200, "cancelled")
    assert quantity(product) == 5
    assert StockMovement.objects.filter(reason="restock").count() == 1


def test_a_fulfilled_order_cannot_be_cancelled(customer: APIClient, staff: APIClient) -> None:
    product = factories.product(quantity=5)
    number = place("carla", (product, 2))
    assert customer.post(f"/orders/{number}/fulfil/").status_code == 403
    assert staff.post(f"/orders/{number}/fulfil/").json()["status"] == "fulfilled"
    assert staff.post(f"/orders/{number}/fulfil/").status_code == 409
    for client in (customer, staff):
        refused = client.post(f"/orders/{number}/cancel/")
        assert (refused.status_code, refused.json()["type"]) == (409, "/problems/order-state")
    assert quantity(product) == 3
    changes = Order.objects.get().changes.values_list("status", "user__username")
    assert list(changes) == [("paid", "carla"), ("fulfilled", "stella")]


def test_a_cancelled_order_cannot_be_fulfilled(customer: APIClient, staff: APIClient) -> None:
    number = place("carla", (factories.product(), 1))
    staff.post(f"/orders/{number}/cancel/")
    assert staff.post(f"/orders/{number}/fulfil/").json()["type"] == "/problems/order-state"


def test_a_cancelled_order_with_a_deleted_product_restocks_the_others(customer: APIClient) -> None:
    shoe, hat = factories.product("Shoe", quantity=5), factories.product("Hat", quantity=5)
    number = place("carla", (shoe, 1), (hat, 2))
    shoe.delete()
    assert customer.post(f"/orders/{number}/cancel/").json()["status"] == "cancelled"
    assert quantity(hat) == 5
