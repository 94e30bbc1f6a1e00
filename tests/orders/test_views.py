"""Who reads orders over HTTP."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from orders.models import Order
from tests import factories
from tests.orders.placed import place

pytestmark = pytest.mark.django_db


def numbers(client: APIClient, query: str = "") -> list[str]:
    return [order["number"] for order in client.get(f"/orders/{query}").json()["results"]]


def test_orders_are_visible_to_their_owner_and_to_staff(
    customer: APIClient, other_customer: APIClient, staff: APIClient
) -> None:
    product = factories.product()
    first, second = place("carla", (product, 1)), place("carla", (product, 2))
    assert numbers(customer) == [second, first]
    assert numbers(customer, "?ordering=total") == [first, second]
    assert numbers(other_customer) == []
    assert other_customer.get(f"/orders/{first}/").status_code == 404
    assert other_customer.post(f"/orders/{first}/cancel/").status_code == 404
    assert numbers(staff) == [second, first]


def test_the_queries_of_a_list_do_not_grow_with_it(customer: APIClient, django_assert_num_queries: Any) -> None:
    product = factories.product(quantity=50)
    for orders in (2, 10):
        for _ in range(orders - Order.objects.count()):
            place("carla", (product, 1))
        with django_assert_num_queries(3):  # the user, the page with its count, the lines
            assert len(numbers(customer)) == orders
