"""The catalogue's lists: pages, order, filters and search."""

from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from products.models import Product
from products.reads import facets
from products.reads.query import ProductFilter
from tests import factories
from tests.openapi import DOCUMENT

pytestmark = pytest.mark.django_db
committed = pytest.mark.django_db(transaction=True)  # InnoDB's search sees committed rows only


def names(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [row["name"] for row in response.json()["results"]]


def walk(api: APIClient, path: str, direction: str = "next") -> list[str]:
    found: list[Any] = []
    while path:
        page = api.get(path).json()
        found += [row["name"] for row in page["results"]] if direction == "next" else page["results"][::-1]
        path = page[direction]
    return found


@pytest.mark.parametrize(
    "ordering", ["name", "-name", "price", "-price", "rating", "-quantity", "price,-quantity", "created_at"]
)
def test_pages_can_be_followed_forwards_and_backwards(api: APIClient, ordering: str) -> None:
    for index in range(23):
        factories.product(f"p{index:02}", price=index // 5, quantity=index % 3, rating=1 + index % 2)
    whole = names(api.get(f"/products/?limit=100&ordering={ordering}"))
    assert len(set(whole)) == 23
    page = api.get(f"/products/?limit=5&ordering={ordering}").json()
    assert page["previous"] is None
    pages = [page]
    while page["next"]:
        page = api.get(page["next"]).json()
        pages.append(page)
    assert [row["name"] for page in pages for row in page["results"]] == whole
    back = [page]
    while page["previous"]:
        page = api.get(page["previous"]).json()
        back.append(page)
    assert [page["results"] for page in back] == [page["results"] for page in pages[::-1]]


def test_ties_are_ordered_by_id_in_the_last_fields_direction(api: APIClient) -> None:
    ids = [factories.product(f"p{index}", price="1.00").pk for index in range(3)]
    for ordering, expected in (("price", ids), ("-price", ids[::-1]), ("rating,-price", ids[::-1])):
        response = api.get(f"/products/?ordering={ordering}").json()["results"]
        assert [row["id"] for row in response] == expected


def test_the_same_page_has_the_same_etag_later(api: APIClient) -> None:
    for name in "abc":
        factories.product(name)
    with time_machine.travel("2030-01-01", tick=False):
        tag = api.get("/products/?limit=1")["ETag"]
    with time_machine.travel("2030-01-02", tick=False):
        assert api.get("/products/?limit=1", headers={"If-None-Match": tag}).status_code == 304


def test_names_are_ordered_without_accents(api: APIClient) -> None:
    wanted = ["Ærø", "aerosol", "Ähre", "Apfel", "Äpfel", "Bär", "đak", "Dose", "İlk", "Kanne", "Łódź", "Lupe", "øl"]
    wanted += [
        "Österreich",
        "Straße",
        "Strasse 2",
        "Ümit",
        "Zange",
        "Ζεύς",
        "Ёж",
        "Ель",
        "Яблоко",
        "カラス",
        "ガラス",
        "東京",
    ]
    for name in sorted(wanted, key=len):
        factories.product(name)
    assert names(api.get("/products/?limit=100")) == wanted
    assert names(api.get("/products/?limit=100&ordering=-name")) == wanted[::-1]
    assert walk(api, "/products/?limit=3&ordering=name") == wanted
    last = api.get("/products/?limit=3&ordering=-name").json()
    assert names(api.get(last["next"])) == wanted[-4:-7:-1]


def test_names_of_categories_are_ordered_without_accents(api: APIClient) -> None:
    for name in ("Zubehör", "Äpfel", "Birnen", "Öle", "Łyżki"):
        factories.category(name)
    assert names(api.get("/categories/")) == ["Äpfel", "Birnen", "Łyżki", "Öle", "Zubehör"]


def test_names_that_differ_by_an_accent_are_different(api: APIClient) -> None:
    """Ordering ignores accents; equality, uniqueness and parts of names do not."""
    for name in ("Cafe", "Café", "Ma\u0301s", "soft\u00adener"):
        factories.product(name)
        factories.category(name)
    cases = {"CAFE": ["Cafe"], "café": ["Café"], "cafe\u0301": ["Café"], "mÁs": ["Ma\u0301s"]}
    cases |= {"SOFTENER": ["soft\u00adener"], "sof\u200btener": ["soft\u00adener"]}
    for text, expected in cases.items():
        for path in ("/products/", "/categories/"):
            assert names(api.get(path, {"name": text})) == expected, text
    parts = {
        "caf": ["Cafe", "Café"],
        "fe": ["Cafe"],
        "FÉ": ["Café"],
        "fe\u0301": ["Café"],
        "te": ["soft\u00adener"],
        "  ": 4,
    }
    for text, found in parts.items():
        got = names(api.get("/products/", {"name_contains": text}))
        assert (len(got) if found == 4 else got) == found, text


def test_names_are_ordered_without_case(api: APIClient) -> None:
    for name in ("banana", "Apple", "cherry", "Älg", "apple 2"):
        factories.product(name)
    assert names(api.get("/products/")) == ["Älg", "Apple", "apple 2", "banana", "cherry"]


def test_a_page_has_twenty_rows_and_at_most_a_hundred(api: APIClient) -> None:
    for index in range(101):
        factories.product(f"p{index}")
    assert len(names(api.get("/products/"))) == 20
    for limit in ("1000", "9" * 30):
        assert len(names(api.get(f"/products/?limit={limit}"))) == 100
    assert api.get("/products/?limit=7").json()["count"] == 101


def test_the_count_is_bounded(api: APIClient) -> None:
    rows = [
        Product(name="p", name_key="p", slug=f"p{index}", sku=f"P{index}", quantity=1, price=1) for index in range(1001)
    ]
    Product.objects.bulk_create(rows)
    page = api.get("/products/?limit=1").json()
    assert (page["count"], page["count_is_exact"]) == (1000, False)
    Product.objects.filter(slug="p0").delete()
    page = api.get("/products/?limit=1").json()
    assert (page["count"], page["count_is_exact"]) == (1000, True)


def test_offset_skips_and_links_onwards(api: APIClient) -> None:
    for index in range(6):
        factories.product(f"p{index}")
    page = api.get("/products/?limit=2&offset=2").json()
    assert [row["name"] for row in page["results"]] == ["p2", "p3"]
    assert names(api.get(page["next"])) == ["p4", "p5"]
    assert names(api.get(page["previous"])) == ["p0", "p1"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=-1", "limit"),
        ("limit=x", "limit"),
        ("offset=10001", "offset"),
        ("offset=-1", "offset"),
        ("ordering=colour", "ordering"),
        ("ordering=", "ordering"),
        ("ordering=name,", "ordering"),
        ("cursor=nonsense", "cursor"),
        ("category=x", "category"),
        ("min_price=cheap", "min_price"),
        ("max_price=NaN", "max_price"),
        ("min_quantity=1.5", "min_quantity"),
        ("min_rating=good", "min_rating"),
        ("released_after=soon", "released_after"),
        ("released_after=0", "released_after"),
        ("in_stock=maybe", "in_stock"),
        ("limit=", "limit"),
        ("limit=5&limit=6", "limit"),
        ("cursor=&cursor=", "cursor"),
        ("min_price=1&min_price=2", "min_price"),
    ],
)
def test_an_invalid_parameter_is_a_400(api: APIClient, query: str, field: str) -> None:
    response = api.get(f"/products/?{query}")
    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == [field]


def test_an_empty_filter_is_ignored(api: APIClient) -> None:
    product = factories.product("Boot")
    parameters = DOCUMENT["paths"]["/products/"]["get"]["parameters"]
    filters = [each["name"] for each in parameters if "allowEmptyValue" in each]
    assert set(filters) == set(ProductFilter.base_filters)
    response = api.get("/products/?" + "&".join(f"{name}=" for name in filters))
    assert [row["id"] for row in response.json()["results"]] == [product.pk]


def test_a_cursor_is_bound_to_its_ordering_and_cannot_be_tampered_with(api: APIClient) -> None:
    for index in range(3):
        factories.product(f"p{index}")
    following = api.get("/products/?limit=1&ordering=price").json()["next"]
    assert api.get(following.replace("ordering=price", "ordering=name")).status_code == 400
    cursor = following.split("cursor=")[1].split("&")[0]
    assert api.get(f"/products/?limit=1&ordering=price&cursor=A{cursor}").status_code == 400


@pytest.mark.parametrize("filters", ["max_quantity=-9223372036854775808", "min_quantity=9223372036854775807"])
def test_an_impossible_filter_of_a_subtree_is_an_empty_page(api: APIClient, filters: str) -> None:
    shoes = factories.category("Shoes")
    factories.product(category=factories.category("Boots", parent=shoes))
    page = api.get(f"/products/?category={shoes.pk}&{filters}").json()
    assert (page["count"], page["results"], page["next"]) == (0, [], None)


def test_filters(api: APIClient) -> None:
    shoes = factories.category("Shoes")
    boots = factories.category("Boots", parent=shoes)
    hats = factories.category("Hats")
    factories.product("Red Boot", category=boots, brand="Acme", price="10.00", quantity=0, rating=4.5)
    factories.product("Blue Shoe", category=shoes, brand="ACME Ltd", price="20.00", quantity=5, rating=3)
    factories.product("Straw hat", category=hats, brand="Sunny", price="30.00", quantity=9, rating=2)
    Product.objects.filter(name="Straw hat").update(created_at="2020-06-01T00:00:00Z")
    cases = {
        f"category={shoes.pk}": ["Blue Shoe", "Red Boot"],
        f"category={boots.pk}": ["Red Boot"],
        "category=999999": [],
        "category_name=HATS": ["Straw hat"],
        "name=blue shoe": ["Blue Shoe"],
        "name_contains=BOO": ["Red Boot"],
        "brand=acme": ["Red Boot"],
        "brand_contains=acme": ["Blue Shoe", "Red Boot"],
        "min_price=20": ["Blue Shoe", "Straw hat"],
        "max_price=19.99": ["Red Boot"],
        "min_price=15&max_price=25": ["Blue Shoe"],
        "min_quantity=5": ["Blue Shoe", "Straw hat"],
        "max_quantity=0": ["Red Boot"],
        "min_rating=3": ["Blue Shoe", "Red Boot"],
        "max_rating=2.5": ["Straw hat"],
        "released_after=2021": ["Blue Shoe", "Red Boot"],
        "in_stock=true": ["Blue Shoe", "Straw hat"],
        "in_stock=false": ["Red Boot"],
        "name_contains=%": [],
    }
    for query, expected in cases.items():
        assert names(api.get(f"/products/?{query}")) == expected, query


@committed
def test_search_requires_every_word_and_ranks_the_name_first(api: APIClient) -> None:
    factories.product("Lamp", description="A shade as red as a café in Paris")
    factories.product("Red lamp", brand="Lumen")
    factories.product("Lamp", brand="Red & Co", slug="lamp-2", sku="L2")
    factories.product("東京タワー")
    assert [row["brand"] for row in api.get("/products/?search=red lamp").json()["results"]] == [
        "Lumen",
        "Red & Co",
        "",
    ]
    cases = {
        "LAMP lumen": ["Red lamp"],
        "lum": ["Red lamp"],
        "lum red": ["Red lamp", "Lamp", "Lamp"],  # any of the words
        "cafe": ["Lamp"],
        "CAFÉ": ["Lamp"],
        "東京": ["東京タワー"],
        "京": ["東京タワー"],
        "京東": [],
        "!!!": [],
        '"red" +lamp* -(': ["Red lamp", "Lamp", "Lamp"],
    }
    for text, expected in cases.items():
        assert names(api.get("/products/", {"search": text})) == expected, text


@committed
def test_search_results_are_paged_by_position(api: APIClient) -> None:
    for index in range(7):
        factories.product(f"lamp {index}")
    whole = names(api.get("/products/?search=lamp"))
    assert sorted(whole) == [f"lamp {index}" for index in range(7)]
    assert walk(api, "/products/?search=lamp&limit=3") == whole
    page = api.get(api.get("/products/?search=lamp&limit=3").json()["next"]).json()
    assert names(api.get(page["previous"])) == whole[:3]
    assert names(api.get("/products/?search=lamp&ordering=-name&limit=1")) == ["lamp 6"]


def test_a_lists_queries_do_not_grow_with_its_rows(api: APIClient) -> None:
    counts = []
    for size in (2, 10):
        for index in range(Product.objects.count(), size):
            factories.product(f"p{index}", category=factories.category(f"c{index}"))
        for path in ("/products/?limit=1", "/products/?limit=100", "/categories/?limit=1", "/categories/?limit=100"):
            with CaptureQueriesContext(connection) as queries:
                assert api.get(path).json()["count"] == size
            counts.append(len(queries))
    # products: the page with its categories' names, its images, and the bounded count if there are more pages;
    # categories: the page, the names on their paths, and the count.
    assert counts == [3, 2, 3, 2] * 2


def test_the_queries_of_one_object_do_not_grow_with_its_relations(api: APIClient) -> None:
    product, category = factories.product(), None
    counts = []
    for size in (2, 10):
        for index in range(product.images.count(), size):
            product.images.create(original=f"{size}{index}", sha256=f"{size}{index}", status="ready", width=1, height=1)
            category = factories.category(f"c{index}", parent=category)
            factories.product(f"p{index}", category=category, brand=f"b{index}")
        assert category is not None
        for path in (f"/products/{product.pk}/", f"/categories/{category.pk}/", "/products/facets/"):
            with CaptureQueriesContext(connection) as queries:
                assert api.get(path).status_code == 200
            counts.append(len(queries))
        assert len(api.get(f"/products/{product.pk}/").json()["images"]) == size
    # the product with its category's name, its images; the category, the names on its path;
    # the matches, the lineages of their categories, the names of all categories in them.
    assert counts == [2, 2, 3] * 2


def test_facets_are_inexact_above_the_limit(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "abc":
        factories.product(name)
    monkeypatch.setattr(facets, "MATCHES_MAX", 2)
    body = api.get("/products/facets/").json()
    assert (body["count"], body["exact"]) == (2, False)


@committed
def test_facets_count_what_the_list_finds(api: APIClient) -> None:
    shoes = factories.category("Shoes")
    boots = factories.category("Boots", parent=shoes)
    factories.product("a", category=boots, brand="Acme", price="9.99", rating=4.5)
    factories.product("b", category=shoes, brand="ACME", price="10.00", rating=3)
    factories.product("c", brand="Sunny", price="9000.00", rating=0.5)
    factories.product("hidden", is_active=False, brand="Acme")
    body = api.get("/products/facets/").json()
    assert body == {
        "count": 3,
        "exact": True,
        "categories": [
            {"id": boots.pk, "name": "Boots", "parent": shoes.pk, "count": 1},
            {"id": shoes.pk, "name": "Shoes", "parent": None, "count": 2},
        ],
        "brands": [{"name": "Acme", "count": 2}, {"name": "Sunny", "count": 1}],
        "prices": [
            {"min": "0.00", "max": "9.99", "count": 1},
            {"min": "10.00", "max": "24.99", "count": 1},
            {"min": "5000.00", "max": None, "count": 1},
        ],
        "ratings": [{"min": 4, "count": 1}, {"min": 3, "count": 2}, {"min": 2, "count": 2}, {"min": 1, "count": 2}],
        "options": [],
        "price": {"min": "9.99", "max": "9000.00"},
    }
    for category in body["categories"]:
        assert api.get(f"/products/?category={category['id']}").json()["count"] == category["count"]
    assert api.get("/products/facets/?search=b").json()["count"] == 1
    assert api.get("/products/facets/?min_price=x").status_code == 400
