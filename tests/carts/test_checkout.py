"""Checkout through the API and by saving a cart: all or nothing, once, at the price that the client saw."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from rest_framework.test import APIClient

from carts.models import Cart
from orders.models import Order
from outbox.models import Mail
from products.models import Product, StockMovement
from tests import factories
from tests.buying import fill_cart
from tests.stock import quantity

pytestmark = pytest.mark.django_db


def test_a_cart_becomes_an_order(customer: APIClient) -> None:
    shoe = factories.product("Red shoe", price="19.90", quantity=5, sku="R-1")
    hat = factories.product("Hat", price="5.05", quantity=1)
    cart = fill_cart(customer, (shoe, 2), (hat, 1))
    response = customer.post(f"/carts/{cart}/checkout/")
    assert response.status_code == 201
    body = response.json()
    assert response["Location"].endswith(f"/orders/{body['number']}/")
    assert (body["status"], body["total"], body["currency"]) == ("paid", "44.85", "EUR")
    assert body["items"][0] == {
        "product": shoe.pk,
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
    assert (quantity(shoe), quantity(hat)) == (3, 0)
    assert customer.get(f"/carts/{cart}/").status_code == 404
    assert customer.get(response["Location"]).json() == body
    sales = StockMovement.objects.filter(reason="sale").values_list(
        "product", "delta", "order_number", "user__username"
    )
    assert set(sales) == {(shoe.pk, -2, body["number"], "carla"), (hat.pk, -1, body["number"], "carla")}
    mail = Mail.objects.get(kind="order-confirmation")
    assert (mail.recipient, mail.reference) == ("carla@example.com", body["number"])


def test_every_shortage_is_reported_and_nothing_changes(customer: APIClient) -> None:
    few, hidden, plenty = (factories.product(name, quantity=5) for name in ("Few", "Hidden", "Plenty"))
    cart = fill_cart(customer, (few, 4), (hidden, 1), (plenty, 1))
    Product.objects.filter(pk=few.pk).update(quantity=3)
    Product.objects.filter(pk=hidden.pk).update(is_active=False)
    for response in (customer.post(f"/carts/{cart}/checkout/"), customer.patch(f"/carts/{cart}/", {"completed": True})):
        assert response.status_code == 409
        assert response.json()["shortages"] == [
            {"product": few.pk, "name": "Few", "requested": 4, "available": 3},
            {"product": hidden.pk, "name": "Hidden", "requested": 1, "available": 0},
        ]
    assert (quantity(few), quantity(hidden), quantity(plenty)) == (3, 5, 5)
    assert not Order.objects.exists()
    assert not StockMovement.objects.filter(reason="sale").exists()
    assert customer.get(f"/carts/{cart}/").json()["completed"] is False


def test_an_empty_cart_and_an_ordered_cart_are_refused(customer: APIClient, other_customer: APIClient) -> None:
    cart = customer.post("/carts/").json()["id"]
    empty = customer.post(f"/carts/{cart}/checkout/")
    assert (empty.status_code, empty.json()["type"]) == (409, "/problems/empty-cart")
    fill_cart(customer, (factories.product(), 1))
    number = customer.post(f"/carts/{cart}/checkout/").json()["number"]
    for again in (customer.post(f"/carts/{cart}/checkout/"), customer.put(f"/carts/{cart}/", {"completed": True})):
        assert (again.status_code, again.json()["type"]) == (409, "/problems/already-ordered")
        assert again.json()["order"] == number
    assert other_customer.post(f"/carts/{cart}/checkout/").status_code == 404
    assert customer.post("/carts/").json()["id"] != cart


@pytest.mark.parametrize("method", ["put", "patch"])
def test_completing_a_cart_checks_it_out(customer: APIClient, method: str) -> None:
    product = factories.product(price="2.00", quantity=5)
    cart = fill_cart(customer, (product, 2))
    before = customer.get(f"/carts/{cart}/").json()
    response = getattr(customer, method)(f"/carts/{cart}/", {"completed": True})
    assert response.status_code == 200
    order = Order.objects.get()
    assert response.json() == {**before, "completed": True, "order": order.number}
    assert quantity(product) == 3
    assert not Cart.objects.exists()


def test_completed_is_the_only_writable_field(customer: APIClient) -> None:
    cart = customer.post("/carts/").json()
    path = f"/carts/{cart['id']}/"
    assert customer.patch(path, {}).json() == cart
    assert customer.put(path, {"completed": False}).json() == cart
    assert customer.put(path, {}).status_code == 400
    assert customer.patch(path, {"completed": "perhaps"}).status_code == 400
    assert customer.delete(path).status_code == 204


def test_staff_check_out_on_behalf_of_a_customer(customer: APIClient, staff: APIClient) -> None:
    cart = fill_cart(customer, (factories.product(), 1))
    number = staff.post(f"/carts/{cart}/checkout/", headers={"Idempotency-Key": "k"}).json()["number"]
    assert customer.get(f"/orders/{number}/").status_code == 200
    people = Order.objects.values_list("user__username", "placed_by__username")
    assert list(people) == [("carla", "stella")]


def verify_address(name: str) -> None:
    get_user_model().objects.filter(username=name).update(email_verified=True)


@pytest.mark.parametrize(("method", "path"), [("post", "checkout/"), ("put", ""), ("patch", "")])
def test_a_shop_may_require_a_verified_address(
    customer: APIClient, staff: APIClient, settings: Any, method: str, path: str
) -> None:
    settings.REQUIRE_VERIFIED_EMAIL = True
    shoe = factories.product(quantity=5)
    cart = fill_cart(customer, (shoe, 2))

    def check_out(client: APIClient, **headers: Any) -> Any:
        return getattr(client, method)(f"/carts/{cart}/{path}", {"completed": True}, headers=headers)

    refused = check_out(customer, **{"Idempotency-Key": "k"})
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/forbidden")
    assert "Verify your e-mail address" in refused.json()["detail"]
    assert (quantity(shoe), Order.objects.count(), Mail.objects.count()) == (5, 0, 0)
    assert customer.get(f"/carts/{cart}/").json()["completed"] is False
    verify_address("carla")
    assert check_out(customer, **{"Idempotency-Key": "k"}).status_code in (200, 201)
    assert quantity(shoe) == 3


def test_staff_complete_a_cart_of_an_unverified_owner(customer: APIClient, staff: APIClient, settings: Any) -> None:
    settings.REQUIRE_VERIFIED_EMAIL = True
    shoe = factories.product(quantity=5)
    assert staff.post(f"/carts/{fill_cart(customer, (shoe, 2))}/checkout/").status_code == 201
    cart = Cart.objects.get(pk=fill_cart(customer, (shoe, 1)))
    cart.completed = True
    cart.save()  # as the admin does
    assert (quantity(shoe), Order.objects.filter(user__username="carla").count()) == (2, 2)
