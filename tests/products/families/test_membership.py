"""Joining and leaving a family, and the options of its members."""

import re
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from rest_framework.test import APIClient

from productbackend.errors import InvalidValue
from products.families import membership
from products.models import VARIANTS_MAX, Family, Option, Product, StockMovement
from tests import factories
from tests.buying import fill_cart

pytestmark = pytest.mark.django_db


def join(staff: APIClient, product: Product, family: Family, options: Any) -> Any:
    return staff.patch(f"/products/{product.pk}/", {"family": family.pk, "options": options})


def error(response: Any) -> tuple[str, str]:
    assert response.status_code == 400, response.content
    found = response.json()["errors"][0]
    return found["field"], found["code"]


def test_a_product_joins_and_leaves_and_keeps_everything_but_its_options(staff: APIClient, customer: APIClient) -> None:
    family, product = factories.family(), factories.product("Red shirt")
    order = customer.post(f"/carts/{fill_cart(customer, (product, 2))}/checkout/").json()["number"]
    before = staff.get(f"/products/{product.pk}/").json()
    joined = join(staff, product, family, {"Size": "M"}).json()
    assert (joined["family"], joined["options"]) == (family.pk, {"Size": "M"})
    left = staff.patch(f"/products/{product.pk}/", {"family": None}).json()
    assert left | {"updated_at": ""} == before | {"updated_at": ""}
    assert StockMovement.objects.filter(product=product).count() == 2
    assert customer.get(f"/orders/{order}/").json()["items"][0]["product"] == product.pk
    assert not Option.objects.exists()


def test_a_product_moves_to_another_family(staff: APIClient) -> None:
    shirts, hats = factories.family("Shirt", ["Size", "Colour"]), factories.family("Hat", ["Colour"])
    product = factories.member(shirts, "M", "Red")
    refused = staff.patch(f"/products/{product.pk}/", {"family": hats.pk})  # its size stays, and no hat has one
    assert error(refused) == ("options", "unknown_axis")
    assert join(staff, product, hats, {"colour": "Red"}).json()["options"] == {"Colour": "Red"}
    assert list(Option.objects.values_list("axis_key", "value_key")) == [("colour", "red")]


def test_invalid_options_are_refused(staff: APIClient) -> None:
    family, product = factories.family(axes=["Size", "Colour"]), factories.product()
    cases: list[tuple[Any, str, str]] = [
        ({"Weight": "1"}, "options", "unknown_axis"),
        ({"Size": "M", "SIZE": "L"}, "options", "repeated"),
        ({"Size": ""}, "options.Size", "blank"),
        ({"Size": "\u200b"}, "options.Size", "invisible"),
        ({"Size": 5}, "options.Size", "invalid"),
        ({"Size": None}, "options.Size", "null"),
        ({"Size": "x" * 101}, "options.Size", "max_length"),
        ({"x" * 51: "M"}, "options", "axis"),
        ({str(number): "M" for number in range(4)}, "options", "max_length"),
        (["Size"], "options", "not_a_dict"),
        ("Size", "options", "not_a_dict"),
        (None, "options", "null"),
    ]
    for options, field, code in cases:
        assert error(join(staff, product, family, options)) == (field, code), options
    assert error(staff.patch(f"/products/{product.pk}/", {"family": 10**9})) == ("family", "does_not_exist")
    alone = {"options": {"Size": "M"}}
    assert error(staff.patch(f"/products/{product.pk}/", alone)) == ("options", "unknown_axis")
    assert error(staff.patch(f"/products/{product.pk}/", alone | {"family": None})) == ("options", "unknown_axis")
    assert error(staff.post("/products/", {"name": "New", "quantity": 1} | alone)) == ("options", "unknown_axis")
    assert staff.patch(f"/products/{product.pk}/", {"options": {}, "family": None}).status_code == 200


VALUES = ["a:b", "x=y&z", "1,5", "-", "{}", "\"'<b>", "赤", "أحمر", "é", "🎈", "İ", "ß", "M" * 100]


def test_values_of_any_script_and_with_any_sign_are_found_and_counted(staff: APIClient, api: APIClient) -> None:
    family = factories.family()
    for value in VALUES:
        product = factories.product(value)
        assert join(staff, product, family, {"Size": value}).json()["options"] == {"Size": value}
    for value in VALUES:
        for path in ("/products/", "/products/?one_per_family=true"):
            found = api.get(path, {"option": f"size:{value}", **({"one_per_family": "true"} if "?" in path else {})})
            assert [row["options"]["Size"] for row in found.json()["results"]] == [value]
    [facet] = api.get("/products/facets/").json()["options"]
    assert sorted(row["value"] for row in facet["values"]) == sorted(VALUES)


def test_two_members_with_the_same_options_are_refused(staff: APIClient) -> None:
    family = factories.family(axes=["Size", "Colour"])
    factories.member(family, "Extra large", "Red")
    factories.member(family, "Extra large")
    other = factories.product("Other")
    for options in (
        {"Size": "EXTRA LARGE", "Colour": "red"},
        {"size": "  extra   large ", "colour": "Red"},
        {"Size": "Extra\u00a0large"},
    ):
        assert error(join(staff, other, family, options)) == ("options", "unique"), options
    assert join(staff, other, family, {"Colour": "Red"}).status_code == 200  # the size is left empty
    created = staff.post(
        "/products/", {"name": "New", "quantity": 1, "family": family.pk, "options": {"Colour": "red"}}
    )
    assert error(created) == ("options", "unique")
    assert staff.patch(f"/products/{other.pk}/", {"options": {"Colour": "RED"}}).json()["options"] == {"Colour": "RED"}


def test_the_database_refuses_the_same_options_too() -> None:
    family = factories.family()
    first = factories.member(family, "M")
    second = factories.product("Second")
    with pytest.raises(IntegrityError), transaction.atomic():
        Product.objects.filter(pk=second.pk).update(family=family, options_key=first.options_key)
    with pytest.raises(InvalidValue):
        factories.member(family, "m")


def test_a_family_has_250_products_at_most(staff: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert VARIANTS_MAX == 250
    monkeypatch.setattr(membership, "VARIANTS_MAX", 2)
    family = factories.family()
    for size in "SM":
        factories.member(family, size)
    assert error(join(staff, factories.product(), family, {"Size": "L"})) == ("family", "max_length")
    member = Product.objects.filter(family=family).first()
    assert member is not None
    assert staff.patch(f"/products/{member.pk}/", {"options": {"Size": "XL"}}).status_code == 200


def test_a_product_is_created_in_a_family_as_json_or_as_a_form(staff: APIClient) -> None:
    family = factories.family()
    body = {"name": "Shirt", "quantity": 1, "family": family.pk, "options": {"Size": "M"}}
    assert staff.post("/products/", body).json()["options"] == {"Size": "M"}
    form = body | {"options": '{"Size": "L"}'}
    assert staff.post("/products/", form, format="multipart").json()["options"] == {"Size": "L"}
    assert error(staff.post("/products/", body | {"options": "{"}, format="multipart")) == ("options", "not_a_dict")


def test_the_same_options_have_the_same_key_whatever_their_spelling() -> None:
    family = factories.family(axes=["Size", "Colour"])
    keys = {membership.options_key(family, {"Size": size}) for size in ("M", "m ", "M\u200b")}
    keys |= {membership.options_key(family, {"Colour": "m"}), membership.options_key(family, {})}
    assert len(keys) == 3
    assert all(re.fullmatch("[0-9a-f]{32}", key) for key in keys)
