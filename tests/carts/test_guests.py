"""Guests: customers without an account, who have a cart, a checkout and their orders by a token."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from rest_framework.test import APIClient

from carts.models import Cart
from orders.models import Order
from outbox.models import Mail
from products.models import Product
from tests import factories
from tests.guests import ADDRESS, GuestClient, fill, new_guest, order

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("with_guests")]


def test_a_guest_buys(guest: GuestClient) -> None:
    product = factories.product("Red shoe", quantity=5)
    cart = fill(guest, product, 2)
    shown = guest.get(f"/carts/{cart}/").json()
    assert (shown["user"], shown["email"], shown["missing"], shown["count"]) == (None, None, ["email"], 2)
    refused = guest.post(f"/carts/{cart}/checkout/")
    assert refused.status_code == 409
    assert (refused.json()["type"], refused.json()["missing"]) == ("/problems/checkout-incomplete", ["email"])
    changed = guest.patch(f"/carts/{cart}/", {"email": "Gast@Example.com", "phone": "+49 30 1", "note": "Ring twice"})
    assert (changed.json()["email"], changed.json()["missing"]) == (ADDRESS, [])
    placed = guest.post(f"/carts/{cart}/checkout/")
    assert placed.status_code == 201
    number = placed.json()["number"]
    row = Order.objects.get(number=number)
    assert (row.user, row.placed_by, row.email, row.phone, row.note) == (None, None, ADDRESS, "+49 30 1", "Ring twice")
    assert Product.objects.get().quantity == 3
    assert guest.get(f"/orders/{number}/").json() == placed.json()
    assert [each["number"] for each in guest.get("/orders/").json()["results"]] == [number]
    mail = Mail.objects.get()
    assert (mail.recipient, mail.user, mail.reference, mail.was_confirmed) == (ADDRESS, None, number, False)
    assert guest.post(f"/orders/{number}/cancel/").json()["status"] == "cancelled"
    assert Product.objects.get().quantity == 5


def test_completed_with_the_address_in_one_request(guest: GuestClient) -> None:
    cart = fill(guest, factories.product())
    body = guest.patch(f"/carts/{cart}/", {"completed": True, "email": ADDRESS}).json()
    assert (body["completed"], body["email"], body["missing"]) == (True, ADDRESS, [])
    assert Order.objects.get(number=body["order"]).email == ADDRESS


def test_a_refused_checkout_keeps_nothing_of_the_request(guest: GuestClient) -> None:
    product = factories.product(quantity=5)
    cart = fill(guest, product, 5)
    Product.objects.update(quantity=1)
    assert guest.patch(f"/carts/{cart}/", {"completed": True, "email": ADDRESS}).status_code == 409
    assert Cart.objects.get().email == ""


def test_a_guest_sees_nothing_of_others(guest: GuestClient, api: APIClient, customer: APIClient) -> None:
    other = new_guest(api)
    number, cart = order(other), fill(other, factories.product())
    item = Cart.objects.get(pk=cart).items.get().pk
    own = fill(customer, factories.product())
    Order.objects.create(number="CLOSED", cart_id=10**6, total=1, currency="EUR")  # of a closed account
    for client in (guest, customer):
        for path in (f"/carts/{cart}/", f"/cart-items/{item}/", f"/orders/{number}/", "/orders/CLOSED/"):
            assert client.get(path).status_code == 404, path
        assert client.post(f"/carts/{cart}/checkout/").status_code == 404
        assert client.post(f"/orders/{number}/cancel/").status_code == 404
        assert client.patch(f"/cart-items/{item}/", {"quantity": 2}).status_code == 404
        assert client.delete(f"/carts/{cart}/").status_code == 404
    assert guest.get(f"/carts/{own}/").status_code == 404
    for path in ("/carts/", "/cart-items/", "/orders/"):
        assert guest.get(path).json()["count"] == 0


def test_a_shop_that_requires_verified_addresses_takes_no_orders_of_guests(guest: GuestClient, settings: Any) -> None:
    cart = fill(guest, factories.product())
    settings.REQUIRE_VERIFIED_EMAIL = True
    response = guest.patch(f"/carts/{cart}/", {"completed": True, "email": ADDRESS})
    assert (response.status_code, response.json()["type"]) == (403, "/problems/forbidden")


def test_a_key_is_the_guests_own(guest: GuestClient, api: APIClient) -> None:
    cart = fill(guest, factories.product())
    guest.patch(f"/carts/{cart}/", {"email": ADDRESS})
    key = {"Idempotency-Key": "one"}
    first = guest.post(f"/carts/{cart}/checkout/", headers=key)
    again = guest.post(f"/carts/{cart}/checkout/", headers=key)
    assert (first.status_code, again.status_code, again["Idempotent-Replayed"]) == (201, 201, "true")
    assert again.json() == first.json()
    assert guest.post("/carts/999/checkout/", headers=key).status_code == 422
    other = order(new_guest(api), **key)
    assert other != first.json()["number"]


def test_the_database_refuses_a_cart_of_two_owners_or_none_and_a_key_twice(guest: GuestClient) -> None:
    fill(guest, factories.product())
    cart = Cart.objects.get()
    for user in (factories.user("carla"), None):
        with pytest.raises(IntegrityError), transaction.atomic():
            Cart.objects.filter(pk=cart.pk).update(user=user, guest=cart.guest if user else None)
    for key in ("guest:1", "guest:2"):
        Order.objects.create(number=key, cart_id=int(key[-1]), total=1, key_owner=key, idempotency_key="k")
    with pytest.raises(IntegrityError), transaction.atomic():
        Order.objects.filter(number="guest:2").update(key_owner="guest:1")


def test_staff_see_and_check_out_a_guests_cart(guest: GuestClient, staff: APIClient) -> None:
    cart = fill(guest, factories.product())
    assert staff.get(f"/carts/{cart}/").json()["user"] is None
    assert staff.post(f"/carts/{cart}/checkout/").status_code == 409
    placed = staff.patch(f"/carts/{cart}/", {"completed": True, "email": ADDRESS}).json()
    assert guest.get(f"/orders/{placed['order']}/").status_code == 200


@pytest.mark.parametrize("email", ["x", "a@b@c.example", "a" * 300 + "@example.com", 7, ["a@example.com"]])
def test_a_cart_takes_no_malformed_address(guest: GuestClient, email: Any) -> None:
    cart = fill(guest, factories.product())
    response = guest.patch(f"/carts/{cart}/", {"email": email})
    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == "email"
