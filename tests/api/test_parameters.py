"""Query parameters that a path does not know, or that are repeated, are errors."""

from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.test import APIClient
from rest_framework.views import APIView

from productbackend.api.parameters import KnownParameters
from tests import factories
from tests.openapi import DOCUMENT

pytestmark = pytest.mark.django_db

UNCHECKED = ("/health/",)  # its clients are machines of the operator
PUBLIC = ("/products/", "/products/facets/", "/categories/", "/categories/tree/", "/", "/problems/")


def operations() -> list[tuple[str, str, list[str]]]:
    """Method, path and query parameters of each operation."""
    return [
        (method, path, [item["name"] for item in operation["parameters"] if item.get("in") == "query"])
        for path, methods in DOCUMENT["paths"].items()
        for method, operation in methods.items()
        if not path.startswith(UNCHECKED)
    ]


OPERATIONS = operations()


def unknown(response: Any) -> list[str]:
    if response.status_code != 400 or "json" not in response["Content-Type"]:
        return []
    errors = response.json().get("errors", [])
    return [error["field"] for error in errors if error["code"] == "unknown_parameter"]


def real(path: str) -> str:
    product, category = factories.product(), factories.category()
    for name, value in {
        "{product_id}": product.pk,
        "{image_id}": 1,
        "{part}": 1,
        "{id}": category.pk if "categories" in path else product.pk,
        "{number}": "AAAA-BBBB-CCCC",
        "{name}": "not-found",
        "{slug}": "red-shoe",
        "{provider}": "stripe",
    }.items():
        path = path.replace(name, str(value))
    return path


@pytest.mark.parametrize(("method", "path", "names"), OPERATIONS, ids=[f"{row[0]} {row[1]}" for row in OPERATIONS])
def test_each_operation_knows_the_parameters_of_the_document_alone(
    staff: APIClient, settings: Any, method: str, path: str, names: list[str]
) -> None:
    settings.GUEST_CHECKOUT = True
    send, path = getattr(staff, method), real(path)
    assert unknown(send(f"{path}?colour=red")) == ["colour"]
    known = "&".join(f"{name}=" for name in names if name != "format")
    assert unknown(send(f"{path}?_=1&utm_source=mail&{known}")) == []


def views(patterns: list[Any]) -> set[type]:
    found: set[type] = set()
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            found |= views(pattern.url_patterns)
        elif isinstance(pattern, URLPattern):
            found.add(getattr(pattern.callback, "cls", getattr(pattern.callback, "view_class", object)))
    return found


def test_every_view_of_the_api_checks_its_parameters() -> None:
    assert [
        view
        for view in views(get_resolver().url_patterns)
        if issubclass(view, APIView) and not issubclass(view, KnownParameters)
    ] == []


@pytest.mark.parametrize(
    ("path", "wrong", "nearest"),
    [
        ("/products/", "categry", "category"),
        ("/products/", "max-price", "max_price"),
        ("/products/", "Search", "search"),
        ("/products/facets/", "brands", "brand"),
        ("/categories/", "parents", "parent"),
        ("/categories/", "limitt", "limit"),
        ("/categories/tree/", "fromat", "format"),
    ],
)
def test_the_error_names_the_nearest_parameter(api: APIClient, path: str, wrong: str, nearest: str) -> None:
    body = api.get(path, {wrong: "1"}).json()
    assert body["type"] == "/problems/validation-error"
    [error] = body["errors"]
    assert (error["field"], error["code"]) == (wrong, "unknown_parameter")
    assert repr(nearest) in error["detail"]


def test_each_unknown_parameter_is_one_error_within_bounds(api: APIClient) -> None:
    names = [f"x{number}" for number in range(30)]
    body = api.get("/products/", dict.fromkeys(names, "1")).json()
    assert [error["field"] for error in body["errors"]] == names[:20]
    [error] = api.get("/products/", {"y" * 3_000: "1"}).json()["errors"]
    assert error["field"] == "y" * 100
    assert len(error["detail"]) < 300
    for name in ("null", "a.b", "ä", "0"):
        assert unknown(api.get("/products/", {name: "1"})) == [name]


def test_writes_are_checked_and_nothing_is_written(staff: APIClient) -> None:
    product = factories.product()
    path = f"/products/{product.pk}/"
    for response in (
        staff.post("/products/?dry_run=true", {"name": "Hat", "quantity": 1}),
        staff.patch(f"{path}?force=1", {"name": "Hat"}),
        staff.put(f"{path}?force=1", {"name": "Hat", "quantity": 1}),
        staff.delete(f"{path}?soft=1"),
        staff.patch(f"{path}?limit=1", {"name": "Hat"}),  # known by the list alone
    ):
        assert len(unknown(response)) == 1, response.content
    assert staff.get(path).json()["name"] == "Red shoe"
    assert staff.get("/products/").json()["count"] == 1


def test_who_may_not_call_an_operation_learns_that_first(api: APIClient, customer: APIClient) -> None:
    assert api.get("/orders/?colour=red").status_code == 401
    assert customer.post("/products/?colour=red", {"name": "Hat", "quantity": 1}).status_code == 403
    assert customer.delete("/products/?colour=red").status_code == 405
    assert api.options("/products/?colour=red").status_code == 200
    assert api.head("/products/?colour=red").status_code == 400


@pytest.mark.parametrize("path", PUBLIC)
def test_a_repeated_parameter_is_a_400_and_an_ignored_one_is_not(api: APIClient, path: str) -> None:
    body = api.get(f"{path}?format=json&format=json").json()
    assert [(error["field"], error["code"]) for error in body["errors"]] == [("format", "repeated")]
    assert api.get(f"{path}?_=1&_=2&utm_source=a&utm_source=b&_x=").status_code == 200
    assert api.get(f"{path}?__x&utm=1").status_code == 400


def test_pages_and_health_keep_their_parameters(api: APIClient) -> None:
    assert api.get("/email/confirm/?token=x").status_code == 200
    assert api.get("/password-reset/confirm/?uid=x&token=y").status_code == 200
    assert api.get("/password-reset/confirm/?uid=x&tokn=y").status_code == 400
    assert api.get("/health/ready/?probe=1").status_code == 200
    assert api.get("/api-docs/?script=").status_code == 200
    assert api.get("/api-schema/?format=json&colour=red").status_code == 400
    page = api.get("/products/?colour=red", headers={"Accept": "text/html"})
    assert (page.status_code, page["Content-Type"]) == (400, "text/html; charset=utf-8")
