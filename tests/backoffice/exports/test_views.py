"""Exports over HTTP."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from rest_framework.test import APIClient

from backoffice.exports import downloads, kinds
from orders.models import Order
from tests import factories
from tests.backoffice.files import body_of, csv_rows, xlsx_cells
from tests.backoffice.people import member, staff_with
from tests.openapi import DOCUMENT
from tests.orders.placed import place, place_with_everything

pytestmark = pytest.mark.django_db

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PATHS = {name: f"/exports/{name}/" for name in kinds.KINDS}


def exported(client: Any, path: str) -> list[dict[str, str]]:
    return csv_rows(body_of(client.get(path)))


@pytest.fixture
def two_orders(staff: APIClient) -> list[str]:
    """The numbers of a paid and a cancelled order, of two customers."""
    numbers = []
    for name in ("carla", "otto"):
        factories.user(name)
        numbers.append(place_with_everything(name, (factories.product(name), 1)))
    Order.objects.filter(number=numbers[1]).update(status="cancelled")
    return numbers


def test_products_as_csv(staff: APIClient) -> None:
    lamps = factories.category("Lamps", parent=factories.category("Home"))
    factories.product("=Lamp", sku="L-1", category=lamps, price=Decimal("5"), quantity=3)
    factories.product("Hidden", sku="H-1", is_active=False)
    response = staff.get("/exports/products/")
    assert response.streaming
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"].startswith('attachment; filename="products-20')
    assert response["Cache-Control"] == "private, no-store"
    lamp, hidden = csv_rows(body_of(response))
    assert list(lamp) == list(kinds.PRODUCTS.columns)
    assert lamp["name"] == "'=Lamp"
    assert (lamp["sku"], lamp["category"], lamp["price"], lamp["quantity"]) == ("L-1", "Home > Lamps", "5.00", "3")
    assert (hidden["sku"], hidden["is_active"]) == ("H-1", "false")


@pytest.mark.parametrize("kind", kinds.KINDS.values(), ids=list(kinds.KINDS))
def test_xlsx_has_the_same_rows(staff: APIClient, two_orders: list[str], kind: Any) -> None:
    response = staff.get(f"{PATHS[kind.name]}?format=xlsx")
    assert response["Content-Type"] == XLSX
    assert response["Content-Disposition"].endswith('.xlsx"')
    header, *rows = xlsx_cells(body_of(response))
    assert header == list(kind.columns)
    in_csv = exported(staff, PATHS[kind.name])
    assert len(rows) == len(in_csv) == 2
    for row, same in zip(rows, in_csv, strict=True):
        padded = [*row, *[None] * (len(header) - len(row))]
        for cell, text in zip(padded, same.values(), strict=True):
            assert (cell or "") == text if not isinstance(cell, float) else Decimal(str(cell)) == Decimal(text)


@pytest.mark.parametrize(
    ("query", "skus"),
    [
        ("", ["A", "B", "C"]),
        ("?min_quantity=5", ["B", "C"]),
        ("?sku=a", ["A"]),
        ("?in_stock=false", ["A"]),
        ("?category={category}", ["B"]),
        ("?name_contains=shoe&min_price=10", ["C"]),
        ("?category=999999", []),
        ("?min_quantity=99999999999999999", []),
        ("?brand=", ["A", "B", "C"]),
        ("?_=1&utm_source=x", ["A", "B", "C"]),
    ],
)
def test_products_and_stock_take_the_filters_of_the_list(staff: APIClient, query: str, skus: list[str]) -> None:
    root = factories.category("Home")
    factories.product("Shoe a", sku="A", quantity=0, price=Decimal("9"))
    lamps = factories.category("Lamps", parent=root)
    factories.product("Lamp", sku="B", quantity=5, category=lamps)
    factories.product("Shoe c", sku="C", quantity=9, price=Decimal("10"), is_active=False)
    query = query.format(category=root.pk)
    for name in ("products", "stock"):
        assert [row["sku"] for row in exported(staff, PATHS[name] + query)] == skus
    listed = staff.get(f"/products/{query}").json()["results"]
    assert sorted(row["sku"] for row in listed) == skus


@pytest.mark.django_db(transaction=True)  # MySQL's full-text index has committed rows only
def test_a_search_is_exported_but_not_relaxed(staff: APIClient) -> None:
    for name in ("Red shoe", "Red lamp", "Green lamp"):
        factories.product(name)
    assert [row["sku"] for row in exported(staff, "/exports/products/?search=red")] == ["RED-SHOE", "RED-LAMP"]
    assert staff.get("/products/?search=red tree").json()["search_relaxed"]
    assert exported(staff, "/exports/products/?search=red tree") == []


def test_orders_take_the_filters_of_the_list(staff: APIClient, two_orders: list[str]) -> None:
    carla = Order.objects.get(number=two_orders[0])
    for query, numbers in [
        ("", two_orders),
        ("?status=cancelled", two_orders[1:]),
        ("?status=cancelled&status=paid", two_orders),
        ("?email=CARLA@example.com", two_orders[:1]),
        (f"?customer={carla.user_id}", two_orders[:1]),
        (f"?search={two_orders[1][:9]}", two_orders[1:]),
        ("?created_before=2020-01-01T00:00:00Z", []),
    ]:
        assert [row["number"] for row in exported(staff, f"/exports/orders/{query}")] == numbers, query
        listed = staff.get(f"/orders/{query}").json()["results"]
        assert {row["number"] for row in listed} == set(numbers), query


@pytest.mark.parametrize("path", PATHS.values(), ids=list(PATHS))
@pytest.mark.parametrize(
    ("query", "status", "problem"),
    [
        ("?colour=red", 400, "validation-error"),
        ("?limit=5", 400, "validation-error"),
        ("?format=pdf", 406, "not-acceptable"),
        ("?format=json", 406, "not-acceptable"),
        ("?format=csv&format=xlsx", 400, "validation-error"),
    ],
)
def test_errors_are_problem_documents(staff: APIClient, path: str, query: str, status: int, problem: str) -> None:
    response = staff.get(path + query)
    assert (response.status_code, response["Content-Type"]) == (status, "application/problem+json")
    assert response.json()["type"] == f"/problems/{problem}"


def test_invalid_filters_name_their_field(staff: APIClient) -> None:
    for path, field in [
        ("/exports/products/?min_price=cheap", "min_price"),
        ("/exports/stock/?in_stock=maybe", "in_stock"),
        ("/exports/orders/?status=lost", "status"),
    ]:
        response = staff.get(path)
        assert response.status_code == 400
        assert [error["field"] for error in response.json()["errors"]] == [field]


@pytest.mark.parametrize("path", PATHS.values(), ids=list(PATHS))
def test_errors_before_the_first_byte_are_problem_documents(
    staff: APIClient, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any) -> Any:
        raise OperationalError(2006, "MySQL server has gone away")

    monkeypatch.setattr("backoffice.exports.reading.batches", fail)
    for query in ("", "?format=xlsx"):
        response = staff.get(path + query)
        assert (response.status_code, response["Content-Type"]) == (503, "application/problem+json")
        assert response["Retry-After"]
    assert downloads.running.acquire(blocking=False)  # what failed no longer runs
    downloads.running.release()


def test_an_xlsx_file_that_is_too_large_is_a_400(staff: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "XLSX_ROWS_MAX", 1)
    for name in ("a", "b"):
        factories.product(name)
    response = staff.get("/exports/products/?format=xlsx")
    assert (response.status_code, response["Content-Type"]) == (400, "application/problem+json")
    [error] = response.json()["errors"]
    assert (error["field"], error["code"]) == ("format", "too_large")
    assert len(exported(staff, "/exports/products/")) == 2


@pytest.mark.parametrize(
    ("accept", "query", "content_type"),
    [
        ("*/*", "", "text/csv; charset=utf-8"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "", "text/csv; charset=utf-8"),
        (XLSX, "", XLSX),
        ("application/json", "?format=csv", "text/csv; charset=utf-8"),
        ("text/csv", "?format=xlsx", XLSX),
    ],
)
def test_the_format(staff: APIClient, accept: str, query: str, content_type: str) -> None:
    response = staff.get(f"/exports/stock/{query}", headers={"Accept": accept})
    assert response["Content-Type"] == content_type
    body_of(response)


def test_json_alone_is_not_acceptable(staff: APIClient) -> None:
    response = staff.get("/exports/stock/", headers={"Accept": "application/json"})
    assert (response.status_code, response["Content-Type"]) == (406, "application/problem+json")


def test_head_reads_no_row(staff: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backoffice.exports.reading.batches", None)
    for format in ("csv", "xlsx"):
        response = staff.head(f"/exports/products/?format={format}")
        assert (response.status_code, body_of(response)) == (200, b"")
        assert response["Content-Disposition"].endswith(f'.{format}"')
        assert "Content-Length" not in response
    assert staff.head("/exports/products/?min_price=cheap").status_code == 400


def test_options_and_other_methods(staff: APIClient, customer: APIClient) -> None:
    for path in PATHS.values():
        for accept in ("*/*", "application/json"):
            options = staff.options(path, headers={"Accept": accept})
            assert (options.status_code, options["Content-Type"]) == (200, "application/json")
        assert customer.options(path).status_code == 403
        for method in ("post", "put", "patch", "delete"):
            response = getattr(staff, method)(path, {})
            assert (response.status_code, response["Allow"]) == (405, "GET, HEAD, OPTIONS")
    assert staff.get("/exports/carts/").status_code == 404


def test_others_than_staff_with_the_permission_are_refused(api: APIClient, customer: APIClient) -> None:
    seeing = staff_with("products.view_product", name="pia")
    accountant = staff_with("orders.export_order", name="ada")
    for path in PATHS.values():
        refused = [api.get(path).status_code, customer.get(path).status_code]
        assert refused == [401, 403]
        allowed, other = (accountant, seeing) if path == PATHS["orders"] else (seeing, accountant)
        assert exported(allowed, path) == []
        assert other.get(path).status_code == 403


def test_an_accountant_exports_with_the_filters_of_staff(two_orders: list[str]) -> None:
    rows = exported(staff_with("orders.export_order"), "/exports/orders/?email=otto@example.com")
    assert [row["number"] for row in rows] == two_orders[1:]


def test_the_session_of_a_browser_exports_too(client: Client) -> None:
    client.force_login(member("orders.export_order"))
    factories.user("carla")
    number = place("carla", (factories.product(), 1))
    assert [row["number"] for row in exported(client, "/exports/orders/")] == [number]


def test_the_document_names_every_column() -> None:
    for name, kind in kinds.KINDS.items():
        text = DOCUMENT["paths"][PATHS[name]]["get"]["description"]
        assert all(f"`{column}`" in text for column in kind.columns)
