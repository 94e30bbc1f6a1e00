"""Addresses, the delivery method and other details of a cart over HTTP."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from carts.models import Cart
from orders.models import Order
from productbackend.database.postal_addresses import LENGTHS
from tests import factories
from tests.addresses import BERLIN, VIENNA, whole
from tests.buying import fill_cart
from tests.guests import ADDRESS, GuestClient, fill

pytestmark = pytest.mark.django_db

BOOK = "/account/addresses/"


@pytest.fixture
def path(customer: APIClient) -> str:
    """The path of the customer's cart, which has one item."""
    return f"/carts/{fill_cart(customer)}/"


def add_to_book(client: APIClient, address: dict[str, Any]) -> int:
    return client.post(BOOK, address).json()["id"]


def errors(response: Any) -> list[tuple[str, str]]:
    assert response.status_code == 400, response.content
    return [(error["field"], error["code"]) for error in response.json()["errors"]]


def test_only_what_is_sent_is_changed(customer: APIClient, path: str) -> None:
    factories.delivery_method("parcel")
    details = {
        "email": "gift@example.com",
        "phone": "+49 30 1",
        "note": "Ring twice",
        "shipping_address": BERLIN,
        "billing_address": VIENNA,
        "delivery_method": "parcel",
    }
    shown: dict[str, Any] = {**details, "shipping_address": whole(BERLIN), "billing_address": whole(VIENNA)}
    body = customer.patch(path, details).json()
    assert {name: body[name] for name in shown} == shown
    for change in ({"note": ""}, {"billing_address": None}, {"delivery_method": None}, {"shipping_address": None}):
        body = customer.patch(path, change).json()
        shown |= change
        assert {name: body[name] for name in shown} == shown
    assert customer.patch(path, {"email": None}).json()["email"] == "carla@example.com"
    assert customer.put(path, {"completed": False, "phone": ""}).json()["note"] == ""
    assert customer.get(path).json()["phone"] == ""


def test_another_address_replaces_all_parts(customer: APIClient, path: str) -> None:
    customer.patch(path, {"shipping_address": {**VIENNA, "company": "Coe GmbH", "phone": "1"}})
    assert customer.patch(path, {"shipping_address": BERLIN}).json()["shipping_address"] == whole(BERLIN)


def test_an_address_by_its_id_is_copied_from_the_owners_book(customer: APIClient, path: str, staff: APIClient) -> None:
    first, second = add_to_book(customer, BERLIN), add_to_book(customer, VIENNA)
    body = customer.patch(path, {"shipping_address": {"id": first}, "billing_address": {"id": second}}).json()
    assert (body["shipping_address"], body["billing_address"]) == (whole(BERLIN), whole(VIENNA))
    # Later changes of the book change neither the cart nor the order.
    customer.patch(f"{BOOK}{first}/", {"city": "Bonn"})
    customer.delete(f"{BOOK}{second}/")
    assert customer.get(path).json() == body
    # Staff name an address of the owner's book, not of their own.
    assert staff.patch(path, {"shipping_address": {"id": first}}).json()["shipping_address"]["city"] == "Bonn"
    own = add_to_book(staff, VIENNA)
    assert errors(staff.patch(path, {"shipping_address": {"id": own}})) == [("shipping_address.id", "does_not_exist")]
    number = customer.post(f"{path}checkout/").json()["number"]
    customer.delete(f"{BOOK}{first}/")
    order = customer.get(f"/orders/{number}/").json()
    assert order["shipping_address"] == {**whole(BERLIN), "city": "Bonn"}
    assert order["billing_address"] == whole(VIENNA)


def test_an_address_that_was_read_from_the_book_is_taken_as_it_is(customer: APIClient, path: str) -> None:
    found = customer.post(BOOK, BERLIN).json()
    body = customer.patch(path, {"shipping_address": {**found, "city": "Potsdam"}}).json()
    assert body["shipping_address"] == {**whole(BERLIN), "city": "Potsdam"}


@pytest.mark.parametrize(
    ("address", "field", "code"),
    [
        ({"id": 10**17}, "shipping_address.id", "does_not_exist"),
        ({"id": "x"}, "shipping_address.id", "invalid"),
        ({"id": True}, "shipping_address.id", "invalid"),
        ({"id": 0}, "shipping_address.id", "min_value"),
        ({"id": 2**63}, "shipping_address.id", "max_value"),
        ({**BERLIN, "country": "Germany"}, "shipping_address.country", "invalid_choice"),
        ({**BERLIN, "name": "  "}, "shipping_address.name", "blank"),
        ({**BERLIN, "line2": "x" * 201}, "shipping_address.line2", "max_length"),
        ("Berlin", "shipping_address", "invalid"),
        ([BERLIN], "shipping_address", "invalid"),
    ],
)
@pytest.mark.parametrize("completed", [False, True])
def test_addresses_that_are_refused(
    customer: APIClient, path: str, address: Any, field: str, code: str, completed: bool
) -> None:
    assert errors(customer.patch(path, {"shipping_address": address, "completed": completed})) == [(field, code)]
    assert Cart.objects.get().shipping_address is None
    assert not Order.objects.exists()


def test_anothers_address_is_refused_like_an_unknown_one(
    customer: APIClient, other_customer: APIClient, path: str
) -> None:
    others = add_to_book(other_customer, VIENNA)
    body = {"billing_address": {"id": others}}
    assert errors(customer.patch(path, body)) == [("billing_address.id", "does_not_exist")]


def test_a_guest_has_no_address_book(guest: GuestClient, customer: APIClient) -> None:
    cart = fill(guest, factories.product())
    known = add_to_book(customer, BERLIN)
    body = {"shipping_address": {"id": known}}
    assert errors(guest.patch(f"/carts/{cart}/", body)) == [("shipping_address.id", "does_not_exist")]
    assert guest.patch(f"/carts/{cart}/", {"shipping_address": BERLIN}).json()["shipping_address"] == whole(BERLIN)


@pytest.mark.parametrize("completed", [False, True])
def test_an_unknown_delivery_method_is_refused(customer: APIClient, path: str, completed: bool) -> None:
    for code in ("balloon", "PARCEL", "x" * 50):
        factories.delivery_method(f"parcel-{code[0]}")
        body = {"delivery_method": code, "shipping_address": BERLIN, "completed": completed}
        assert errors(customer.patch(path, body)) == [("delivery_method", "does_not_exist")]
    body = {"delivery_method": "x" * 51, "completed": completed}
    assert errors(customer.patch(path, body)) == [("delivery_method", "max_length")]
    assert (Cart.objects.get().shipping_address, Order.objects.count()) == (None, 0)


def test_a_method_that_is_not_offered_may_be_chosen(customer: APIClient, path: str) -> None:
    factories.delivery_method("parcel", countries=["AT"])
    factories.delivery_method("balloon", is_active=False)
    for code in ("parcel", "balloon"):
        assert customer.patch(path, {"delivery_method": code}).json()["delivery_method"] == code


def test_checkout_with_everything_in_one_request_and_its_replay(customer: APIClient, path: str) -> None:
    factories.delivery_method("parcel")
    address = add_to_book(customer, BERLIN)
    body = {"completed": True, "shipping_address": {"id": address}, "delivery_method": "parcel", "note": "Ring"}
    first = customer.patch(path, body, headers={"Idempotency-Key": "k"})
    assert first.status_code == 200, first.content
    assert (first.json()["shipping_address"], first.json()["missing"]) == (whole(BERLIN), [])
    assert first.json()["amounts"]["total"] == "24.80"
    # The cart and the address are gone when the request is repeated.
    customer.delete(f"{BOOK}{address}/")
    again = customer.patch(path, body, headers={"Idempotency-Key": "k"})
    assert (again.status_code, again["Idempotent-Replayed"]) == (200, "true")
    assert again.json() == first.json()
    order = customer.get(f"/orders/{first.json()['order']}/").json()
    assert (order["shipping_address"], order["note"], order["total"]) == (whole(BERLIN), "Ring", "24.80")
    assert order["delivery"] == {"code": "parcel", "name": "Parcel", "price": "4.90"}


def test_a_refused_checkout_keeps_no_address(customer: APIClient, path: str) -> None:
    factories.delivery_method("parcel", countries=["DE"])
    body = {"completed": True, "shipping_address": VIENNA, "delivery_method": "parcel"}
    assert customer.patch(path, body).json()["reason"] == "country"
    assert (Cart.objects.get().shipping_address, Cart.objects.get().delivery_method) == (None, "")


@pytest.mark.parametrize("text", ["نور", "🏠", "דוד", "ﷺ"])
def test_the_longest_names_of_any_script_reach_the_order(guest: GuestClient, staff: APIClient, text: str) -> None:
    longest = {part: (text * length)[:length] for part, length in LENGTHS.items() if part != "country"}
    address = {**longest, "country": "EG"}
    cart = fill(guest, factories.product(text * 50))
    body = {"email": ADDRESS, "note": text * 500, "shipping_address": address, "billing_address": address}
    assert guest.patch(f"/carts/{cart}/", body).status_code == 200
    order = guest.post(f"/carts/{cart}/checkout/").json()
    for client in (guest, staff):
        shown = client.get(f"/orders/{order['number']}/").json()
        assert (shown["shipping_address"], shown["billing_address"], shown["note"]) == (address, address, text * 500)
