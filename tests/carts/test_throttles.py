"""The throttle of checkouts and cancellations."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from orders.models import Order
from tests.buying import fill_cart

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def four_per_hour(rate: Any) -> None:
    rate("checkout", "4/hour")


def cart_of(client: APIClient) -> str:
    """The path of the client's filled cart."""
    return f"/carts/{fill_cart(client)}/"


def test_checkouts_and_cancellations_of_an_account_count_together(
    customer: APIClient, other_customer: APIClient
) -> None:
    order = customer.post(f"{cart_of(customer)}checkout/").json()["number"]
    assert customer.patch(cart_of(customer), {"completed": True}).status_code == 200
    assert customer.put(cart_of(customer), {"completed": True}).status_code == 200
    assert customer.post(f"/orders/{order}/cancel/").status_code == 200
    cart = cart_of(customer)
    refused = [
        customer.post(f"{cart}checkout/"),
        customer.patch(cart, {"completed": True}),
        customer.patch(cart, {"completed": "true"}),
        customer.post(f"/orders/{order}/cancel/"),
    ]
    assert [response.status_code for response in refused] == [429] * 4
    assert refused[0].json()["type"] == "/problems/throttled"
    assert 0 < int(refused[0]["Retry-After"]) <= 3601
    assert Order.objects.count() == 3
    # Requests without an order or a mail do not count, and neither do other accounts.
    assert customer.patch(cart, {"completed": False}).status_code == 200
    assert customer.get(cart).status_code == 200
    assert customer.get(f"/orders/{order}/").status_code == 200
    assert other_customer.post(f"{cart_of(other_customer)}checkout/").status_code == 201
