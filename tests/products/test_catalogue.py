"""Products over HTTP: reading, writing, who may, and what happens at the edges."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from products.models import Product, StockMovement
from tests import factories

pytestmark = pytest.mark.django_db


def test_a_product_needs_a_name_and_a_quantity_and_the_rest_has_defaults(staff: APIClient) -> None:
    answer = staff.post("/products/", {"name": "Red shoe", "quantity": 3})
    body = answer.json()
    assert answer.status_code == 201
    assert answer["Location"].endswith(f"/products/{body['id']}/")
    expected: dict[str, Any] = {
        "name": "Red shoe",
        "slug": "red-shoe",
        "sku": "RED-SHOE",
        "brand": "",
        "description": "",
        "category": None,
        "category_name": None,
        "price": "0.00",
        "currency": "EUR",
        "quantity": 3,
        "rating": 5,
        "is_active": True,
        "image": None,
        "images": [],
    }
    assert {name: body[name] for name in expected} == expected
    assert body["created_at"].endswith("Z")
    assert staff.get(answer["Location"]).json() == body


@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"quantity": 1}, "name", "required"),
        ({"name": "x"}, "quantity", "required"),
        ({"name": " ", "quantity": 1}, "name", "blank"),
        ({"name": "x" * 201, "quantity": 1}, "name", "max_length"),
        ({"name": "x", "quantity": -1}, "quantity", "min_value"),
        ({"name": "x", "quantity": 2147483648}, "quantity", "max_value"),
        ({"name": "x", "quantity": "many"}, "quantity", "invalid"),
        ({"name": "x", "quantity": 1, "price": "-0.01"}, "price", "min_value"),
        ({"name": "x", "quantity": 1, "price": "100000000.00"}, "price", "max_digits"),
        ({"name": "x", "quantity": 1, "price": "1.999"}, "price", "max_decimal_places"),
        ({"name": "x", "quantity": 1, "rating": 0}, "rating", "min_value"),
        ({"name": "x", "quantity": 1, "rating": 5.1}, "rating", "max_value"),
        ({"name": "x", "quantity": 1, "rating": "NaN"}, "rating", "invalid"),
        ({"name": "x", "quantity": 1, "category": 99}, "category", "does_not_exist"),
        ({"name": "x", "quantity": 1, "brand": "b" * 101}, "brand", "max_length"),
        ({"name": "x\x00", "quantity": 1}, "name", "null_characters_not_allowed"),
    ],
)
def test_a_value_that_does_not_fit_is_named(staff: APIClient, fields: dict[str, Any], field: str, code: str) -> None:
    answer = staff.post("/products/", fields)
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert body["type"] == "/problems/validation-error"
    assert [(error["field"], error["code"]) for error in body["errors"]] == [(field, code)]
    assert not Product.objects.exists()


@pytest.mark.parametrize("name", ["東京タワー", "Ünïcode Schuh", "обувь", "حذاء", "🎈"])
def test_a_slug_is_made_of_a_name_in_any_script(staff: APIClient, name: str) -> None:
    first, second = (staff.post("/products/", {"name": name, "quantity": 1}).json() for _ in range(2))
    assert first["slug"]
    assert first["sku"]
    assert first["slug"] != second["slug"]
    assert first["sku"] != second["sku"]


def test_slug_and_sku_are_unique(staff: APIClient) -> None:
    factories.product("Red shoe", slug="red", sku="R-1")
    answer = staff.post("/products/", {"name": "Other", "quantity": 1, "slug": "red", "sku": "R-1"})
    assert answer.status_code == 400
    assert {error["field"] for error in answer.json()["errors"]} == {"slug", "sku"}


def test_put_keeps_the_fields_left_out_and_asks_for_the_required_ones(staff: APIClient) -> None:
    product = factories.product("Red shoe", brand="Acme", price="5.00", quantity=4)
    answer = staff.put(f"/products/{product.pk}/", {"name": "Blue shoe", "quantity": 6})
    assert answer.status_code == 200
    body = answer.json()
    assert (body["name"], body["quantity"], body["brand"], body["price"]) == ("Blue shoe", 6, "Acme", "5.00")
    assert body["slug"] == product.slug
    missing = staff.put(f"/products/{product.pk}/", {"name": "Green shoe"})
    assert missing.status_code == 400
    assert missing.json()["errors"][0]["field"] == "quantity"


def test_each_change_of_quantity_is_in_the_ledger(staff: APIClient) -> None:
    product_id = staff.post("/products/", {"name": "Red shoe", "quantity": 3}).json()["id"]
    staff.patch(f"/products/{product_id}/", {"quantity": 10})
    staff.patch(f"/products/{product_id}/", {"description": "Red."})
    movements = list(StockMovement.objects.order_by("id").values_list("delta", "reason"))
    assert movements == [(3, "initial"), (7, "correction")]


def test_saving_a_stale_description_does_not_bring_back_what_was_sold(customer: APIClient) -> None:
    product = factories.product(quantity=5)
    stale = Product.objects.get(pk=product.pk)
    customer.post("/cart-items/", {"product": product.pk, "quantity": 2})
    cart = customer.get("/carts/").json()["results"][0]
    assert customer.post(f"/carts/{cart['id']}/checkout/").status_code == 201
    stale.description = "As good as new."
    stale.save()
    assert Product.objects.get(pk=product.pk).quantity == 3


def test_inactive_products_are_seen_by_staff_alone(api: APIClient, customer: APIClient, staff: APIClient) -> None:
    product = factories.product(is_active=False)
    for client, status, count in ((api, 404, 0), (customer, 404, 0), (staff, 200, 1)):
        assert client.get(f"/products/{product.pk}/").status_code == status
        assert client.get("/products/").json()["count"] == count


def test_only_staff_with_the_permission_write(api: APIClient, customer: APIClient, sign_in: Any) -> None:
    product = factories.product()
    without = sign_in(factories.user("pia", is_staff=True))
    for client, status in ((api, 401), (customer, 403), (without, 403)):
        assert client.post("/products/", {"name": "x", "quantity": 1}).status_code == status
        for method in ("put", "patch", "delete"):
            assert getattr(client, method)(f"/products/{product.pk}/", {}).status_code == status
    assert list(Product.objects.values_list("name", flat=True)) == ["Red shoe"]


def test_if_match_refuses_a_write_over_what_was_not_seen(staff: APIClient) -> None:
    product = factories.product(quantity=5)
    path = f"/products/{product.pk}/"
    tag = staff.get(path)["ETag"]
    answer = staff.patch(path, {"price": "7.00"}, headers={"If-Match": f"W/{tag}"})
    assert answer.status_code == 200
    assert answer["ETag"] == staff.get(path)["ETag"] != tag
    for method in ("put", "patch", "delete"):
        refused = getattr(staff, method)(path, {"name": "x", "quantity": 1}, headers={"If-Match": tag})
        assert refused.status_code == 412
        assert refused.json()["type"] == "/problems/precondition-failed"
    assert Product.objects.get().name == "Red shoe"
    assert staff.delete(path, headers={"If-Match": answer["ETag"]}).status_code == 204
    assert staff.get(path).status_code == 404


def test_a_sale_changes_the_tag(api: APIClient, customer: APIClient) -> None:
    product = factories.product(quantity=5)
    before = api.get(f"/products/{product.pk}/")["ETag"]
    cart = customer.post("/carts/").json()["id"]
    customer.post("/cart-items/", {"product": product.pk, "quantity": 1})
    customer.post(f"/carts/{cart}/checkout/")
    assert api.get(f"/products/{product.pk}/")["ETag"] != before


def test_a_reader_who_has_it_gets_a_304(api: APIClient) -> None:
    product = factories.product()
    for path in ("/products/", f"/products/{product.pk}/"):
        first = api.get(path)
        assert first["Cache-Control"] == "public, no-cache"
        assert first["Vary"] == "Accept, Authorization, Cookie"
        again = api.get(path, headers={"If-None-Match": first["ETag"]})
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
        Product.objects.update(price="1.00")
        assert api.get(path, headers={"If-None-Match": first["ETag"]}).status_code == 200
        Product.objects.update(price="19.90")


def test_what_a_signed_in_reader_gets_is_private(customer: APIClient) -> None:
    factories.product()
    assert customer.get("/products/")["Cache-Control"] == "private, no-cache"


def test_a_deleted_product_leaves_its_order_line(customer: APIClient, staff: APIClient) -> None:
    product = factories.product("Red shoe", sku="R-1")
    cart = customer.post("/carts/").json()["id"]
    customer.post("/cart-items/", {"product": product.pk, "quantity": 1})
    number = customer.post(f"/carts/{cart}/checkout/").json()["number"]
    assert staff.delete(f"/products/{product.pk}/").status_code == 204
    line = customer.get(f"/orders/{number}/").json()["items"][0]
    assert line == {
        "product": None,
        "sku": "R-1",
        "name": "Red shoe",
        "unit_price": "19.90",
        "quantity": 1,
        "line_total": "19.90",
    }
