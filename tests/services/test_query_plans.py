"""MySQL reads a page of products from an index in the page's order, without sorting or a full scan."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from productbackend.api import keyset
from products.models import Family, Option, Product
from products.reads import facets, families, option_facets, page
from tests import factories

pytestmark = [
    pytest.mark.skipif(connection.vendor != "mysql", reason="needs MySQL"),
    pytest.mark.django_db(transaction=True),
]

ROWS = 4_000
ORDERINGS = [sign + name for name in ("name", "price", "rating", "quantity", "created_at") for sign in ("", "-")]


@pytest.fixture
def catalogue(transactional_db: Any) -> Any:
    """Products of two categories, a third of them hidden, with MySQL's statistics."""
    shelves = [factories.category("Lamps"), factories.category("Chairs")]
    rows = []
    for index in range(ROWS):
        row = Product(name=f"thing {index * 7919 % ROWS:05}", slug=f"s{index}", sku=f"S{index}")
        row.price, row.rating, row.quantity = index * 31 % 997, 1 + index % 41 / 10, index * 17 % 83
        row.is_active, row.category = index % 3 > 0, shelves[index % 2]
        row.derive()
        rows.append(row)
    made = Product.objects.bulk_create(rows, batch_size=1000)
    assert len(made) == ROWS
    for step in range(40):
        moment = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=step)
        Product.objects.filter(quantity__gte=step * 2, quantity__lt=step * 2 + 2).update(created_at=moment)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE TABLE products_product")
    return shelves


def page_plans(client: APIClient, path: str, *, merges: bool = False) -> list[dict[str, Any]]:
    """The rows of EXPLAIN for the query that reads the page's products."""
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(path, headers={"Accept": "application/json, text/csv"})  # not from the cache
    assert answer.status_code == 200, answer.content
    statements = [row["sql"] for row in captured.captured_queries]
    pages = [sql for sql in statements if "ORDER BY" in sql and "FROM `products_product`" in sql]
    # By rating, those that nobody has rated are a second read.
    assert len(pages) == 1 or (len(pages) == 2 and "rating" in path), statements
    assert ("UNION ALL" in pages[0]) == merges, pages[0]
    return [plan for page in pages for plan in plans(page)]


def plans(page: str) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        page = re.sub(r"^SET STATEMENT .*? FOR ", "", page)  # MariaDB's limit of its time
        cursor.execute("EXPLAIN FORMAT=TRADITIONAL " + page.replace("%", "%%"))
        columns = [column[0] for column in cursor.description]
        return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


def assert_served_from_an_index(plans: list[dict[str, Any]], path: str) -> None:
    for row in plans:
        if row["select_type"] == "UNION RESULT":
            continue  # the UNION of the parts' pages
        extra = row["Extra"] or ""
        assert "filesort" not in extra, (path, plans)
        assert "temporary" not in extra, (path, plans)
        assert row["type"] not in ("ALL", "index"), (path, plans)


def last_page(api: APIClient, path: str, **part: Any) -> str:
    """The URL of the last page: `next` of the page before it."""
    count = Product.objects.filter(is_active=True, **part).count()
    before = api.get(f"{path}&offset={count - 15}&limit=10").json()
    return before["next"].replace("limit=10", "limit=20")


def test_the_first_and_the_last_page_of_each_order_come_from_an_index(api: APIClient, catalogue: Any) -> None:
    for ordering in ORDERINGS:
        first = f"/products/?ordering={ordering}"
        last = last_page(api, first)
        page = api.get(last).json()
        assert (len(page["results"]), page["next"]) == (5, None), ordering
        for path in (first, last, page["previous"]):
            assert_served_from_an_index(page_plans(api, path), path)


def test_a_categorys_page_in_each_order_comes_from_an_index(api: APIClient, catalogue: Any) -> None:
    for ordering in ORDERINGS:
        path = f"/products/?ordering={ordering}&category={catalogue[0].pk}"
        last = last_page(api, path, category=catalogue[0])
        assert len(api.get(last).json()["results"]) == 5
        for each in (path, last):
            assert_served_from_an_index(page_plans(api, each), each)
        if "price" in ordering:
            path += "&min_price=100&max_price=300"
            assert_served_from_an_index(page_plans(api, path), path)


def test_a_page_with_one_product_of_each_family_comes_from_an_index(api: APIClient, catalogue: Any) -> None:
    Product.objects.exclude(quantity__lt=16).update(is_lead=False)  # as with five products in each family
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE TABLE products_product")
    for ordering in ORDERINGS:
        for filters in ("", f"&category={catalogue[0].pk}"):
            path = f"/products/?one_per_family=true&ordering={ordering}{filters}"
            for each in (path, api.get(path).json()["next"]):
                assert_served_from_an_index(page_plans(api, each), each)


def test_a_subtrees_page_merges_one_indexed_read_for_each_category(api: APIClient, catalogue: Any) -> None:
    lamps, chairs = catalogue
    chairs.parent = lamps
    chairs.save()
    Product.objects.filter(quantity__lt=10).update(category=factories.category("Other"))
    for ordering in ORDERINGS:
        first = f"/products/?ordering={ordering}&category={lamps.pk}"
        second = api.get(first).json()["next"]
        for path in (first, f"{first}&offset=300", second):
            assert_served_from_an_index(page_plans(api, path, merges=True), path)
        column = {"name": "name_key"}.get(ordering.removeprefix("-"), ordering.removeprefix("-"))
        sign = "-" if ordering.startswith("-") else ""
        wanted = Product.objects.filter(is_active=True, category__in=[lamps, chairs]).order_by(
            sign + column, f"{sign}id"
        )
        ids = list(wanted.values_list("pk", flat=True)[:320])
        pages = [api.get(path).json()["results"] for path in (first, second, f"{first}&offset=300")]
        assert [row["id"] for page in pages for row in page] == ids[:40] + ids[300:]


# --- Options that many products have -----------------------------------------------------------------------

FAMILIES = 2_000


@pytest.fixture
def lamps(transactional_db: Any) -> None:
    """Families of a large blue lamp, which leads, and a small red one, with MySQL's statistics."""
    numbers = range(1, FAMILIES + 1)
    Family.objects.bulk_create(
        [Family(pk=pk, name=f"lamp {pk}", slug=f"f{pk}", axes=["Size", "Colour"]) for pk in numbers]
    )
    products, options = [], []
    for pk in numbers:
        for position, (size, colour) in enumerate((("Large", "Blue"), ("Small", "Red"))):
            row = Product(pk=pk * 2 + position, name=f"lamp {pk:05} {size}", slug=f"{size}{pk}", sku=f"{size}{pk}")
            row.family_id, row.family_position, row.is_lead = pk, position, not position
            row.options, row.options_key = {"Size": size, "Colour": colour}, f"{pk} {size}"
            row.price, row.rating, row.quantity = pk % 100, 1 + pk % 5, 1
            row.derive()
            products.append(row)
            options += [
                Option(product_id=row.pk, axis_key=axis.lower(), value_key=value.lower())
                for axis, value in row.options.items()
            ]
    Product.objects.bulk_create(products, batch_size=1000)
    Option.objects.bulk_create(options, batch_size=1000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE TABLE products_product, products_option, products_family")


def rows_read(api: APIClient, path: str) -> int:
    """How many rows and index entries the server reads for the page."""
    with connection.cursor() as cursor:
        cursor.execute("FLUSH STATUS")
        assert api.get(path, headers={"Accept": "application/json, text/csv"}).status_code == 200  # not from the cache
        cursor.execute("SHOW SESSION STATUS LIKE 'Handler_read%'")
        return sum(int(number) for _, number in cursor.fetchall())


OF_AN_OPTION = [
    "/products/?option=colour:red&one_per_family=true",
    "/products/?option=colour:red&one_per_family=true&ordering=-price",
    "/products/?option=colour:red&one_per_family=true&min_price=10&max_price=90",
    "/products/?option=colour:red&one_per_family=true&min_rating=2&ordering=-created_at",
    "/products/?option=colour:red&option=size:small&one_per_family=true",
    "/products/facets/?option=colour:red&one_per_family=true",
    "/products/facets/?option=colour:red&one_per_family=true&min_price=10&max_price=90",
    "/products/facets/?option=colour:red",
]


def test_an_option_that_many_products_have_is_read_until_enough_is_found(
    api: APIClient, lamps: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limits are as much smaller as the shop is."""
    for module in (keyset, page, families):
        monkeypatch.setattr(module, "COUNT_MAX", 20)
    monkeypatch.setattr(page, "SORTED_MAX", 20)
    monkeypatch.setattr(page, "FAMILIES_SAMPLED", 60)
    monkeypatch.setattr(families, "FAMILIES_MAX", 100)
    monkeypatch.setattr(families, "ENOUGH", 20)
    monkeypatch.setattr(families, "COMMON_MIN", 60)
    monkeypatch.setattr(families, "PRICED_MAX", 60)
    for module in (facets, option_facets):
        monkeypatch.setattr(module, "MATCHES_MAX", 100)
    read = {path: rows_read(api, path) for path in OF_AN_OPTION}
    assert max(read.values()) < FAMILIES, read
