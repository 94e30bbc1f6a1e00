"""Products over HTTP: reading, writing, permissions and edge cases."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from rest_framework.test import APIClient

from products.models import Product, ProductImage
from tests import factories
from tests.signing_in import client_of

pytestmark = pytest.mark.django_db


def test_a_product_requires_name_and_quantity_and_has_defaults(staff: APIClient) -> None:
    response = staff.post("/products/", {"name": "Red shoe", "quantity": 3})
    body = response.json()
    assert response.status_code == 201
    assert response["Location"].endswith(f"/products/{body['id']}/")
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
        "rating": None,
        "is_active": True,
        "family": None,
        "options": {},
        "tax_class": "standard",
        "image": None,
        "images": [],
    }
    assert {name: body[name] for name in expected} == expected
    assert body["created_at"].endswith("Z")
    assert staff.get(response["Location"]).json() == body


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
        ({"name": "x", "quantity": 1, "tax_class": " "}, "tax_class", "blank"),
        ({"name": "x", "quantity": 1, "tax_class": "c" * 51}, "tax_class", "max_length"),
        ({"name": "x\x00", "quantity": 1}, "name", "null_characters_not_allowed"),
    ],
)
def test_an_invalid_value_is_reported_with_its_field(
    staff: APIClient, fields: dict[str, Any], field: str, code: str
) -> None:
    response = staff.post("/products/", fields)
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
    body = response.json()
    assert body["type"] == "/problems/validation-error"
    assert [(error["field"], error["code"]) for error in body["errors"]] == [(field, code)]
    assert not Product.objects.exists()


@pytest.mark.parametrize("name", ["東京タワー", "Ünïcode Schuh", "обувь", "حذاء", "🎈"])
def test_a_slug_is_derived_from_a_name_in_any_script(staff: APIClient, name: str) -> None:
    first, second = (staff.post("/products/", {"name": name, "quantity": 1}).json() for _ in range(2))
    assert first["slug"]
    assert first["sku"]
    assert first["slug"] != second["slug"]
    assert first["sku"] != second["sku"]


def test_slug_and_sku_are_unique(staff: APIClient) -> None:
    factories.product("Red shoe", slug="red", sku="R-1")
    response = staff.post("/products/", {"name": "Other", "quantity": 1, "slug": "red", "sku": "R-1"})
    assert response.status_code == 400
    assert {error["field"] for error in response.json()["errors"]} == {"slug", "sku"}


def test_put_keeps_omitted_fields_and_requires_the_required_ones(staff: APIClient) -> None:
    product = factories.product("Red shoe", brand="Acme", price="5.00", quantity=4)
    response = staff.put(f"/products/{product.pk}/", {"name": "Blue shoe", "quantity": 6})
    assert response.status_code == 200
    body = response.json()
    assert (body["name"], body["quantity"], body["brand"], body["price"]) == ("Blue shoe", 6, "Acme", "5.00")
    assert body["slug"] == product.slug
    missing = staff.put(f"/products/{product.pk}/", {"name": "Green shoe"})
    assert missing.status_code == 400
    assert missing.json()["errors"][0]["field"] == "quantity"


def test_inactive_products_are_visible_to_staff_only(api: APIClient, customer: APIClient, staff: APIClient) -> None:
    product = factories.product(is_active=False)
    for client, status, count in ((api, 404, 0), (customer, 404, 0), (staff, 200, 1)):
        assert client.get(f"/products/{product.pk}/").status_code == status
        assert client.get("/products/").json()["count"] == count


def test_only_staff_with_the_permission_write(api: APIClient, customer: APIClient) -> None:
    product = factories.product()
    without = client_of(factories.user("pia", is_staff=True))
    for client, status in ((api, 401), (customer, 403), (without, 403)):
        assert client.post("/products/", {"name": "x", "quantity": 1}).status_code == status
        for method in ("put", "patch", "delete"):
            assert getattr(client, method)(f"/products/{product.pk}/", {}).status_code == status
    assert list(Product.objects.values_list("name", flat=True)) == ["Red shoe"]


def with_only(*permissions: str) -> APIClient:
    """Staff with only these permissions."""
    user = factories.user("-".join(["petra", *permissions]), is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return client_of(user)


def test_a_write_without_the_permission_to_view_returns_the_product(api: APIClient) -> None:
    adder, deleter = with_only("add_product"), with_only("delete_product")
    response = adder.post("/products/", {"name": "Hidden", "quantity": 1, "is_active": False})
    assert response.status_code == 201
    assert (response.json()["name"], response.json()["is_active"]) == ("Hidden", False)
    path = f"/products/{Product.objects.get().pk}/"
    assert [client.get(path).status_code for client in (adder, deleter, api)] == [404] * 3
    assert deleter.delete(path).status_code == 204


def test_the_same_staff_see_a_hidden_product_and_its_images(api: APIClient) -> None:
    product = factories.product(is_active=False)
    size = {"width": 3, "height": 2}
    ready = ProductImage.objects.create(product=product, original="a", sha256="a", status="ready", **size)
    pending = ProductImage.objects.create(product=product, original="b", sha256="b", **size)
    base = f"/products/{product.pk}/"
    for permissions, sees_product, sees_pending in (
        (["change_product"], True, False),
        (["view_product"], True, False),
        (["change_product", "change_productimage"], True, True),
        (["view_product", "view_productimage"], True, True),
        (["delete_product"], False, False),
    ):
        client = with_only(*permissions)
        seen = [client.get(path).status_code == 200 for path in (base, f"{base}images/", f"{base}images/{ready.pk}/")]
        assert seen == [sees_product] * 3, permissions
        assert (client.get(f"{base}images/{pending.pk}/").status_code == 200) == sees_pending
        if sees_product:
            images = [image["id"] for image in client.get(base).json()["images"]]
            assert images == [image["id"] for image in client.get(f"{base}images/").json()["results"]]
    assert api.get(f"{base}images/").status_code == 404


def test_reordering_the_images_of_a_hidden_product_returns_them() -> None:
    product = factories.product(is_active=False)
    image = ProductImage.objects.create(product=product, original="a", sha256="a", width=3, height=2)
    path = f"/products/{product.pk}/images/order/"
    response = with_only("change_productimage").put(path, {"images": [image.pk]})
    assert (response.status_code, [row["id"] for row in response.json()["results"]]) == (200, [image.pk])


EMPTY = dict.fromkeys(["slug", "sku", "price", "rating", "category", "brand", "description", "is_active", "image"], "")


def test_a_form_field_that_is_empty_is_absent(staff: APIClient) -> None:
    response = staff.post("/products/", {"name": "Hat", "quantity": "2", **EMPTY}, format="multipart")
    assert response.status_code == 201, response.content
    body = response.json()
    shown = {name: body[name] for name in ("slug", "sku", "price", "rating", "category", "brand", "is_active", "image")}
    assert shown == {
        "slug": "hat",
        "sku": "HAT",
        "price": "0.00",
        "rating": None,
        "category": None,
        "brand": "",
        "is_active": True,
        "image": None,
    }
    for missing in ("name", "quantity"):
        refused = staff.post("/products/", {"name": "Hat", "quantity": "2", missing: ""}, format="multipart")
        assert [(e["field"], e["code"]) for e in refused.json()["errors"]] == [(missing, "required")]


def test_if_match_rejects_a_write_with_a_stale_etag(staff: APIClient) -> None:
    product = factories.product(quantity=5)
    path = f"/products/{product.pk}/"
    tag = staff.get(path)["ETag"]
    response = staff.patch(path, {"price": "7.00"}, headers={"If-Match": f"W/{tag}"})
    assert response.status_code == 200
    assert response["ETag"] == staff.get(path)["ETag"] != tag
    for method in ("put", "patch", "delete"):
        refused = getattr(staff, method)(path, {"name": "x", "quantity": 1}, headers={"If-Match": tag})
        assert refused.status_code == 412
        assert refused.json()["type"] == "/problems/precondition-failed"
    assert Product.objects.get().name == "Red shoe"
    assert staff.delete(path, headers={"If-Match": response["ETag"]}).status_code == 204
    assert staff.get(path).status_code == 404


def test_a_sale_changes_the_etag(api: APIClient, customer: APIClient) -> None:
    product = factories.product(quantity=5)
    before = api.get(f"/products/{product.pk}/")["ETag"]
    cart = customer.post("/carts/").json()["id"]
    customer.post("/cart-items/", {"product": product.pk, "quantity": 1})
    customer.post(f"/carts/{cart}/checkout/")
    assert api.get(f"/products/{product.pk}/")["ETag"] != before


def test_if_none_match_with_the_current_etag_is_a_304(api: APIClient) -> None:
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


def test_responses_to_signed_in_clients_are_private(customer: APIClient) -> None:
    factories.product()
    assert customer.get("/products/")["Cache-Control"] == "private, no-cache"


def test_a_deleted_product_keeps_its_order_line(customer: APIClient, staff: APIClient) -> None:
    product = factories.product("Red shoe", sku="R-1")
    cart = customer.post("/carts/").json()["id"]
    customer.post("/cart-items/", {"product": product.pk, "quantity": 1})
    number = customer.post(f"/carts/{cart}/checkout/").json()["number"]
    assert staff.delete(f"/products/{product.pk}/").status_code == 204
    line = customer.get(f"/orders/{number}/").json()["items"][0]
    assert line == {
        "product": None,
        "sku": "R-1",
        "slug": "red-shoe",
        "name": "Red shoe",
        "options": {},
        "unit_price": "19.90",
        "quantity": 1,
        "line_total": "19.90",
        "tax_rate": None,
        "tax": "0.00",
    }
