"""Every error is a problem document."""

import base64
from itertools import product
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from rest_framework.test import APIClient

from productbackend.api import gunicorn_worker
from productbackend.api.problem_types import PROBLEMS
from tests import factories
from tests.openapi import DOCUMENT

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


def test_a_path_without_its_slash(api: APIClient) -> None:
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
    for body in (b"{", b"\xff\xfe", b'{"a": NaN}', b"[" * 9_000, b'{"username": "\\ud800"}'):
        check(api.post("/register/", body, content_type="application/json"), 400, "malformed")
    check(staff.post("/products/", b"a=1", content_type="text/plain"), 415, "unsupported-media-type")


@pytest.mark.parametrize("body", [None, [], "text", 3, [{"username": "x"}]])
def test_a_body_of_the_wrong_shape(api: APIClient, body: Any) -> None:
    for path in ("/register/", "/token/", "/token/refresh/", "/password-reset/"):
        errors = check(api.post(path, body, format="json"), 400, "validation-error")["errors"]
        assert all(set(error) == {"field", "code", "detail"} for error in errors)


def test_an_accept_header_without_a_supported_type_is_a_406(api: APIClient) -> None:
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


def test_a_500_reveals_nothing(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("the secret query")

    monkeypatch.setattr("products.api.views.page", fail)
    answer = api.get("/products/")
    check(answer, 500, "internal-error")
    assert b"secret" not in answer.content


def test_an_unreachable_database_is_a_503(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise OperationalError(2013, "Lost connection to server")

    monkeypatch.setattr("products.api.views.page", fail)
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
    assert {row["type"] for row in rows} == {f"/problems/{code}" for code in PROBLEMS}
    statuses = [row["status"] for row in rows]
    assert statuses == sorted(statuses)
    for row in rows:
        assert api.get(row["type"], follow=True).json() == row
    check(api.get("/problems/unheard-of/"), 404, "not-found")


def test_a_well_formed_request_id_of_the_client_is_used(api: APIClient) -> None:
    assert api.get("/", headers={"X-Request-ID": "a-B_1."})["X-Request-ID"] == "a-B_1."
    for bad in ("", "a b", "x" * 129, "ä"):
        given = api.get("/nowhere/", headers={"X-Request-ID": bad})["X-Request-ID"]
        assert given
        assert given != bad


EVERY_PATH = [
    path.replace("{product_id}", "1").replace("{image_id}", "1").replace("{id}", "1").replace("{name}", "not-found")
    for path in (path.replace("{provider}", "stripe").replace("{part}", "1") for path in DOCUMENT["paths"])
]
BESIDE = [
    "/api-docs/",
    "/api-docs/?script=",
    "/api-schema/",
    "/metrics",
    "/admin/",
    "/media/x.jpg",
    "/static/x.js",
    "/no/",
]


@pytest.mark.parametrize("accept", ["application/json", "text/html,*/*;q=0.8", "image/png", ""])
def test_options_works_everywhere(staff: APIClient, accept: str, with_guests: None) -> None:
    factories.product()
    for path in [*EVERY_PATH, *BESIDE, "/email/confirm/?format=html"]:
        answer = staff.options(path, headers={"Accept": accept} if accept else {})
        assert answer.status_code < 500, path
        if path not in BESIDE and "{number}" not in path and accept in ("application/json", ""):
            assert answer.status_code == 200 or "images/1/" in path or "html" in path, (path, answer.content)


def test_views_without_json_respond_with_problem_documents(api: APIClient) -> None:
    for path in (
        "/api-docs/",
        "/api-schema/",
        "/health/live/",
        "/health/ready/",
        "/problems/",
        "/",
        "/problems/malformed/",
    ):
        check(api.post(path), 405, "method-not-allowed")
        check(api.delete(path, headers={"Accept": "*/*"}), 405, "method-not-allowed")
        check(api.get(path, headers={"Accept": "image/png"}), 406, "not-acceptable")
    for path in ("/email/confirm/", "/password-reset/confirm/"):
        check(api.put(path, {}), 405, "method-not-allowed")
        check(api.get(path, headers={"Accept": "image/png"}), 406, "not-acceptable")
        assert api.get(path).status_code == 200
    assert "openapi" in api.get("/api-schema/")["Content-Type"]
    assert api.get("/api-docs/")["Content-Type"].startswith("text/html")
    page = api.post("/api-docs/", headers={"Accept": "text/html"})
    assert (page.status_code, page["Content-Type"]) == (405, "text/html; charset=utf-8")


def test_an_unknown_host_is_a_400_with_a_remedy(api: APIClient) -> None:
    detail = check(api.get("/products/", headers={"Host": "evil.example"}), 400, "malformed")["detail"]
    assert "ALLOWED_HOSTS" in detail
    assert "testserver" not in detail


@pytest.mark.usefixtures("gauges_only")
def test_metrics_require_an_allowed_host(api: APIClient) -> None:
    """DNS rebinding: a page of another site could make a browser in the network send requests with its host name."""
    for host in ("web:8000", "10.0.0.7:8000", "[fd00::7]:8000", "localhost", "testserver"):
        assert b"# HELP" in api.get("/metrics", headers={"Host": host}).content, host
    for host in ("evil.example", "evil.example:8000", "10.0.0.7.evil.example", "web."):
        assert b"ALLOWED_HOSTS" in api.get("/metrics", headers={"Host": host}).content, host


def test_the_detail_of_a_bad_token(api: APIClient) -> None:
    nested = base64.urlsafe_b64encode(b"[" * 3_000).decode().rstrip("=")
    tokens = ("nonsense", "a.b.c", f"{nested}.e30.x", "eyJhbGciOiJub25lIn0.e30.", "x" * 8_000)
    for path, token in product(("/products/", "/products/1/", "/categories/", "/account/", "/carts/"), tokens):
        answer = api.get(path, headers={"Authorization": f"Bearer {token}"})
        detail = check(answer, 401, "not-authenticated")["detail"]
        assert "/token/" in detail
        assert "header out" in detail
        assert answer["WWW-Authenticate"].startswith("Bearer")
    check(api.post("/token/refresh/", {"refresh": f"{nested[:3000]}.e30.x"}), 401, "not-authenticated")


def test_gunicorns_problems_are_in_the_table() -> None:
    for status, (code, title, _) in gunicorn_worker.PROBLEMS.items():
        assert (PROBLEMS[code].status, PROBLEMS[code].title) == (status, title)


def test_rejections_by_django_have_a_detail(client: Client, settings: Any) -> None:
    client.force_login(factories.user("stella", is_staff=True, is_superuser=True))
    path = "/admin/products/category/add/"

    def refused(data: Any, content_type: str = "application/x-www-form-urlencoded") -> str:
        answer = client.post(path, data, content_type=content_type, headers={"Accept": "application/json"})
        assert answer.status_code in (400, 413), answer.content
        assert answer["Content-Type"] == "application/problem+json"
        return str(answer.json()["detail"])

    assert "6000 fields" in refused("a=1&" * 6_010)
    assert "150000 bytes" in refused("a" * 200_000)
    assert "boundary" in refused(b"--x", "multipart/form-data").lower()
    file = b'--x\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\na\r\n'
    assert "100 files" in refused(file * 105 + b"--x--", "multipart/form-data; boundary=x")
    text = b'--x\r\nContent-Disposition: form-data; name="f"\r\n\r\n' + b"a" * 1_100_000 + b"\r\n--x--"
    assert "1 MB" in refused(text, "multipart/form-data; boundary=x")
    assert "Content-Length" in client.post(path, {}, HTTP_TRANSFER_ENCODING="chunked").json()["detail"]
