"""Every error is a problem document, whatever went wrong and wherever."""

from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from rest_framework.test import APIClient

from productbackend.api.problems import PROBLEMS
from tests import factories

pytestmark = pytest.mark.django_db


def check(answer: Any, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["Cache-Control"].startswith(("private", "no-store"))
    body = answer.json()
    assert body["type"] == f"/problems/{code}"
    assert body["status"] == status
    assert body["title"] == PROBLEMS[code].title
    assert body["detail"]
    return body


def test_an_unknown_path(api: APIClient) -> None:
    for method in ("get", "post", "put", "patch", "delete"):
        check(getattr(api, method)("/nowhere/"), 404, "not-found")
    check(api.get("/products/x/"), 404, "not-found")
    check(api.get("/products/99999999999999999999/"), 404, "not-found")
    check(api.get("/products/999999999999999999/"), 404, "not-found")


def test_a_path_without_its_slash_is_named(api: APIClient) -> None:
    answer = api.get("/products?limit=2")
    assert (answer.status_code, answer["Location"]) == (301, "/products/?limit=2")
    assert "/register/" in check(api.post("/register", {}), 404, "not-found")["detail"]
    check(api.get("/nowhere"), 404, "not-found")


def test_a_method_that_is_not_allowed(api: APIClient, staff: APIClient) -> None:
    check(staff.put("/products/", {}), 405, "method-not-allowed")
    answer = staff.delete("/orders/")
    check(answer, 405, "method-not-allowed")
    assert "GET" in answer["Allow"]
    check(api.post("/health/live/"), 405, "method-not-allowed")


def test_a_body_that_cannot_be_read(api: APIClient, staff: APIClient) -> None:
    for body in (b"{", b"\xff\xfe", b'{"a": NaN}', b"[" * 100_000, b'{"username": "\\ud800"}'):
        check(api.post("/register/", body, content_type="application/json"), 400, "malformed")
    check(staff.post("/products/", b"a=1", content_type="text/plain"), 415, "unsupported-media-type")


@pytest.mark.parametrize("body", [None, [], "text", 3, [{"username": "x"}]])
def test_a_body_of_the_wrong_shape(api: APIClient, body: Any) -> None:
    for path in ("/register/", "/token/", "/token/refresh/", "/password-reset/"):
        errors = check(api.post(path, body, format="json"), 400, "validation-error")["errors"]
        assert all(set(error) == {"field", "code", "detail"} for error in errors)


def test_nothing_that_it_serves_is_accepted(api: APIClient) -> None:
    check(api.get("/products/", headers={"Accept": "image/png"}), 406, "not-acceptable")
    check(api.get("/products/?format=xml"), 406, "not-acceptable")
    assert api.get("/products/", headers={"Accept": "application/problem+json"}).status_code == 200


def test_a_body_that_is_too_large(api: APIClient) -> None:
    body = b'{"username": "%s"}' % (b"x" * 1_000_000)
    check(api.post("/register/", body, content_type="application/json"), 413, "too-large")


def test_a_token_that_is_missing_doubled_or_broken(api: APIClient) -> None:
    answer = api.get("/account/")
    check(answer, 401, "not-authenticated")
    assert answer["WWW-Authenticate"].startswith("Bearer")
    doubled = check(api.get("/account/", headers={"Authorization": "Bearer Bearer x"}), 401, "not-authenticated")
    assert "twice" in doubled["detail"]
    check(api.get("/products/", headers={"Authorization": "Bearer nonsense"}), 401, "not-authenticated")


def test_a_session_without_its_csrf_token() -> None:
    factories.user("stella", is_staff=True, is_superuser=True)
    browser = Client(enforce_csrf_checks=True)
    assert browser.login(username="stella", password=factories.PASSWORD)
    check(browser.post("/products/", {}, content_type="application/json"), 403, "forbidden")


def test_a_failure_of_ours_shows_nothing_of_it(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("the secret query")

    monkeypatch.setattr("products.views.ProductViewSet.get_queryset", fail)
    answer = api.get("/products/")
    check(answer, 500, "internal-error")
    assert b"secret" not in answer.content


def test_a_database_that_is_away(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise OperationalError(2013, "Lost connection to server")

    monkeypatch.setattr("products.views.ProductViewSet.get_queryset", fail)
    answer = api.get("/products/")
    check(answer, 503, "unavailable")
    assert int(answer["Retry-After"]) > 0


def test_a_browser_gets_a_page(api: APIClient) -> None:
    html = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    for path, status in (("/nowhere/", 404), ("/account/", 401), ("/products/", 200), ("/", 200), ("/problems/", 200)):
        answer = api.get(path, headers=html)
        assert answer.status_code == status
        assert answer["Content-Type"].startswith("text/html"), path


def test_every_problem_has_its_page(api: APIClient) -> None:
    rows = api.get("/problems/").json()["results"]
    assert [row["type"] for row in rows] == [f"/problems/{code}" for code in PROBLEMS]
    for row in rows:
        assert api.get(row["type"], follow=True).json() == row
    check(api.get("/problems/unheard-of/"), 404, "not-found")


def test_a_request_id_is_the_clients_own_where_it_is_harmless(api: APIClient) -> None:
    assert api.get("/", headers={"X-Request-ID": "a-B_1."})["X-Request-ID"] == "a-B_1."
    for bad in ("", "a b", "x" * 129, "ä"):
        given = api.get("/nowhere/", headers={"X-Request-ID": bad})["X-Request-ID"]
        assert given
        assert given != bad


def test_options_answers_everywhere(staff: APIClient) -> None:
    factories.product()
    for path in (
        "/",
        "/products/",
        "/products/1/images/order/",
        "/email/confirm/",
        "/email/confirm/?format=html",
        "/password-reset/confirm/",
        "/carts/",
    ):
        assert staff.options(path).status_code == 200, path
