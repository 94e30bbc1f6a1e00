"""Families as customers and staff see them, and their pages in the cache."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from products.models import Product
from tests import factories
from tests.products import pictures
from tests.products.reads.pages import fill
from tests.queries import queries

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("store")]


def test_customers_see_active_products_only(staff: APIClient, api: APIClient) -> None:
    family = factories.family(axes=["Size", "Colour"])
    shown = factories.member(family, "M", "Red", price="9.90", quantity=0)
    factories.member(family, "S", price="20.00")
    factories.member(family, "L", price="1.00", is_active=False)
    pictures.add(shown)
    path = f"/families/{family.pk}/"
    body = api.get(path).json()
    assert [row["options"] for row in body["variants"]] == [{"Size": "M", "Colour": "Red"}, {"Size": "S"}]
    assert (body["price_from"], body["price_to"]) == ("9.90", "20.00")
    first = body["variants"][0]
    assert first["image"] == api.get(f"/products/{shown.pk}/").json()["image"]
    assert (first["in_stock"], first["quantity"], first["is_active"], first["currency"]) == (False, 0, True, "EUR")
    assert body["variants"][1]["image"] is None
    seen = staff.get(path).json()
    assert len(seen["variants"]) == 3
    assert (seen["price_from"], seen["price_to"]) == ("9.90", "20.00")


def test_a_family_without_active_products_is_hidden_from_customers(staff: APIClient, api: APIClient) -> None:
    hidden, empty = factories.family("Hidden"), factories.family("Empty")
    factories.member(hidden, "M", is_active=False)
    for family in (hidden, empty):
        for path in (f"/families/{family.pk}/", f"/families/by-slug/{family.slug}/"):
            assert api.get(path).status_code == 404
            assert staff.get(path).json()["price_from"] is None
    assert api.get("/families/").json()["count"] == 0
    assert staff.get("/families/").json()["count"] == 2


def test_the_list_is_filtered_ordered_and_paged(api: APIClient) -> None:
    for name in ("Shirt", "hat", "Émile"):
        factories.member(factories.family(name), "M")
    names = [row["name"] for row in api.get("/families/").json()["results"]]
    assert names == ["Émile", "hat", "Shirt"]
    page = api.get("/families/?limit=2").json()
    assert [row["name"] for row in api.get(page["next"]).json()["results"]] == ["Shirt"]
    assert api.get("/families/?name=HAT").json()["count"] == 1
    assert api.get("/families/?slug=shirt").json()["count"] == 1
    assert api.get("/families/?colour=red").status_code == 400
    assert api.get("/families/?ordering=-created_at").json()["results"][0]["name"] == "Émile"


def test_a_page_of_families_takes_as_many_statements_as_one(api: APIClient) -> None:
    counts: list[Any] = []
    for number in range(3):
        family = factories.family(f"f{number}")
        for size in "SML"[: number + 1]:
            pictures.add(factories.member(family, size))
        counts.append((queries(api, "/families/"), queries(api, f"/families/{family.pk}/")))
    assert set(counts) == {(3, 3)}


@pytest.mark.django_db(transaction=True)
def test_a_page_is_cached_until_one_of_its_products_changes(api: APIClient, staff: APIClient) -> None:
    family = factories.family()
    members = [factories.member(family, size) for size in "SM"]
    other = factories.product("Other")
    path, several, by_slug = f"/families/{family.pk}/", "/families/", f"/families/by-slug/{family.slug}/"
    fill(api, path, several, by_slug)
    assert [queries(api, page) for page in (path, several, by_slug)] == [0, 0, 0]
    staff.patch(f"/products/{other.pk}/", {"quantity": 3})
    assert [queries(api, page) for page in (path, several, by_slug)] == [0, 0, 0]
    for quantity in (5, 0, 7):
        staff.patch(f"/products/{members[1].pk}/", {"quantity": quantity})
        for page in (path, by_slug):
            assert api.get(page).json()["variants"][1]["quantity"] == quantity
        assert api.get(several).json()["results"][0]["variants"][1]["quantity"] == quantity
        fill(api, path, several, by_slug)
    staff.patch(path, {"name": "Tee"})
    assert api.get(path).json()["name"] == "Tee"
    fill(api, path)
    tag = api.get(path)["ETag"]
    assert api.get(path, headers={"If-None-Match": tag}).status_code == 304
    Product.objects.all().delete()
    assert api.get(path).status_code == 404


def test_a_product_of_no_family_costs_no_statement_more(api: APIClient, staff: APIClient) -> None:
    product = factories.product()
    counts: list[int] = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as captured:
            staff.patch(f"/products/{product.pk}/", {"description": str(len(counts))})
            staff.patch(f"/products/{product.pk}/", {"quantity": len(counts)})
            api.get(f"/products/{product.pk}/")
            api.get("/products/facets/")
            api.get("/products/")
        assert not [query["sql"] for query in captured if "products_option" in query["sql"]]
        assert not [query["sql"] for query in captured if "products_family" in query["sql"]]
        counts.append(len(captured))
