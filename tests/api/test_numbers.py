"""Numbers in bodies and queries are as documented; anything else is a 400, never a 500."""

from itertools import product as each
from typing import Any

import pytest
from django.conf import settings
from rest_framework.test import APIClient

from carts.models import Cart
from tests import factories
from tests.api.test_problems import check

pytestmark = pytest.mark.django_db

DEEP = ["[" * depth + "]" * depth for depth in (2, 15, 490)] + ['{"a":' * 490 + "1" + "}" * 490]
NO_ID = [
    *("69.5", "1.5", "true", "false", "1e400", "-1e400", "NaN", "Infinity", "-Infinity", "[]", "{}", "[1]"),
    *('"1_0"', '"\uff11"', '" 1"', '"1.0"', '"x"', '{"id": 1}', str(2**63), str(10**400), "-1", *DEEP),
]
NO_PRICE = [
    *('"1_000"', '"1e2"', '"\uff11\uff10"', '" 5"', '"5 "', '"5."', '".5"', '"+5"', '"NaN"', '"Infinity"', '"-1"'),
    *('"1,5"', '"0x10"', '"1.999"', '"000000000001"', '""', "1e400", "-1", "1e30", "true", "null", "{}", "1.999"),
    *DEEP,
]
NO_QUANTITY = [
    *('"1_0"', '"\uff11"', '" 5"', '"5.0"', '"1e2"', "5.5", "1e400", "-1", "true", "null", "{}", str(2**31)),
    *(str(10**30), *DEEP),
]
STRANGE = ["1e400", "NaN", "true", *DEEP]


def send(client: APIClient, method: str, path: str, body: str) -> Any:
    return client.generic(method, path, body, content_type="application/json")


def test_invalid_ids_are_rejected_everywhere(staff: APIClient) -> None:
    category, product = factories.category(), factories.product()
    locations = [
        ("POST", "/products/", '{"name": "x", "quantity": 1, "category": %s}'),
        ("PATCH", f"/products/{product.pk}/", '{"category": %s}'),
        ("POST", "/categories/", '{"name": "x", "parent": %s}'),
        ("PATCH", f"/categories/{category.pk}/", '{"parent": %s}'),
        ("POST", "/cart-items/", '{"product": %s, "quantity": 1}'),
        ("PUT", f"/products/{product.pk}/images/order/", '{"images": [%s]}'),
    ]
    for (method, path, body), value in each(locations, NO_ID):
        answer = send(staff, method, path, body % value)
        assert answer.status_code == 400, (path, value[:80], answer.content)
        check(answer, 400, answer.json()["type"].rpartition("/")[2])


def test_no_product_field_causes_a_500(staff: APIClient) -> None:
    names = ("name", "slug", "sku", "brand", "description", "price", "quantity", "rating", "is_active")
    for field, value in each(names, STRANGE):
        fields = {"name": '"x"', "quantity": "1"} | {field: value}
        body = "{" + ", ".join(f'"{name}": {of}' for name, of in fields.items()) + "}"
        expected = 201 if (field, value) == ("is_active", "true") else 400
        assert send(staff, "POST", "/products/", body).status_code == expected, body[:80]


def test_no_account_field_causes_a_500(api: APIClient, customer: APIClient, rate: Any) -> None:
    rate(settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"], "1000/min")
    locations: list[tuple[APIClient, str, str, tuple[str, ...]]] = [
        (api, "POST", "/register/", ("username", "email", "password", "repeat_password", "first_name", "last_name")),
        (api, "POST", "/token/", ("username", "password")),
        (api, "POST", "/token/refresh/", ("refresh",)),
        (api, "POST", "/password-reset/", ("email",)),
        (api, "POST", "/password-reset/confirm/", ("uid", "token", "new_password")),
        (api, "POST", "/email/confirm/", ("token",)),
        (customer, "PATCH", "/account/", ("email", "first_name")),
        (customer, "POST", "/account/password/", ("old_password", "new_password")),
    ]
    for (client, method, path, names), value in each(locations, [*STRANGE, "7"]):
        for body in (value, "{" + ", ".join(f'"{name}": {value}' for name in names) + "}", f'{{"x": {value}}}'):
            assert send(client, method, path, body).status_code < 500, (path, body[:80])


def test_a_price_is_validated_as_documented(staff: APIClient) -> None:
    for value in NO_PRICE:
        answer = send(staff, "POST", "/products/", f'{{"name": "x", "quantity": 1, "price": {value}}}')
        assert answer.status_code == 400, (value, answer.content)
    for value in ('"0"', '"19.90"', '"19.9"', '"99999999.99"', "19", "19.9", "0"):
        answer = send(staff, "POST", "/products/", f'{{"name": "x", "quantity": 1, "price": {value}}}')
        assert answer.status_code == 201, (value, answer.content)


def test_amounts_of_delivery_and_rates_are_validated_as_documented(staff: APIClient) -> None:
    values = [value for value in NO_PRICE if value not in ("null", '"000000000001"')]
    for name, value in each(("price", "free_from", "min_amount", "max_amount"), values):
        answer = send(staff, "POST", "/delivery-methods/", f'{{"code": "x", "name": "x", "{name}": {value}}}')
        assert answer.status_code == 400, (name, value, answer.content)
    for value in [value for value in NO_PRICE if "1.999" not in value] + ["1.99999", "100.1"]:
        answer = send(staff, "POST", "/tax-rates/", f'{{"country": "DE", "rate": {value}}}')
        assert answer.status_code == 400, (value, answer.content)


def test_no_field_of_delivery_and_rates_causes_a_500(staff: APIClient) -> None:
    method = {"code": '"x"', "name": '"x"'}
    names = ("code", "name", "description", "price", "free_from", "countries", "needs_address", "tax_class", "position")
    locations = [("/delivery-methods/", method, name) for name in names]
    rate = {"country": '"DE"', "rate": "1"}
    locations += [("/tax-rates/", rate, name) for name in ("country", "tax_class", "rate", "valid_from")]
    for (path, fields, field), value in each(locations, STRANGE):
        body = "{" + ", ".join(f'"{name}": {of}' for name, of in (fields | {field: value}).items()) + "}"
        expected = 201 if (field, value) == ("needs_address", "true") else 400
        assert send(staff, "POST", path, body).status_code == expected, body[:80]


def test_a_quantity_is_a_whole_number(staff: APIClient, customer: APIClient) -> None:
    product = factories.product()
    item = customer.post("/cart-items/", {"product": product.pk, "quantity": 1}).json()["id"]
    locations = [
        (staff, "POST", "/products/", '{"name": "x", "quantity": %s}'),
        (staff, "PATCH", f"/products/{product.pk}/", '{"quantity": %s}'),
        (customer, "POST", "/cart-items/", f'{{"product": {product.pk}, "quantity": %s}}'),
        (customer, "PATCH", f"/cart-items/{item}/", '{"quantity": %s}'),
    ]
    for (client, method, path, body), value in each(locations, NO_QUANTITY):
        assert send(client, method, path, body % value).status_code == 400, (path, value[:80])
    for value in ("1", '"true"', "null", "1e400", *DEEP):
        path = f"/carts/{Cart.objects.get().pk}/"
        assert send(customer, "PATCH", path, f'{{"completed": {value}}}').status_code == 400, value[:80]
    for value in (f"{product.pk}.5", '"x"', "true", "1e400", "[]", str(10**30)):
        answer = send(customer, "PATCH", f"/cart-items/{item}/", f'{{"product": {value}, "quantity": 1}}')
        assert answer.status_code == 400, value


def test_a_rating_is_a_number(staff: APIClient) -> None:
    for value in ('"4.5"', "4.5", "5", '"5"', "null"):
        answer = send(staff, "POST", "/products/", f'{{"name": "x", "quantity": 1, "rating": {value}}}')
        assert answer.status_code == 201, answer.content
    for value in ('"4_0"', '"4e0"', '"\uff14"', '" 4"', '"nan"', '"inf"', "true", "1e400", *DEEP):
        answer = send(staff, "POST", "/products/", f'{{"name": "x", "quantity": 1, "rating": {value}}}')
        assert answer.status_code == 400, value


def test_numbers_in_queries_are_plain(api: APIClient, staff: APIClient) -> None:
    prices = ("min_price", "max_price", "min_rating", "max_rating")
    whole = ("category", "min_quantity", "max_quantity", "released_after", "offset", "limit")
    locations = [*((api, "/products/", name) for name in (*prices, *whole)), (api, "/categories/", "parent")]
    locations += [(staff, "/carts/", name) for name in ("min_count", "max_count")]
    values = ("1_0", "\uff11", " 1", "1 ", "+1", "1e1", "0x1", "NaN", "inf", "1e400", "true", "--1", "1.5.5", "1,5")
    for (client, path, name), value in each(locations, values):
        errors = check(client.get(path, {name: value}), 400, "validation-error")["errors"]
        assert [error["field"] for error in errors] == [name], value
    for name in whole:
        check(api.get("/products/", {name: "1.5"}), 400, "validation-error")
    query = {"min_price": "1.50", "max_price": "-1", "min_rating": "0.5", "min_quantity": "-3", "category": ""}
    assert api.get("/products/", query).status_code == 200
