"""Limits for anonymous clients: the duration of a read, and uncached reads per IP address."""

from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from rest_framework.settings import api_settings
from rest_framework.test import APIClient

from productbackend.api import read_limit
from products.reads import subtree
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="MySQL has no limit below a millisecond")
@pytest.mark.parametrize(
    "path",
    [
        "/products/?name_contains=a",
        "/products/?ordering=price,-quantity,rating",
        "/products/facets/?min_price=1",
        "/products/?search=shoe",
        "/products/?category={category}&offset=10",
        "/products/{product}/",
        "/products/{product}/images/",
        "/categories/",
    ],
)
def test_a_read_that_takes_too_long_is_a_503(api: APIClient, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    shoes = factories.category("Shoes")
    product = factories.product(category=factories.category("Boots", parent=shoes))
    path = path.format(category=shoes.pk, product=product.pk)
    assert api.get(path).status_code == 200
    with monkeypatch.context() as impatient:
        impatient.setattr(read_limit, "SECONDS_MAX", -1.0)
        impatient.setattr(read_limit, "STEPS", 1)
        response = api.get(path, headers={"Accept": "application/json, text/csv"})
    assert (response.status_code, response.json()["type"]) == (503, "/problems/unavailable")
    assert response["Retry-After"]
    assert api.get(path, headers={"Accept": "application/json, text/csv"}).status_code == 200


@pytest.mark.parametrize(
    ("sql", "limited"),
    [
        ("SELECT 1", "SELECT /*+ MAX_EXECUTION_TIME(3000) */ 1"),
        ("(SELECT 1) UNION ALL (SELECT 2)", "(SELECT /*+ MAX_EXECUTION_TIME(3000) */ 1) UNION ALL (SELECT 2)"),
        ("UPDATE a SET b = (SELECT 1)", "UPDATE a SET b = (SELECT 1)"),
    ],
)
def test_mysql_and_mariadb_get_the_limit_in_the_statement(sql: str, limited: str) -> None:
    assert read_limit.with_time_limit(sql, is_mariadb=False) == limited
    in_mariadb = sql if sql == limited else f"SET STATEMENT max_statement_time=3.0 FOR {sql}"
    assert read_limit.with_time_limit(sql, is_mariadb=True) == in_mariadb


def test_large_offsets_in_a_subtree_do_not_merge_parts(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    shoes = factories.category("Shoes")
    for index in range(12):
        factories.product(f"p{index % 7} {index}", category=factories.category(f"c{index}", parent=shoes))
    path = f"/products/?category={shoes.pk}&limit=5&ordering=-name"
    merged = [api.get(f"{path}&offset={offset}").json()["results"] for offset in (0, 5, 10, 15)]
    cache.clear()
    monkeypatch.setattr(subtree, "MERGED_MAX", 60)
    calls: list[int] = []
    merged_ids = subtree.merged_ids

    def record(*args: Any) -> list[int]:
        calls.append(1)
        return merged_ids(*args)

    monkeypatch.setattr(subtree, "merged_ids", record)
    assert [api.get(f"{path}&offset={offset}").json()["results"] for offset in (0, 5, 10, 15)] == merged
    assert calls == []


@pytest.fixture
def throttled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(api_settings.DEFAULT_THROTTLE_RATES, "catalogue", "4/hour")


@pytest.mark.usefixtures("throttled")
def test_uncached_reads_per_address_are_limited(api: APIClient, staff: APIClient) -> None:
    factories.product()
    for _ in range(2):
        api.get("/products/")  # the second request caches it
    for _ in range(10):
        assert api.get("/products/").status_code == 200
    assert api.get("/products/", headers={"Cookie": "sessionid=forged"}).status_code == 200
    assert api.get("/products/facets/").status_code == 200
    refused = [
        api.get("/products/facets/", {"min_price": "1"}),
        api.get("/categories/"),
        api.get("/products/", headers={"Accept": "application/json, text/csv"}),
        api.get("/products/", headers={"Cookie": "sessionid=forged"}),
    ]
    for response in refused:
        assert (response.status_code, response.json()["type"]) == (429, "/problems/throttled")
        assert 0 < int(response["Retry-After"]) <= 3601
    assert api.get("/products/").status_code == 200
    assert staff.get("/products/").status_code == 200
    assert APIClient(REMOTE_ADDR="192.0.2.7").get("/categories/").status_code == 200


def test_reads_are_unlimited_if_the_setting_is_unset(api: APIClient, settings: Any) -> None:
    assert settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"]["catalogue"] is None
    assert {api.get(f"/products/?min_price={number}").status_code for number in range(10)} == {200}
