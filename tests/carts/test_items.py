"""Carts and their items over HTTP."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from carts.models import Cart, CartItem
from products.models import Product
from tests import factories

pytestmark = pytest.mark.django_db


def put_in(client: APIClient, product: Product, quantity: int = 1) -> dict[str, Any]:
    answer = client.post("/cart-items/", {"product": product.pk, "quantity": quantity})
    assert answer.status_code in (200, 201), answer.content
    return answer.json()


def test_a_user_has_one_cart(customer: APIClient) -> None:
    first = customer.post("/carts/")
    second = customer.post("/carts/")
    assert (first.status_code, second.status_code) == (201, 200)
    body = first.json()
    assert body == second.json()
    assert first["Location"].endswith(f"/carts/{body['id']}/")
    assert body["user"]["username"] == "carla"
    assert (body["items"], body["count"], body["total"], body["currency"]) == ([], 0, "0.00", "EUR")
    assert body["completed"] is False


def test_an_item_makes_the_cart_and_the_same_product_adds_to_it(customer: APIClient) -> None:
    product = factories.product("Red shoe", price="19.90", quantity=5)
    first = customer.post("/cart-items/", {"product": product.pk, "quantity": 2})
    assert first.status_code == 201
    body = first.json()
    assert first["Location"].endswith(f"/cart-items/{body['id']}/")
    assert body == {
        "id": body["id"],
        "cart": Cart.objects.get().pk,
        "product": product.pk,
        "product_name": "Red shoe",
        "unit_price": "19.90",
        "quantity": 2,
        "line_total": "39.80",
    }
    second = customer.post("/cart-items/", {"product": product.pk, "quantity": 3})
    assert second.status_code == 200
    assert second.json() == {**body, "quantity": 5, "line_total": "99.50"}
    cart = customer.get(f"/carts/{body['cart']}/").json()
    assert (cart["count"], cart["total"], len(cart["items"])) == (5, "99.50", 1)


def test_more_than_there_is_is_refused_and_changes_nothing(customer: APIClient) -> None:
    product = factories.product("Red shoe", quantity=5)
    item = put_in(customer, product, 4)
    path = f"/cart-items/{item['id']}/"
    tries = [
        (customer.post("/cart-items/", {"product": product.pk, "quantity": 2}), 6),
        (customer.patch(path, {"quantity": 7}), 7),
        (customer.put(path, {"quantity": 8}), 8),
    ]
    for answer, requested in tries:
        assert answer.status_code == 409
        body = answer.json()
        assert body["type"] == "/problems/insufficient-stock"
        assert body["shortages"] == [
            {"product": product.pk, "name": "Red shoe", "requested": requested, "available": 5}
        ]
    assert customer.get(path).json()["quantity"] == 4


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"quantity": 1}, "product"),
        ({"product": 1}, "quantity"),
        ({"product": 999, "quantity": 1}, "product"),
        ({"product": "x", "quantity": 1}, "product"),
        ({"product": 1, "quantity": 0}, "quantity"),
        ({"product": 1, "quantity": -1}, "quantity"),
        ([], None),
        (None, None),
    ],
)
def test_an_item_that_makes_no_sense_is_a_400(customer: APIClient, body: Any, field: str | None) -> None:
    answer = customer.post("/cart-items/", body)
    assert answer.status_code == 400
    assert field in {error["field"] for error in answer.json()["errors"]} or field is None
    assert not CartItem.objects.exists()


def test_a_hidden_product_cannot_be_put_in(customer: APIClient) -> None:
    product = factories.product(is_active=False)
    assert customer.post("/cart-items/", {"product": product.pk, "quantity": 1}).status_code == 400


def test_an_item_keeps_its_product(customer: APIClient) -> None:
    product, other = factories.product("Red shoe"), factories.product("Blue shoe")
    path = f"/cart-items/{put_in(customer, product)['id']}/"
    assert customer.patch(path, {"product": other.pk, "quantity": 2}).status_code == 400
    assert customer.put(path, {"product": product.pk, "quantity": 2}).json()["quantity"] == 2
    assert customer.patch(path, {"quantity": 3}).json()["quantity"] == 3
    assert customer.put(path, {}).status_code == 400
    assert customer.delete(path).status_code == 204
    assert customer.get(path).status_code == 404


def test_another_customers_cart_and_items_are_not_there(customer: APIClient, other_customer: APIClient) -> None:
    item = put_in(customer, factories.product())
    cart = item["cart"]
    for path in (f"/carts/{cart}/", f"/cart-items/{item['id']}/"):
        assert other_customer.get(path).status_code == 404
        for method in ("put", "patch", "delete"):
            answer = getattr(other_customer, method)(path, {"quantity": 1, "completed": True})
            assert answer.status_code == 404, (method, path)
    assert other_customer.post(f"/carts/{cart}/checkout/").status_code == 404
    assert other_customer.get("/carts/").json()["results"] == []
    assert other_customer.get("/cart-items/").json()["results"] == []
    assert Cart.objects.filter(pk=cart).exists()


def test_carts_need_an_account(api: APIClient) -> None:
    for path in ("/carts/", "/cart-items/", "/orders/", "/carts/1/", "/orders/X/"):
        answer = api.get(path)
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"].startswith("Bearer")


def test_staff_see_and_filter_all_carts(customer: APIClient, other_customer: APIClient, staff: APIClient) -> None:
    product = factories.product(quantity=10)
    put_in(customer, product, 3)
    other_customer.post("/carts/")
    cases = {"": 2, "username=CARLA": 1, "completed=false": 2, "completed=true": 0, "min_count=1": 1, "max_count=2": 1}
    for query, count in cases.items():
        assert staff.get(f"/carts/?{query}").json()["count"] == count, query
    assert staff.get("/carts/?min_count=x").status_code == 400
    assert staff.get("/carts/?completed=perhaps").status_code == 400


def test_a_deleted_product_leaves_its_item_under_its_name(customer: APIClient) -> None:
    kept, deleted = factories.product("Kept", price="2.00"), factories.product("Deleted", price="3.00")
    put_in(customer, kept)
    cart = put_in(customer, deleted, 2)["cart"]
    deleted.delete()
    body = customer.get(f"/carts/{cart}/").json()
    assert body["items"][1] == {
        **body["items"][1],
        "product": None,
        "product_name": "Deleted",
        "unit_price": None,
        "line_total": None,
        "quantity": 2,
    }
    assert (body["total"], body["count"]) == ("2.00", 3)
    refused = customer.post(f"/carts/{cart}/checkout/")
    assert refused.status_code == 409
    assert refused.json()["shortages"] == [{"product": None, "name": "Deleted", "requested": 2, "available": 0}]


def test_a_carts_queries_do_not_grow_with_its_items(customer: APIClient) -> None:
    counts = []
    for size in (2, 10):
        for index in range(CartItem.objects.count(), size):
            put_in(customer, factories.product(f"p{index}"))
        for path in ("/carts/", "/cart-items/"):
            with CaptureQueriesContext(connection) as queries:
                assert customer.get(path).status_code == 200
            counts.append(len(queries))
    # The token's user and the page, which says itself how many there are; a cart also its items and their products.
    assert counts == [4, 2, 4, 2]
