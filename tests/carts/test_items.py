"""Carts and their items over HTTP."""

from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from carts import items
from carts.models import Cart, CartItem
from products.models import QUANTITY_MAX, Product
from tests import factories
from tests.products import pictures
from tests.queries import queries

pytestmark = pytest.mark.django_db


def add_item(client: APIClient, product: Product, quantity: int = 1) -> dict[str, Any]:
    response = client.post("/cart-items/", {"product": product.pk, "quantity": quantity})
    assert response.status_code in (200, 201), response.content
    return response.json()


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


def test_adding_creates_the_cart_and_adds_up_one_product(customer: APIClient) -> None:
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
        "sku": "RED-SHOE",
        "slug": "red-shoe",
        "image": None,
        "options": {},
        "available": 5,
        "unit_price": "19.90",
        "quantity": 2,
        "line_total": "39.80",
    }
    second = customer.post("/cart-items/", {"product": product.pk, "quantity": 3})
    assert second.status_code == 200
    assert second.json() == {**body, "quantity": 5, "line_total": "99.50"}
    cart = customer.get(f"/carts/{body['cart']}/").json()
    assert (cart["count"], cart["total"], len(cart["items"])) == (5, "99.50", 1)


def test_a_shortage_is_refused_and_changes_nothing(customer: APIClient) -> None:
    product = factories.product("Red shoe", quantity=5)
    item = add_item(customer, product, 4)
    path = f"/cart-items/{item['id']}/"
    tries = [
        (customer.post("/cart-items/", {"product": product.pk, "quantity": 2}), 6),
        (customer.patch(path, {"quantity": 7}), 7),
        (customer.put(path, {"quantity": 8}), 8),
    ]
    for response, requested in tries:
        assert response.status_code == 409
        body = response.json()
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
def test_an_invalid_item_is_a_400(customer: APIClient, body: Any, field: str | None) -> None:
    response = customer.post("/cart-items/", body)
    assert response.status_code == 400
    assert field in {error["field"] for error in response.json()["errors"]} or field is None
    assert not CartItem.objects.exists()


def test_a_hidden_product_cannot_be_add_item(customer: APIClient) -> None:
    product = factories.product(is_active=False)
    assert customer.post("/cart-items/", {"product": product.pk, "quantity": 1}).status_code == 400


def test_an_items_product_cannot_change(customer: APIClient) -> None:
    product, other = factories.product("Red shoe"), factories.product("Blue shoe")
    path = f"/cart-items/{add_item(customer, product)['id']}/"
    assert customer.patch(path, {"product": other.pk, "quantity": 2}).status_code == 400
    assert customer.put(path, {"product": product.pk, "quantity": 2}).json()["quantity"] == 2
    assert customer.patch(path, {"quantity": 3}).json()["quantity"] == 3
    assert customer.put(path, {}).status_code == 400
    assert customer.delete(path).status_code == 204
    assert customer.get(path).status_code == 404


def test_another_customers_cart_and_items_are_not_found(customer: APIClient, other_customer: APIClient) -> None:
    item = add_item(customer, factories.product())
    cart = item["cart"]
    for path in (f"/carts/{cart}/", f"/cart-items/{item['id']}/"):
        assert other_customer.get(path).status_code == 404
        for method in ("put", "patch", "delete"):
            response = getattr(other_customer, method)(path, {"quantity": 1, "completed": True})
            assert response.status_code == 404, (method, path)
    assert other_customer.post(f"/carts/{cart}/checkout/").status_code == 404
    assert other_customer.get("/carts/").json()["results"] == []
    assert other_customer.get("/cart-items/").json()["results"] == []
    assert Cart.objects.filter(pk=cart).exists()


def test_carts_require_authentication(api: APIClient) -> None:
    for path in ("/carts/", "/cart-items/", "/orders/", "/carts/1/", "/orders/X/"):
        response = api.get(path)
        assert response.status_code == 401
        assert response["WWW-Authenticate"].startswith("Bearer")


def test_staff_see_and_filter_all_carts(customer: APIClient, other_customer: APIClient, staff: APIClient) -> None:
    product = factories.product(quantity=10)
    add_item(customer, product, 3)
    other_customer.post("/carts/")
    cases = {"": 2, "username=CARLA": 1, "completed=false": 2, "completed=true": 0, "min_count=1": 1, "max_count=2": 1}
    for query, count in cases.items():
        assert staff.get(f"/carts/?{query}").json()["count"] == count, query
    assert staff.get("/carts/?min_count=x").status_code == 400
    assert staff.get("/carts/?completed=perhaps").status_code == 400


def test_the_item_of_a_deleted_product_stays_with_its_name(customer: APIClient) -> None:
    other, deleted = factories.product("Other", price="2.00"), factories.product("Deleted", price="3.00")
    add_item(customer, other)
    cart = add_item(customer, deleted, 2)["cart"]
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


def test_a_change_without_a_quantity_writes_nothing(customer: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """The quantity that was read before the lock must not be written back."""
    item = add_item(customer, factories.product(quantity=9), 2)
    path = f"/cart-items/{item['id']}/"
    before = customer.get(f"/carts/{item['cart']}/").json()

    def change_after_update(**wanted: Any) -> CartItem:
        CartItem.objects.filter(pk=item["id"]).update(quantity=7)
        return change(**wanted)

    change = items.change_quantity
    monkeypatch.setattr(items, "change_quantity", change_after_update)
    for body in ({}, {"product": item["product"]}):
        assert customer.patch(path, body).json()["quantity"] == 7
    assert customer.get(f"/carts/{item['cart']}/").json()["updated_at"] == before["updated_at"]


def test_deleting_a_deleted_row_is_a_404(customer: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    item = add_item(customer, factories.product())
    for name, path in (("remove", f"/cart-items/{item['id']}/"), ("delete_cart", f"/carts/{item['cart']}/")):
        real = getattr(items, name)

        def twice(real: Any = real, **which: Any) -> None:
            """Delete as a concurrent request would, then again."""
            real(**which)
            real(**which)

        monkeypatch.setattr(items, name, twice)
        assert customer.delete(path).status_code == 404


EXPENSIVE = {"price": "99999999.99", "quantity": QUANTITY_MAX}


def test_a_total_above_the_maximum_is_refused(customer: APIClient, staff: APIClient) -> None:
    """Four products are below 10^18, five above."""
    products = [factories.product(f"Expensive {number}", **EXPENSIVE) for number in range(5)]
    for product in products[:4]:
        add_item(customer, product, QUANTITY_MAX)
    last = customer.post("/cart-items/", {"product": products[4].pk, "quantity": 1})
    refused = customer.patch(f"/cart-items/{last.json()['id']}/", {"quantity": QUANTITY_MAX})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "quantity")
    assert "999,999,999,999,999,999.99" in refused.json()["detail"]
    assert customer.post("/cart-items/", {"product": products[4].pk, "quantity": QUANTITY_MAX - 1}).status_code == 400
    assert staff.get("/carts/").json()["results"][0]["total"] == "858993458814100654.11"


def test_a_total_that_rose_above_the_maximum_can_be_listed_and_not_ordered(
    customer: APIClient, staff: APIClient
) -> None:
    products = [factories.product(f"Expensive {number}", quantity=QUANTITY_MAX, price="1.00") for number in range(6)]
    for product in products:
        cart = add_item(customer, product, QUANTITY_MAX)["cart"]
    Product.objects.update(price="99999999.99")
    for client in (customer, staff):
        assert client.get("/carts/").json()["results"][0]["total"] == "1288490188071150981.18"
        assert client.get(f"/carts/{cart}/").status_code == 200
    assert staff.get("/cart-items/").status_code == 200
    refused = customer.post(f"/carts/{cart}/checkout/")
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, "max_total")
    assert Cart.objects.filter(pk=cart).exists()


def test_a_carts_queries_do_not_grow_with_its_items(customer: APIClient) -> None:
    counts = []
    for size in (2, 20):
        for index in range(CartItem.objects.count(), size):
            add_item(customer, factories.product(f"p{index}"))
        counts += [queries(customer, path) for path in ("/carts/", "/cart-items/")]
    # The token's user and the page with its count, and the images; for carts also the items and their products.
    assert counts == [5, 3, 5, 3]


def test_an_item_can_be_drawn(customer: APIClient, settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    product = factories.product("Red shoe", quantity=5)
    pictures.add(product, 60, status="pending")
    second = pictures.add(product, 70, status="ready", position=1)
    pictures.add(product, 80, status="ready", position=2)
    item = add_item(customer, product)
    image = customer.get(f"/products/{product.pk}/").json()["image"]
    for shown in (
        item,
        customer.get(f"/cart-items/{item['id']}/").json(),
        customer.get("/cart-items/").json()["results"][0],
        customer.get(f"/carts/{item['cart']}/").json()["items"][0],
        customer.get("/carts/").json()["results"][0]["items"][0],
        customer.post("/carts/").json()["items"][0],
    ):
        assert shown["image"] == image
        assert (shown["image"]["id"], shown["sku"], shown["slug"]) == (second.pk, "RED-SHOE", "red-shoe")
        assert (shown["options"], shown["available"]) == ({}, 5)
    Product.objects.update(is_active=False)
    assert customer.get(f"/cart-items/{item['id']}/").json()["available"] == 0
    product.delete()
    shown = customer.get(f"/cart-items/{item['id']}/").json()
    assert (shown["sku"], shown["slug"], shown["image"], shown["available"]) == (None, None, None, 0)


def test_several_products_are_added_at_once_or_none(customer: APIClient) -> None:
    shoe, hat = factories.product("Shoe", quantity=5), factories.product("Hat", quantity=2)
    response = customer.post(
        "/cart-items/",
        {
            "items": [
                {"product": shoe.pk, "quantity": 2},
                {"product": hat.pk, "quantity": 1},
                {"product": shoe.pk, "quantity": 3},
            ]
        },
    )
    assert response.status_code == 200
    body = response.json()
    assert [(row["product"], row["quantity"]) for row in body["items"]] == [(shoe.pk, 5), (hat.pk, 1)]
    assert response["ETag"] == customer.get(f"/carts/{body['id']}/")["ETag"]
    both = [{"product": shoe.pk, "quantity": 1}, {"product": hat.pk, "quantity": 2}]
    refused = customer.post("/cart-items/", {"items": both})
    assert refused.status_code == 409
    assert [(row["product"], row["requested"], row["available"]) for row in refused.json()["shortages"]] == [
        (shoe.pk, 6, 5),
        (hat.pk, 3, 2),
    ]
    assert customer.get(f"/carts/{body['id']}/").json()["items"] == body["items"]


@pytest.mark.parametrize(
    ("rows", "field"),
    [
        ([], "items"),
        ("x", "items"),
        (None, "items"),
        ([{"product": 1, "quantity": 0}], "items.0.quantity"),
        ([{"product": 1, "quantity": 1}] * 101, "items"),
        ([7], "items.0"),
    ],
)
def test_malformed_items_are_refused(customer: APIClient, rows: Any, field: str) -> None:
    response = customer.post("/cart-items/", {"items": rows})
    assert response.status_code == 400
    assert response.json()["errors"][0]["field"].startswith(field)
    assert not CartItem.objects.exists()


def test_an_unknown_product_among_several_is_named(customer: APIClient) -> None:
    rows = [{"product": factories.product().pk, "quantity": 1}, {"product": 10**9, "quantity": 1}]
    response = customer.post("/cart-items/", {"items": rows})
    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "items.1.product")
    assert not CartItem.objects.exists()


@pytest.mark.parametrize(
    "prefer",
    [
        "return=representation; of=cart",
        'return="representation";of=cart',
        "respond-async, return=representation; of=cart",
    ],
)
def test_an_items_write_answers_the_cart_if_the_client_prefers_it(customer: APIClient, prefer: str) -> None:
    headers = {"Prefer": prefer}
    product = factories.product(quantity=5)
    added = customer.post("/cart-items/", {"product": product.pk, "quantity": 1}, headers=headers)
    assert (added.status_code, added.json()["count"]) == (201, 1)
    item = added.json()["items"][0]["id"]
    assert added["Location"].endswith(f"/cart-items/{item}/")
    raised = customer.post("/cart-items/", {"product": product.pk, "quantity": 1}, headers=headers)
    assert (raised.status_code, raised.json()["count"]) == (200, 2)
    changed = customer.patch(f"/cart-items/{item}/", {"quantity": 3}, headers=headers)
    assert (changed.status_code, changed.json()["count"]) == (200, 3)
    cart = customer.get(f"/carts/{changed.json()['id']}/")
    assert (changed.json(), changed["ETag"]) == (cart.json(), cart["ETag"])
    assert changed["Preference-Applied"] == "return=representation; of=cart"
    removed = customer.delete(f"/cart-items/{item}/", headers=headers)
    assert (removed.status_code, removed.json()["items"]) == (200, [])


@pytest.mark.parametrize(
    "prefer",
    ["", "return=minimal", "of=cart", "return=representation", "return=representation, of=cart", ";,=;" * 5000],
)
def test_other_preferences_are_ignored(customer: APIClient, prefer: str) -> None:
    item = add_item(customer, factories.product())["id"]
    response = customer.patch(f"/cart-items/{item}/", {"quantity": 2}, headers={"Prefer": prefer})
    assert (response.status_code, "Preference-Applied" in response) == (431 if len(prefer) > 8000 else 200, False)
