"""Claiming the orders made as a guest."""

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from orders.models import Order
from tests.guests import GuestClient, order

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("with_guests")]


def test_a_user_claims_the_orders_made_as_a_guest(guest: GuestClient, customer: APIClient) -> None:
    number, other = order(guest, "carla@example.com"), order(guest, "otto@example.com")
    Order.objects.create(number="CLOSED", cart_id=10**6, total=1, currency="EUR", email="carla@example.com")
    refused = customer.post("/account/orders/claim/")
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/forbidden")
    User.objects.update(email_verified=True)
    assert customer.post("/account/orders/claim/").json() == {"claimed": 1}
    assert customer.post("/account/orders/claim/").json() == {"claimed": 0}
    assert [each["number"] for each in customer.get("/orders/").json()["results"]] == [number]
    assert [each["number"] for each in guest.get("/orders/").json()["results"]] == [other]
