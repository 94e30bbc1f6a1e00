"""Making the combinations of options that a family lacks."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from products.families import variants
from products.inventory import ledger
from products.models import Product
from tests import factories
from tests.products.families.test_writing import error

pytestmark = pytest.mark.django_db


def make(staff: APIClient, family: Any, **body: Any) -> Any:
    return staff.post(f"/families/{family.pk}/variants/", body)


def options(response: Any) -> list[tuple[str, ...]]:
    assert response.status_code == 200, response.content
    return [tuple(row["options"].values()) for row in response.json()["variants"]]


def test_only_the_combinations_that_are_missing_are_made(staff: APIClient) -> None:
    category = factories.category()
    family = factories.family(axes=["Size", "Colour"], category=category, brand="Acme", description="Of cotton.")
    factories.member(family, "m", "RED", quantity=1)
    wanted = {"Colour": ["Red", "Blue"], "size": ["S", "M", "s "]}
    made = make(staff, family, options=wanted, price="9.90", quantity=2)
    assert options(made) == [("m", "RED"), ("S", "Red"), ("S", "Blue"), ("M", "Blue")] or set(options(made)) == {
        ("m", "RED"), ("S", "Red"), ("S", "Blue"), ("M", "Blue"),
    }  # fmt: skip
    product = Product.objects.get(sku="SHIRT-S-RED")
    shown = product.name, product.brand, product.category, product.description, str(product.price), product.quantity
    assert shown == ("Shirt, S, Red", "Acme", category, "Of cotton.", "9.90", 2)
    assert all(balance.is_correct for balance in ledger.balances())
    assert Product.objects.filter(is_lead=True).get().options == {"Size": "m", "Colour": "RED"}
    assert make(staff, family, options=wanted, price="1.00").json() == made.json()


def test_they_are_found_by_their_options(staff: APIClient, api: APIClient) -> None:
    family = factories.family(axes=["Size", "Colour"])
    make(staff, family, options={"Size": ["S", "M"], "Colour": ["Red"]})
    found = api.get("/products/?option=size:m&option=colour:red").json()["results"]
    assert [row["options"] for row in found] == [{"Size": "M", "Colour": "Red"}]


def test_an_axis_may_be_left_out_and_prices_too(staff: APIClient) -> None:
    family = factories.family(axes=["Size", "Colour"])
    made = make(staff, family, options={"Size": ["S", "M"]})
    assert options(made) == [("S",), ("M",)]
    assert {(row["price"], row["quantity"]) for row in made.json()["variants"]} == {("0.00", 0)}
    assert len(options(make(staff, family, options={}))) == 3


def test_all_or_nothing(staff: APIClient) -> None:
    family = factories.family(axes=["Size", "Colour"])
    factories.member(family, "S")
    numbers = [str(number) for number in range(16)]
    cases: list[tuple[Any, tuple[str, str]]] = [
        ({"options": {"Size": numbers, "Colour": numbers}}, ("options", "max_length")),
        ({"options": {"Size": [str(number) for number in range(250)]}}, ("options", "max_length")),
        ({"options": {"Size": ["S"], "Weight": ["1"]}}, ("options", "unknown_axis")),
        ({"options": {"Size": []}}, ("options.Size", "min_length")),
        ({"options": {"Size": "S"}}, ("options.Size", "not_a_list")),
        ({"options": {"Size": [1]}}, ("options.Size.0", "invalid")),
        ({"options": {"Size": ["M"]}, "price": "-1"}, ("price", "min_value")),
        ({"options": {"Size": ["M"]}, "price": 1}, ("price", "invalid")),
        ({"options": {"Size": ["M"]}, "quantity": -1}, ("quantity", "min_value")),
        ({}, ("options", "required")),
    ]
    for body, expected in cases:
        assert error(make(staff, family, **body)) == expected, body
    assert Product.objects.count() == 1


def test_250_variants_are_made_by_a_few_statements_and_read_by_fewer(staff: APIClient, api: APIClient) -> None:
    family = factories.family(axes=["Size", "Colour"])
    wanted = {
        "Size": [f"size {number}" for number in range(25)],
        "Colour": [f"colour {number}" for number in range(10)],
    }
    with CaptureQueriesContext(connection) as captured:
        assert len(options(make(staff, family, options=wanted))) == 250
    assert len(captured) < 60
    with CaptureQueriesContext(connection) as captured:
        assert len(api.get(f"/families/{family.pk}/").json()["variants"]) == 250
    assert len(captured) <= 6
    assert error(make(staff, family, options={"Size": ["one more"]})) == ("options", "max_length")


def test_names_are_cut_to_the_length_of_a_products() -> None:
    family = factories.family("x" * 200)
    variants.make_missing(family_id=family.pk, options={"Size": ["y" * 100]}, price=Decimal(0), quantity=0)
    product = Product.objects.get()
    assert (len(product.name), product.name[-102:]) == (200, f", {'y' * 100}")


def test_it_takes_the_permission_to_add_products(customer: APIClient, api: APIClient) -> None:
    family = factories.family()
    assert make(customer, family, options={"Size": ["S"]}).status_code == 403
    assert make(api, family, options={"Size": ["S"]}).status_code == 401


def test_an_unknown_family_is_not_found(staff: APIClient) -> None:
    assert staff.post("/families/999/variants/", {"options": {"Size": ["S"]}}).status_code == 404
