"""Filters of products by identity, by several values and by time; facets without their own filters."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from products.models import Category, Product
from products.reads import facets
from tests import factories
from tests.products.reads.test_lists import committed, names, walk

pytestmark = pytest.mark.django_db


def test_products_are_found_by_slug_and_sku(api: APIClient) -> None:
    factories.product("Red shoe", sku="R-1")
    factories.product("Blue shoe", sku="bLue-1")
    factories.product("Other", sku="BLUE-10")
    cases = {
        "slug=red-shoe": ["Red shoe"],
        "slug=RED-SHOE": ["Red shoe"],
        "slug=red": [],
        "sku=r-1": ["Red shoe"],
        "sku=R-1&category=": ["Red shoe"],
        "sku=R-2": [],
        "sku=bLue-1": ["Blue shoe"],
        "slug=" + "x" * 500: [],
        "sku=" + "x" * 500: [],
    }
    for query, expected in cases.items():
        assert names(api.get(f"/products/?{query}")) == expected, query


@committed
def test_a_sku_in_mixed_case_is_found_in_any_case(api: APIClient) -> None:
    factories.product("Blue shoe", sku="bLue-1")
    factories.product("Red shoe", sku="R-1", category=factories.category())
    assert names(api.get("/products/?sku=BLUE-1")) == ["Blue shoe"]
    assert names(api.get("/products/?sku=blue-1&ordering=-price")) == ["Blue shoe"]


def test_categories_are_found_by_slug(api: APIClient) -> None:
    factories.category("Red shoes")
    factories.category("Hats")
    assert names(api.get("/categories/?slug=red-shoes")) == ["Red shoes"]
    assert names(api.get("/categories/?slug=Hats")) == ["Hats"]
    assert names(api.get("/categories/?slug=gloves")) == []


def test_ids_are_listed_in_their_order(api: APIClient) -> None:
    rows = [factories.product(f"p{index}", price=10 - index) for index in range(5)]
    hidden = factories.product("hidden", is_active=False)
    wanted = [rows[3].pk, 999_999, rows[0].pk, hidden.pk, rows[4].pk, rows[0].pk, rows[1].pk, 2**63]
    path = "/products/?ids=" + ",".join(map(str, wanted))
    assert names(api.get(path)) == ["p3", "p0", "p4", "p1"]
    assert api.get(path).json()["count"] == 4
    assert walk(api, f"{path}&limit=1") == ["p3", "p0", "p4", "p1"]
    assert names(api.get(f"{path}&limit=2&offset=1")) == ["p0", "p4"]
    last = api.get(f"{path}&limit=2&offset=2").json()
    assert (last["next"], names(api.get(last["previous"]))) == (None, ["p3", "p0"])
    assert names(api.get(f"{path}&ordering=price")) == ["p4", "p3", "p1", "p0"]
    assert walk(api, f"{path}&ordering=-price&limit=1") == ["p0", "p1", "p3", "p4"]
    assert names(api.get(f"{path}&max_price=9")) == ["p3", "p4", "p1"]
    assert names(api.get("/products/?ids=999999")) == []
    assert len(names(api.get("/products/?ids="))) == 5
    hundred = ",".join(str(rows[0].pk + index) for index in range(100))
    assert len(names(api.get(f"/products/?ids={hundred}"))) == 5


@pytest.mark.parametrize("ids", ["x", "1,", ",1", "1,,2", "1, 2", "-1", "1.5", "1;2", "9" * 20, ",".join(["1"] * 101)])
def test_malformed_or_too_many_ids_are_a_400(api: APIClient, ids: str) -> None:
    response = api.get("/products/", {"ids": ids})
    assert [error["field"] for error in response.json()["errors"]] == ["ids"]


def test_a_lists_of_ids_queries_do_not_grow(api: APIClient) -> None:
    counts = []
    for size in (2, 10):
        ids = ",".join(str(factories.product(f"p{size}-{index}").pk) for index in range(size))
        with CaptureQueriesContext(connection) as queries:
            assert api.get(f"/products/?ids={ids}").json()["count"] == size
        counts.append(len(queries))
    assert counts == [3, 3]  # which of them match, their rows, and their images


def test_several_categories_and_brands_match_any_of_them(api: APIClient) -> None:
    shoes = factories.category("Shoes")
    boots, hats = factories.category("Boots", parent=shoes), factories.category("Hats")
    factories.product("a", category=boots, brand="Acme")
    factories.product("b", category=shoes, brand="SUNNY")
    factories.product("c", category=hats, brand="Other")
    factories.product("d", brand="Acme")
    cases = {
        f"category={boots.pk}&category={hats.pk}": ["a", "c"],
        f"category={shoes.pk}&category={boots.pk}": ["a", "b"],
        f"category={shoes.pk}&category=999999": ["a", "b"],
        f"category={hats.pk}&category=": ["c"],
        "category=&category=": ["a", "b", "c", "d"],
        "brand=acme&brand=Sunny": ["a", "b", "d"],
        "brand=acme&brand=nobody": ["a", "d"],
        "brand=&brand=": ["a", "b", "c", "d"],
        f"category={boots.pk}&category={hats.pk}&brand=acme&brand=other": ["a", "c"],
    }
    for query, expected in cases.items():
        assert names(api.get(f"/products/?{query}")) == expected, query
        assert walk(api, f"/products/?{query}&limit=1") == expected, query
    for query, field in ((f"category={boots.pk}&category=x", "category"), ("brand=a&" * 101, "brand")):
        response = api.get(f"/products/?{query.strip('&')}")
        assert [error["field"] for error in response.json()["errors"]] == [field]


def test_products_are_found_by_the_times_of_their_creation_and_change(api: APIClient) -> None:
    for name, time in (("old", "2020-01-01T00:00:00Z"), ("new", "2026-01-01T12:00:00Z")):
        factories.product(name)
        Product.objects.filter(name=name).update(created_at=time, updated_at=time)
    cases = {
        "2026-01-01T12:00:00Z": ["new"],
        "2026-01-01T12:00:00.000001Z": [],
        "2026-01-01T13:00:00+01:00": ["new"],
        "2020-01-01": ["new", "old"],
        "0001-01-01T00:00:00Z": ["new", "old"],
    }
    for text, expected in cases.items():
        for parameter in ("created_after", "updated_after"):
            assert names(api.get("/products/", {parameter: text})) == expected, (parameter, text)
    for text in ("yesterday", "2026-13-01", "1700000000", "9" * 100):
        assert api.get("/products/", {"updated_after": text}).status_code == 400


@pytest.fixture
def faceted(db: Any) -> dict[str, Any]:
    """A filter of each facet, of which one product matches all."""
    shoes = factories.category("Shoes")
    boots, hats = factories.category("Boots", parent=shoes), factories.category("Hats")
    rows = [
        (boots, "Acme", "5.00", 4.5),
        (boots, "Sunny", "15.00", 4.5),
        (shoes, "Acme", "30.00", 2),
        (hats, "Acme", "60.00", 4),
        (hats, "Other", "5.00", 1),
    ]
    for number, (category, brand, price, rating) in enumerate(rows):
        factories.product(f"p{number}", category=category, brand=brand, price=price, rating=rating)
    return {"category": boots.pk, "brand": "acme", "max_price": "40", "min_rating": "3"}


@pytest.mark.parametrize("used", ["brand", "category brand", "max_price", "category brand max_price min_rating"])
def test_each_facet_is_counted_without_its_own_filter(api: APIClient, faceted: dict[str, Any], used: str) -> None:
    own = {"categories": "category", "brands": "brand", "prices": "max_price", "ratings": "min_rating"}
    filters = {name: faceted[name] for name in used.split()}
    body = api.get("/products/facets/", filters).json()
    assert body["count"] == api.get("/products/", filters).json()["count"]
    for facet, name in own.items():
        others = {each: value for each, value in filters.items() if each != name}
        assert body[facet] == api.get("/products/facets/", others).json()[facet]


def test_facets_show_parents_and_the_range_of_prices(api: APIClient, faceted: dict[str, Any]) -> None:
    body = api.get("/products/facets/", faceted).json()
    assert body["count"] == 1
    assert body["brands"] == [{"name": "Acme", "count": 1}, {"name": "Sunny", "count": 1}]
    shoes = Category.objects.get(name="Shoes")
    assert [(row["name"], row["parent"], row["count"]) for row in body["categories"]] == [
        ("Boots", shoes.pk, 1),
        ("Shoes", None, 1),
    ]
    assert body["price"] == {"min": "5.00", "max": "5.00"}
    assert api.get("/products/facets/?brand=acme&max_price=10").json()["price"] == {"min": "5.00", "max": "60.00"}
    assert api.get("/products/facets/?brand=nobody").json()["price"] == {"min": None, "max": None}
    several = api.get("/products/facets/?brand=acme&brand=other&max_price=1").json()
    assert (several["count"], several["price"]) == (0, {"min": "5.00", "max": "60.00"})


def test_facets_of_few_products_are_counted_by_one_query(api: APIClient) -> None:
    category = factories.category()
    factories.product(category=category, brand="Acme", rating=4)
    counts = []
    for query in ("", "in_stock=true", "brand=acme", f"brand=acme&category={category.pk}&min_price=1&min_rating=1"):
        with CaptureQueriesContext(connection) as queries:
            assert api.get(f"/products/facets/?{query}").json()["count"] == 1
        counts.append(len(queries))
    # The products, the lineages of their categories, and the names of all categories in them; before them the last
    # one reads the lineage of its category, and the ids below it.
    assert counts == [3, 3, 3, 5]


@pytest.mark.parametrize(("enough", "exact"), [(1, False), (4, True)])
def test_facets_of_more_products_are_counted_by_a_few_queries(
    api: APIClient, faceted: dict[str, Any], monkeypatch: pytest.MonkeyPatch, enough: int, exact: bool
) -> None:
    wanted = api.get("/products/facets/", faceted).json()
    monkeypatch.setattr(facets, "MATCHES_MAX", 4)
    monkeypatch.setattr(facets, "ENOUGH", enough)
    with CaptureQueriesContext(connection) as queries:
        body = api.get("/products/facets/", faceted).json()
    assert body["exact"] is exact
    assert body["count"] == wanted["count"]
    if exact:
        assert body == wanted
        assert len(queries) == 10
    else:
        assert len(queries) <= 7
