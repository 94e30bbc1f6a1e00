"""Merging a guest's cart into a user's, up to what is in stock."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from carts.models import Cart, CartItem
from products.models import Product
from tests import factories
from tests.addresses import BERLIN, VIENNA, whole
from tests.guests import ADDRESS, UNKNOWN, GuestClient, fill

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("with_guests")]


def merge(customer: APIClient, guest: GuestClient) -> dict[str, Any]:
    response = customer.post("/carts/merge/", {"guest_token": guest.token})
    assert response.status_code == 200, response.content
    return response.json()


def quantities(body: dict[str, Any]) -> dict[int | None, int]:
    return {item["product"]: item["quantity"] for item in body["cart"]["items"]}


def test_items_are_added_up_to_the_stock(customer: APIClient, guest: GuestClient) -> None:
    shoe, hat = factories.product("Shoe", quantity=5), factories.product("Hat", quantity=9)
    scarce, hidden = factories.product("Scarce", quantity=4), factories.product("Hidden")
    gone = factories.product("Gone")
    fill(customer, shoe, 2)
    fill(customer, scarce, 3)
    for product, quantity in ((shoe, 3), (hat, 4), (scarce, 3), (hidden, 1), (gone, 2)):
        cart = fill(guest, product, quantity)
    guest.patch(f"/carts/{cart}/", {"note": "Ring twice"})
    Product.objects.filter(pk=hidden.pk).update(is_active=False)
    gone.delete()
    body = merge(customer, guest)
    assert quantities(body) == {shoe.pk: 5, scarce.pk: 4, hat.pk: 4}
    assert body["capped"] == [
        {"product": scarce.pk, "wanted": 3, "got": 1},
        {"product": hidden.pk, "wanted": 1, "got": 0},
        {"product": None, "wanted": 2, "got": 0},
    ]
    assert (body["cart"]["note"], body["cart"]["user"]["username"]) == ("Ring twice", "carla")
    assert not Cart.objects.filter(pk=cart).exists()
    assert guest.get("/carts/").json()["count"] == 0


GIVEN = ("email", "phone", "note", "shipping_address", "billing_address", "delivery_method")


def fill_in(client: APIClient, **details: Any) -> None:
    response = client.patch(f"/carts/{fill(client, factories.product())}/", details)
    assert response.status_code == 200, response.content


def test_details_that_the_users_cart_lacks_are_the_guests(customer: APIClient, guest: GuestClient) -> None:
    factories.delivery_method("parcel")
    details = {"phone": "1", "note": "Ring", "shipping_address": BERLIN, "billing_address": VIENNA}
    fill_in(guest, email=ADDRESS, delivery_method="parcel", **details)
    cart = merge(customer, guest)["cart"]
    assert {name: cart[name] for name in GIVEN} == {
        **details,
        "email": "carla@example.com",
        "shipping_address": whole(BERLIN),
        "billing_address": whole(VIENNA),
        "delivery_method": "parcel",
    }
    assert cart["amounts"]["total"] == "24.80"
    assert customer.get(f"/carts/{cart['id']}/").json() == cart


def test_details_of_the_users_cart_stay(customer: APIClient, guest: GuestClient) -> None:
    for code in ("parcel", "express"):
        factories.delivery_method(code)
    fill_in(customer, phone="1", note="Ring", shipping_address=BERLIN, delivery_method="express")
    fill_in(guest, phone="2", note="No", shipping_address=VIENNA, billing_address=VIENNA, delivery_method="parcel")
    before = customer.get("/carts/").json()["results"][0]
    cart = merge(customer, guest)["cart"]
    # It is billed to its shipping address, and not to the guest's.
    assert {name: cart[name] for name in GIVEN} == {name: before[name] for name in GIVEN}
    assert (cart["shipping_address"], cart["billing_address"]) == (whole(BERLIN), None)


def test_a_second_merge_changes_nothing(customer: APIClient, guest: GuestClient) -> None:
    fill(guest, factories.product(), 2)
    first = merge(customer, guest)
    rows = list(CartItem.objects.values())
    again = merge(customer, guest)
    assert again == {"cart": first["cart"], "capped": []}
    assert list(CartItem.objects.values()) == rows


def test_a_guest_without_a_cart_adds_nothing(customer: APIClient, guest: GuestClient) -> None:
    body = merge(customer, guest)
    assert (body["cart"]["items"], body["capped"]) == ([], [])


@pytest.mark.parametrize(
    ("token", "status"), [(UNKNOWN, 404), ("x", 404), ("é" * 43, 404), (None, 400), ("a" * 101, 400)]
)
def test_an_unknown_token_is_a_404(customer: APIClient, token: str | None, status: int) -> None:
    response = customer.post("/carts/merge/", {"guest_token": token})
    assert response.status_code == status
    assert not Cart.objects.exists()


def test_only_a_user_merges(api: APIClient, guest: GuestClient) -> None:
    body = {"guest_token": guest.token}
    assert api.post("/carts/merge/", body).status_code == 401
    assert guest.post("/carts/merge/", body).status_code == 401
