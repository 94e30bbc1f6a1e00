"""Orders of closed accounts lose what leads to their carts."""

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from carts.tasks import forget_closed_accounts
from orders.models import Order
from tests import factories
from tests.buying import order
from tests.guests import GuestClient, fill

pytestmark = pytest.mark.django_db


def test_accounts_that_were_closed_before_are_anonymized_by_the_daily_job(customer: APIClient) -> None:
    for number in range(3):
        order(customer, f"key-{number}")
    Order.objects.update(user=None, placed_by=None)
    forget_closed_accounts()
    assert [(each.cart_snapshot or {})["user"] for each in Order.objects.all()] == [None] * 3
    assert not Order.objects.exclude(idempotency_key=None).exists()


def test_an_order_of_an_open_account_keeps_its_cart_for_a_replay(customer: APIClient) -> None:
    order(customer, "key")
    before = Order.objects.values().get()
    forget_closed_accounts()
    assert Order.objects.values().get() == before


def test_the_carts_of_a_closed_account_say_nothing_of_the_customer(customer: APIClient, guest: GuestClient) -> None:
    """Also that of an order which was made as a guest and claimed."""
    User.objects.update(email_verified=True)
    address = {"name": "Carla Coe", "line1": "Hauptstraße 1", "city": "Berlin", "country": "DE"}
    details = {"email": "carla@example.com", "phone": "+49 30 1", "note": "Ring twice", "billing_address": address}
    for client in (customer, guest):
        cart = fill(client, factories.product())
        body = {"completed": True, "shipping_address": address, **details}
        response = client.patch(f"/carts/{cart}/", body, format="json", headers={"Idempotency-Key": "key"})
        assert response.status_code == 200, response.content
    assert customer.post("/account/orders/claim/").json() == {"claimed": 1}
    assert customer.delete("/account/", {"password": factories.PASSWORD}).status_code == 204
    for each in Order.objects.all():
        assert each.cart_snapshot is not None
        assert not any(each.cart_snapshot[name] for name in ("user", "shipping_address", *details))
        assert each.cart_snapshot["amounts"]["total"] == str(each.total)
        assert each.shipping_address is not None  # of the order: it may have to be sent
