"""A response has the members that the document gives its schema, and no others."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from tests import factories
from tests.openapi import DOCUMENT
from tests.products import pictures

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("store")]


def members(schema: str) -> set[str]:
    """The members that every response has: others are for some readers only, such as an image's `original`."""
    return set(DOCUMENT["components"]["schemas"][schema]["required"])


def test_each_resource_has_the_members_of_its_schema(api: APIClient, customer: APIClient, staff: APIClient) -> None:
    product = factories.product(category=factories.category("Shoes"))
    family = factories.family()
    factories.member(family, "M", name="z")
    pictures.add(product)
    path = f"/products/{product.pk}/"
    cart = customer.post("/cart-items/", {"product": product.pk, "quantity": 1}).json()["cart"]
    responses: dict[str, Any] = {
        "Product": api.get(path).json(),
        "ProductList": api.get("/products/").json(),
        "Facets": api.get("/products/facets/").json(),
        "Family": api.get(f"/families/{family.pk}/").json(),
        "FamilyList": api.get("/families/").json(),
        "Category": api.get("/categories/").json()["results"][0],
        "CategoryList": api.get("/categories/").json(),
        "ImageList": api.get(f"{path}images/").json(),
        "Image": api.get(f"{path}images/").json()["results"][0],
        "Cart": customer.get(f"/carts/{cart}/").json(),
        "CartList": customer.get("/carts/").json(),
        "CartItem": customer.get("/cart-items/").json()["results"][0],
        "Account": customer.get("/account/").json(),
        "Order": customer.post(f"/carts/{cart}/checkout/").json(),
        "OrderList": customer.get("/orders/").json(),
        "DeliveryMethod": staff.post("/delivery-methods/", {"code": "parcel", "name": "Parcel"}).json(),
        "TaxRate": staff.post("/tax-rates/", {"country": "DE", "rate": "19"}).json(),
    }
    responses["listed product"] = responses["ProductList"]["results"][0]
    responses["listed order"] = responses["OrderList"]["results"][0]
    responses["OrderLine"] = responses["Order"]["items"][0]
    responses["Variant"] = responses["Family"]["variants"][0]
    responses["AxisCounts"] = responses["Facets"]["options"][0]
    responses["OptionCount"] = responses["AxisCounts"]["values"][0]
    schemas = {"listed product": "Product", "listed order": "Order"}
    found = {name: set(response) for name, response in responses.items()}
    assert found == {name: members(schemas.get(name, name)) for name in responses}
