"""Lists and facets with options, and with one product of each family, compared with a plain model of the rules."""

import itertools
import random
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from products.models import Product
from products.reads import families, option_facets, page
from tests import factories

pytestmark = pytest.mark.django_db
committed = pytest.mark.django_db(transaction=True)  # InnoDB's search sees committed rows only

SIZES, COLOURS = ["S", "M", "L"], ["Red", "Blue"]


def build() -> list[Product]:
    """Families whose members differ in everything that filters look at, and products of no family."""
    rng = random.Random(7)
    shoes = factories.category("Shoes")
    boots = factories.category("Boots", parent=shoes)
    for number in range(8):
        family = factories.family(f"f{number}", ["Size", "Colour"] if number % 3 else ["Size"])
        values = list(itertools.product(SIZES, COLOURS)) if number % 3 else [(size,) for size in SIZES]
        for options in rng.sample(values, rng.randint(1, len(values))):
            factories.member(
                family,
                *(value.upper() if rng.random() < 0.3 else value for value in options),
                name=f"{rng.choice(['lamp', 'chair'])} {rng.randint(1, 99)}",
                brand=rng.choice(["Acme", "Sunny"]),
                price=rng.randint(1, 60),
                quantity=rng.randint(0, 2),
                rating=rng.choice([None, 2, 4.5]),
                is_active=rng.random() < 0.8,
                category=rng.choice([None, shoes, boots]),
            )
    for number in range(6):
        factories.product(f"lamp {number}", brand="Acme", price=number * 9, rating=None, category=boots)
    return list(Product.objects.order_by("pk"))


def passes(product: Product, query: dict[str, Any]) -> bool:
    in_category = {None: True, "Shoes": product.category is not None, "Boots": "Boots" in str(product.category)}
    return (
        ("brand" not in query or product.brand.lower() == query["brand"])
        and ("min_price" not in query or product.price >= query["min_price"])
        and ("max_price" not in query or product.price <= query["max_price"])
        and ("in_stock" not in query or product.quantity > 0)
        and ("search" not in query or query["search"] in product.name)
        and in_category[query.get("category")]
    )


def has(product: Product, options: list[str]) -> bool:
    wanted: dict[str, set[str]] = {}
    for option in options:
        axis, _, value = option.lower().partition(":")
        wanted.setdefault(axis, set()).add(value)
    own = {axis.lower(): value.lower() for axis, value in product.options.items()}
    return all(own.get(axis) in values for axis, values in wanted.items())


def expected(products: list[Product], query: dict[str, Any], *, one_per_family: bool) -> set[int]:
    active, options = [product for product in products if product.is_active], query.get("option", [])
    if not one_per_family:
        return {product.pk for product in active if passes(product, query) and has(product, options)}
    found = {product.pk for product in active if product.family is None and passes(product, query) and not options}
    for family in {product.family_id for product in active} - {None}:
        members = sorted(
            (each for each in active if each.family_id == family), key=lambda each: each.family_position or 0
        )
        lead = next((each for each in members if each.quantity), members[0])
        if not passes(lead, query):
            continue
        shown = next((each for each in members if has(each, options)), None) if options else lead
        if shown is not None:
            found.add(shown.pk)
    return found


def parameters(query: dict[str, Any], categories: dict[str, int], *, one_per_family: bool) -> dict[str, Any]:
    given = dict(query)
    if "category" in given:
        given["category"] = categories[given["category"]]
    return given | ({"one_per_family": "true"} if one_per_family else {})


QUERIES: list[dict[str, Any]] = [
    {},
    {"brand": "acme"},
    {"max_price": 20},
    {"in_stock": "true"},
    {"category": "Shoes"},
    {"category": "Boots", "max_price": 30},
    {"option": ["Size:M"]},
    {"option": ["size:m", "SIZE:L"]},
    {"option": ["Size:S", "Colour:red"]},
    {"option": ["Size:M"], "brand": "acme"},
    {"option": ["Colour:Blue"], "category": "Shoes"},
    {"option": ["Size:L"], "max_price": 25, "in_stock": "true"},
    {"option": ["Size:M"], "min_price": 20},
    {"option": ["Size:M", "Size:L"], "min_price": 10, "max_price": 45},
    {"option": ["Weight:1"]},
    {"option": ["a:1", "b:1", "c:1", "d:1"]},
]
SEARCHES: list[dict[str, Any]] = [{"search": "lamp"}, {"search": "lamp", "option": ["Size:M"]}]


def walk(api: APIClient, path: str, given: dict[str, Any]) -> list[dict[str, Any]]:
    page = api.get(path, given | {"limit": 3}).json()
    rows = page["results"]
    while page["next"]:
        page = api.get(page["next"]).json()
        rows += page["results"]
    return rows


def check(api: APIClient, queries: list[dict[str, Any]], orderings: list[str | None], *, is_exact: bool = True) -> None:
    products = build()
    categories = {str(product.category): product.category_id for product in products if product.category_id}
    for query, one_per_family in itertools.product(queries, (False, True)):
        given = parameters(query, categories, one_per_family=one_per_family)
        wanted = expected(products, query, one_per_family=one_per_family)
        for ordering in orderings:
            rows = walk(api, "/products/", given | ({"ordering": ordering} if ordering else {}))
            assert sorted(row["id"] for row in rows) == sorted(wanted), (query, one_per_family, ordering)
            if ordering in ("price", "-price"):
                prices = [float(row["price"]) for row in rows]
                assert prices == sorted(prices, reverse=ordering == "-price")
        assert api.get("/products/", given).json()["count"] == len(wanted)
        body = api.get("/products/facets/", given).json()
        assert body["count"] == len(wanted)
        assert body["exact"] or not is_exact
        check_facets(api, body, given, products, query, one_per_family=one_per_family)


def check_facets(
    api: APIClient,
    body: dict[str, Any],
    given: dict[str, Any],
    products: list[Product],
    query: dict[str, Any],
    **mode: bool,
) -> None:
    """Each count of an option is the count of the list with this option alone of its axis."""
    counted = {
        (row["axis"].lower(), each["value"].lower()): each["count"] for row in body["options"] for each in row["values"]
    }
    others = query.get("option", [])
    for axis, values in (("size", SIZES), ("colour", COLOURS)):
        kept = [option for option in others if not option.lower().startswith(f"{axis}:")]
        for value in values:
            found = expected(
                products, query | {"option": [*kept, f"{axis}:{value}"]}, one_per_family=mode["one_per_family"]
            )
            assert counted.get((axis, value.lower()), 0) == len(found), (query, mode, axis, value)
    if not others:
        for brand in body["brands"]:
            assert api.get("/products/", given | {"brand": brand["name"]}).json()["count"] == brand["count"]


@pytest.mark.parametrize("sorted_max", [1_000, 0])
def test_lists_and_facets_follow_the_rules(api: APIClient, monkeypatch: pytest.MonkeyPatch, sorted_max: int) -> None:
    for name in ("SORTED_MAX", "FAMILIES_SORTED"):
        monkeypatch.setattr(page, name, sorted_max)  # with 0 every option is one that many products have
    check(api, QUERIES, [None, "price", "-price", "rating"])


@pytest.mark.parametrize(("enough", "sorted_max"), [(0, 0), (1_000, 0), (1_000, 1_000)])
def test_an_option_of_many_families_and_other_filters_follow_the_rules(
    api: APIClient, monkeypatch: pytest.MonkeyPatch, enough: int, sorted_max: int
) -> None:
    """As if there were more families than are read: of those that are, many match the other filters, or few.

    A facet with its own filter is counted without this filter over the families that are read.
    """
    monkeypatch.setattr(page, "FAMILIES_SAMPLED", 1)
    monkeypatch.setattr(page, "FAMILIES_SORTED", sorted_max)
    monkeypatch.setattr(families, "ENOUGH", enough)
    if enough:
        monkeypatch.setattr(families, "FAMILIES_MAX", 1)
    queries = [query for query in QUERIES if "option" in query and len(query) > 1]
    check(api, queries, [None, "price", "-price"], is_exact=False)


@pytest.mark.parametrize(
    ("least", "most"), [(0, 0), (0, 1_000), (1_000, 1_000)], ids=["by members", "behind cheaper ones", "by leads"]
)
def test_an_option_and_prices_follow_the_rules(
    api: APIClient, monkeypatch: pytest.MonkeyPatch, least: int, most: int
) -> None:
    """Families are found by the price of their lead, and shown by members that may be cheaper or dearer."""
    for name, number in (("COMMON_MIN", 0), ("PRICED_MAX", least), ("PRICED_MOST", most), ("SKIPPED_MAX", 0)):
        monkeypatch.setattr(families, name, number)
    queries: list[dict[str, Any]] = [
        {"option": ["Size:M"], "min_price": 15},
        {"option": ["Size:S", "Size:L"], "max_price": 40},
        {"option": ["Size:S", "Size:M", "Size:L"], "min_price": 10, "max_price": 55.5},
    ]
    check(api, queries, ["price", "-price", "price,name", "name"])
    for ordering in ("price", "-price"):
        query = queries[-1] | {"one_per_family": "true", "ordering": ordering}
        every = walk(api, "/products/", query)
        assert len(every) > 4
        page = api.get("/products/", query | {"limit": 2, "offset": 3}).json()
        assert page["results"] == every[3:5]
        assert api.get(page["previous"]).json()["results"] == every[1:3]


@committed
def test_searches_follow_the_rules(api: APIClient) -> None:
    check(api, SEARCHES, [None, "price"])


def test_ids_are_compared_with_the_leads(api: APIClient) -> None:
    family = factories.family()
    first, second = (factories.member(family, size) for size in "SM")
    alone = factories.product("Alone")
    ids = f"{alone.pk},{second.pk},{first.pk}"
    shown = api.get(f"/products/?ids={ids}&one_per_family=true").json()["results"]
    assert [row["id"] for row in shown] == [alone.pk, first.pk]
    shown = api.get(f"/products/?ids={ids}&one_per_family=true&option=size:m").json()["results"]
    assert [row["id"] for row in shown] == [second.pk]


def test_staff_see_hidden_families_once(staff: APIClient, api: APIClient) -> None:
    family = factories.family()
    for size in "SM":
        factories.member(family, size, is_active=False)
    assert staff.get("/products/?one_per_family=true").json()["count"] == 1
    assert api.get("/products/?one_per_family=true").json()["count"] == 0


def test_values_that_make_no_sense_are_refused(api: APIClient) -> None:
    for query in ("option=Size", "option=:M", "option=Size:", "option=%20:%20", "one_per_family=yes"):
        for path in ("/products/", "/products/facets/"):
            response = api.get(f"{path}?{query}")
            assert response.status_code == 400, query
            assert response.json()["errors"][0]["field"] == query.partition("=")[0]
    assert api.get("/products/?one_per_family=true&one_per_family=true").status_code == 400
    assert api.get("/products/?option=&one_per_family=false").status_code == 200


def test_facets_of_many_members_are_marked_as_inexact(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    family = factories.family()
    for size in "SML":
        factories.member(family, size)
    path = "/products/facets/?one_per_family=true"
    assert api.get(path).json()["exact"] is True
    monkeypatch.setattr(option_facets, "MATCHES_MAX", 2)
    body = api.get(path).json()
    assert body["exact"] is False
    assert sum(each["count"] for each in body["options"][0]["values"]) == 2


def test_facets_of_an_option_of_many_families_are_counted_over_some_of_them(
    api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(families, "FAMILIES_MAX", 2)
    for number in range(3):
        family = factories.family(f"f{number}", ["Size", "Colour"])
        factories.member(family, "S", "Red", price=5)
        factories.member(family, "M", "Blue", price=20)
    body = api.get("/products/facets/?option=size:m&one_per_family=true").json()
    assert (body["count"], body["exact"]) == (2, False)
    assert body["price"] == {"min": "5.00", "max": "5.00"}  # of the leads
    assert [row["axis"] for row in body["options"]] == ["Size", "Colour"]
    assert body["options"][1]["values"] == [{"value": "Blue", "count": 2}]
    # With its leads compared, the members of each one that matches are looked up.
    body = api.get("/products/facets/?option=size:m&one_per_family=true&in_stock=true").json()
    assert (body["count"], body["exact"]) == (3, True)


def test_lists_without_families_take_no_statement_more(api: APIClient) -> None:
    factories.product()
    counts = {}
    for path in ("/products/", "/products/facets/"):
        for query in ("", "?one_per_family=true"):
            with CaptureQueriesContext(connection) as captured:
                api.get(path + query)
            counts[path, query] = len(captured)
    assert counts["/products/", ""] == counts["/products/", "?one_per_family=true"]
    assert counts["/products/facets/", ""] == counts["/products/facets/", "?one_per_family=true"]


# --- Ratings that nobody gave --------------------------------------------------------------------


@pytest.fixture
def rated(db: Any) -> dict[str, float | None]:
    ratings = [3, None, 5, 3, None, 1, None, 4.5]
    category = factories.category()
    below = factories.category("Below", parent=category)
    for number, rating in enumerate(ratings):
        factories.product(f"p{number}", rating=rating, price=number % 2, category=category if number % 3 else below)
    return {f"p{number}": rating for number, rating in enumerate(ratings)}


@pytest.mark.parametrize("filters", ["", "category={category}&"])
@pytest.mark.parametrize(
    ("ordering", "expected"),
    [
        ("rating", "p5 p0 p3 p7 p2 p1 p4 p6"),
        ("-rating", "p2 p7 p3 p0 p5 p6 p4 p1"),
        ("price,rating", "p0 p2 p4 p6 p5 p3 p7 p1"),
        ("price,-rating", "p2 p0 p6 p4 p7 p3 p5 p1"),
        ("-price,rating", "p5 p3 p7 p1 p0 p2 p4 p6"),
    ],
)
def test_products_without_a_rating_are_last_in_both_directions(
    api: APIClient, rated: dict[str, Any], ordering: str, expected: str, filters: str
) -> None:
    category = Product.objects.exclude(category__parent=None).values_list("category__parent", flat=True).first()
    base = f"/products/?{filters.format(category=category)}ordering={ordering}"
    for limit in (1, 2, 3, 100):
        pages = [api.get(f"{base}&limit={limit}").json()]
        while pages[-1]["next"]:
            pages.append(api.get(pages[-1]["next"]).json())
        assert " ".join(row["name"] for page in pages for row in page["results"]) == expected
        back = [pages[-1]]
        while back[-1]["previous"]:
            back.append(api.get(back[-1]["previous"]).json())
        assert [page["results"] for page in back[::-1]] == [page["results"] for page in pages]
    for offset in range(9):
        rows = api.get(f"{base}&limit=3&offset={offset}").json()["results"]
        assert " ".join(row["name"] for row in rows) == " ".join(expected.split()[offset : offset + 3]), offset


def test_filters_and_facets_leave_products_without_a_rating_out(api: APIClient, rated: dict[str, Any]) -> None:
    for query, count in (("min_rating=0", 5), ("max_rating=5", 5), ("min_rating=4", 2), ("", 8)):
        assert api.get(f"/products/?{query}").json()["count"] == count
        assert api.get(f"/products/facets/?{query}").json()["count"] == count
    ratings = api.get("/products/facets/").json()["ratings"]
    assert ratings == [{"min": 4, "count": 2}, {"min": 3, "count": 4}, {"min": 2, "count": 4}, {"min": 1, "count": 5}]


def test_a_rating_is_cleared_by_null(staff: APIClient) -> None:
    product = factories.product(rating=4)
    assert staff.patch(f"/products/{product.pk}/", {"rating": None}).json()["rating"] is None
    assert staff.patch(f"/products/{product.pk}/", {"rating": 2.5}).json()["rating"] == 2.5
