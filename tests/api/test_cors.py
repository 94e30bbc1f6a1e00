"""Pages of other origins: CORS headers on every response, and preflight requests."""

import re
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from productbackend import environment
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]

SHOP, LOCAL, STRANGER = "https://shop.example.com", "http://localhost:5173", "https://shop.example.com.evil.example"
ALLOWED_HEADERS = {
    "authorization", "content-type", "if-match", "if-none-match", "idempotency-key", "guest-token", "prefer",
    "x-request-id",
}  # fmt: skip
EXPOSED_HEADERS = {
    "etag", "location", "retry-after", "idempotent-replayed", "api-version", "x-request-id", "www-authenticate",
}  # fmt: skip


@pytest.fixture
def browser(settings: Any) -> Client:
    settings.CORS_ALLOWED_ORIGINS = [SHOP, LOCAL]
    return Client(raise_request_exception=False)


def preflight(client: Client, path: str, origin: str = SHOP, method: str = "POST") -> Any:
    headers = {"Origin": origin, "Access-Control-Request-Method": method}
    return client.options(path, headers=headers | {"Access-Control-Request-Headers": "authorization,guest-token"})


def names(answer: Any, header: str) -> set[str]:
    return {name.strip().lower() for name in answer.get(header, "").split(",")}


def test_a_preflight_needs_no_database_and_no_throttle(browser: Client, settings: Any) -> None:
    for path in ("/products/", "/token/", "/carts/1/checkout/", "/nowhere/"):
        for _ in range(40):  # more than the throttle of /token/ allows
            with CaptureQueriesContext(connection) as queries:
                answer = preflight(browser, path)
            assert answer.status_code == 200
            assert not queries.captured_queries
    assert answer["Access-Control-Allow-Origin"] == SHOP
    assert names(answer, "Access-Control-Allow-Headers") == ALLOWED_HEADERS
    assert names(answer, "Access-Control-Allow-Methods") >= {"get", "post", "put", "patch", "delete"}
    assert answer["Access-Control-Max-Age"] == "86400"
    assert "Access-Control-Allow-Credentials" not in answer
    assert answer["X-Request-ID"]
    assert "private" in answer["Cache-Control"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/products/", 200),
        ("/nowhere/", 404),
        ("/account/", 401),
        ("/products/?limit=x", 400),
        ("/api-schema/", 200),
        ("/favicon.ico", 200),
        ("/media/nothing", 404),
    ],
)
def test_every_response_has_the_headers(browser: Client, path: str, status: int) -> None:
    for origin in (SHOP, LOCAL):
        answer = browser.get(path, headers={"Origin": origin, "Accept": "application/json"})
        assert answer.status_code == status
        assert answer["Access-Control-Allow-Origin"] == origin
        assert names(answer, "Access-Control-Expose-Headers") == EXPOSED_HEADERS
        assert "origin" in names(answer, "Vary")
        assert "Access-Control-Allow-Credentials" not in answer


def test_a_500_has_the_headers(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr("products.api.views.ProductViewSet.list", fail)
    answer = browser.get("/products/", headers={"Origin": SHOP})
    assert answer.status_code == 500
    assert answer["Access-Control-Allow-Origin"] == SHOP


@pytest.mark.parametrize("origin", [STRANGER, "null", "http://shop.example.com", "http://localhost", "x", "//", ""])
def test_other_origins_get_no_header(browser: Client, origin: str) -> None:
    for answer in (browser.get("/products/", headers={"Origin": origin}), preflight(browser, "/products/", origin)):
        assert not [name for name in answer.headers if name.startswith("Access-Control-")]
        assert "origin" in names(answer, "Vary")


@pytest.mark.django_db(transaction=True)
def test_a_cached_page_serves_every_origin_with_its_own_header(browser: Client) -> None:
    factories.product()
    cache.clear()
    for _ in range(2):  # the second request caches the page
        first = browser.get("/products/", headers={"Origin": SHOP})
    with CaptureQueriesContext(connection) as queries:
        for origin, allowed in ((LOCAL, LOCAL), (STRANGER, None), (SHOP, SHOP), (None, None)):
            headers = {"Origin": origin} if origin else {}
            answer = browser.get("/products/", headers=headers)
            assert answer.content == first.content
            assert answer.get("Access-Control-Allow-Origin") == allowed
            assert "origin" in names(answer, "Vary")
            unchanged = browser.get("/products/", headers=headers | {"If-None-Match": first["ETag"]})
            assert unchanged.status_code == 304
            assert unchanged.get("Access-Control-Allow-Origin") == allowed
            assert "origin" in names(unchanged, "Vary")
    assert not queries.captured_queries


def test_without_the_setting_nothing_changes(settings: Any) -> None:
    client = Client()
    answer = client.get("/products/", headers={"Origin": SHOP})
    assert not [name for name in answer.headers if name.startswith("Access-Control-")]
    assert "origin" not in names(answer, "Vary")
    assert preflight(client, "/products/")["Allow"]  # as any OPTIONS request


@pytest.mark.parametrize(
    "raw",
    [
        "shop.example.com",
        "https://shop.example.com/",
        "*",
        "https://a.example/path",
        "https://a.example:443",
        "ftp://a",
    ],
)
def test_a_setting_that_is_no_origin_is_refused(raw: str) -> None:
    with pytest.raises(ValueError, match=r"origin|port"):
        environment.origins(f"http://localhost:5173,{raw}")


def test_localhost_stands_for_any_port_of_it() -> None:
    assert environment.origins("https://shop.example.com,localhost") == ["https://shop.example.com", "localhost"]
    for origin in ("http://localhost", "http://localhost:5173", "http://127.0.0.1:3000"):
        assert re.match(environment.LOCALHOST_ORIGIN, origin)
    for origin in (
        "http://localhost.evil.example",
        "http://localhost:5173.evil.example",
        "https://localhost:x",
        "localhost",
    ):
        assert not re.match(environment.LOCALHOST_ORIGIN, origin)
