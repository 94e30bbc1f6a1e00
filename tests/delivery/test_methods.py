"""Delivery methods over HTTP."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from delivery import methods
from delivery.models import DeliveryMethod
from productbackend.errors import InvalidValue
from tests import factories

pytestmark = pytest.mark.django_db

PATH = "/delivery-methods/"
PARCEL = {"code": "parcel", "name": "Parcel"}


def errors(response: Any) -> list[tuple[str, str]]:
    assert response.status_code == 400, response.content
    return [(error["field"], error["code"]) for error in response.json()["errors"]]


def test_a_method_requires_code_and_name_and_has_defaults(staff: APIClient, api: APIClient) -> None:
    created = staff.post(PATH, PARCEL)
    assert created.status_code == 201
    body = created.json()
    assert created["Location"].endswith(f"{PATH}{body['id']}/")
    assert body == {
        "id": body["id"],
        "code": "parcel",
        "name": "Parcel",
        "description": "",
        "price": "0.00",
        "free_from": None,
        "min_amount": None,
        "max_amount": None,
        "countries": [],
        "needs_address": True,
        "tax_class": "standard",
        "is_active": True,
        "position": 0,
    }
    read = api.get(created["Location"])
    assert (read.json(), read["ETag"]) == (body, created["ETag"])
    assert read["Cache-Control"] == "private, no-cache"
    assert errors(staff.post(PATH, {})) == [("code", "required"), ("name", "required")]


@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"code": "a b"}, "code", "invalid"),
        ({"code": "pärcel"}, "code", "invalid"),
        ({"code": "c" * 51}, "code", "max_length"),
        ({"name": " "}, "name", "blank"),
        ({"name": "n" * 201}, "name", "max_length"),
        ({"description": "d" * 2001}, "description", "max_length"),
        ({"price": "-0.01"}, "price", "min_value"),
        ({"price": "1.999"}, "price", "max_decimal_places"),
        ({"price": "100000000.00"}, "price", "max_digits"),
        ({"price": "1e2"}, "price", "invalid"),
        ({"price": None}, "price", "null"),
        ({"free_from": "-1"}, "free_from", "min_value"),
        ({"free_from": "1" * 14}, "free_from", "max_whole_digits"),
        ({"min_amount": "ten"}, "min_amount", "invalid"),
        ({"max_amount": True}, "max_amount", "invalid"),
        ({"min_amount": "10.01", "max_amount": "10.00"}, "min_amount", "max_value"),
        ({"countries": "DE"}, "countries", "not_a_list"),
        ({"countries": ["DE", "XX"]}, "countries.1", "invalid_choice"),
        ({"countries": ["de"]}, "countries.0", "invalid_choice"),
        ({"countries": None}, "countries", "null"),
        ({"needs_address": "yes"}, "needs_address", "invalid"),
        ({"tax_class": ""}, "tax_class", "blank"),
        ({"tax_class": "c" * 51}, "tax_class", "max_length"),
        ({"is_active": 1}, "is_active", "invalid"),
        ({"position": -1}, "position", "min_value"),
        ({"position": 2**31}, "position", "max_value"),
    ],
)
def test_an_invalid_value_is_reported_with_its_field(
    staff: APIClient, fields: dict[str, Any], field: str, code: str
) -> None:
    assert errors(staff.post(PATH, PARCEL | fields)) == [(field, code)]
    assert not DeliveryMethod.objects.exists()


def test_put_does_not_change_what_it_omits(staff: APIClient) -> None:
    full = PARCEL | {
        "description": "Two days.",
        "price": "4.90",
        "free_from": "50.00",
        "min_amount": "10.00",
        "max_amount": "9999999999999.99",
        "countries": ["DE"],
        "needs_address": False,
        "tax_class": "carriage",
        "is_active": False,
        "position": 3,
    }
    created = staff.post(PATH, full).json()
    assert created == full | {"id": created["id"]}
    path = f"{PATH}{created['id']}/"
    changed = staff.put(path, {"code": "letter", "name": "Letter"})
    assert (changed.status_code, changed.json()) == (200, created | {"code": "letter", "name": "Letter"})
    assert staff.get(path).json() == changed.json()
    assert errors(staff.put(path, {"price": "1.00"})) == [("code", "required"), ("name", "required")]
    assert staff.patch(path, {"free_from": None}).json() == changed.json() | {"free_from": None}
    assert staff.delete(path).status_code == 204
    assert staff.delete(path).status_code == 404


def test_a_code_is_taken_once(staff: APIClient) -> None:
    assert staff.post(PATH, PARCEL).status_code == 201
    assert errors(staff.post(PATH, PARCEL)) == [("code", "unique")]
    other = f"{PATH}{staff.post(PATH, PARCEL | {'code': 'Parcel'}).json()['id']}/"
    assert errors(staff.patch(other, {"code": "parcel"})) == [("code", "unique")]
    with pytest.raises(InvalidValue) as refused:  # as if it was taken after the check
        methods.create(code="parcel", name="Another")
    assert refused.value.extra["errors"][0]["field"] == "code"


def test_limits_are_compared_with_those_that_a_patch_omits(staff: APIClient) -> None:
    path = f"{PATH}{factories.delivery_method(min_amount='10.00').pk}/"
    assert errors(staff.patch(path, {"max_amount": "9.99"})) == [("min_amount", "max_value")]
    assert staff.patch(path, {"max_amount": "10.00"}).status_code == 200
    assert errors(staff.patch(path, {"min_amount": "10.01"})) == [("min_amount", "max_value")]


def test_each_country_is_stored_once(staff: APIClient) -> None:
    created = staff.post(PATH, PARCEL | {"countries": ["DE", "AT", "DE", "AT", "CH"]})
    assert created.json()["countries"] == ["DE", "AT", "CH"]
    assert staff.patch(created["Location"], {"countries": ["CH", "CH"]}).json()["countries"] == ["CH"]
    assert staff.patch(created["Location"], {"countries": []}).json()["countries"] == []


def codes(client: APIClient, query: str = "") -> list[str]:
    response = client.get(f"{PATH}{query}")
    assert response.status_code == 200, response.content
    return [row["code"] for row in response.json()["results"]]


def test_inactive_methods_are_for_staff_only(api: APIClient, customer: APIClient, staff: APIClient) -> None:
    factories.delivery_method()
    path = f"{PATH}{factories.delivery_method('drone', is_active=False).pk}/"
    for client, seen in ((api, ["parcel"]), (customer, ["parcel"]), (staff, ["parcel", "drone"])):
        assert codes(client) == seen
        assert client.get(path).status_code == (200 if "drone" in seen else 404)
    assert codes(staff, "?is_active=false") == ["drone"]
    assert codes(api, "?is_active=false") == []


def test_the_list_is_ordered_by_position_and_filtered(api: APIClient) -> None:
    for code, position in (("c", 2), ("a", 1), ("b", 2)):
        factories.delivery_method(code, position=position)
    assert codes(api) == ["a", "c", "b"]
    assert codes(api, "?ordering=-code") == ["c", "b", "a"]
    assert codes(api, "?code=b") == ["b"]
    assert codes(api, "?code=unknown") == []
    first = api.get(f"{PATH}?limit=2")
    assert codes(api, first.json()["next"].partition(PATH)[2]) == ["b"]
    assert api.get(f"{PATH}?limit=2", headers={"If-None-Match": first["ETag"]}).status_code == 304
    assert errors(api.get(f"{PATH}?ordering=price")) == [("ordering", "invalid_choice")]
    assert errors(api.get(f"{PATH}?cod=b")) == [("cod", "unknown_parameter")]
    assert errors(api.get(f"{PATH}?is_active=maybe")) == [("is_active", "invalid")]


def test_a_list_takes_one_query_whatever_its_length(api: APIClient) -> None:
    for size in (2, 10):
        for number in range(size):
            factories.delivery_method(f"m{size}-{number}")
        with CaptureQueriesContext(connection) as queries:
            assert len(codes(api)) >= size
        assert len(queries) == 1
