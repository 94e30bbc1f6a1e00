"""The page cache: a hit needs no query, private and stale pages are not served."""

import zlib
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from products.models import Product
from products.reads import page_cache, page_entry
from tests import factories
from tests.products import pictures
from tests.products.reads.pages import fill
from tests.queries import queries

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("store")]


def test_a_hit_is_the_same_response_without_a_query(api: APIClient) -> None:
    product = factories.product()
    for path in ("/products/", f"/products/{product.pk}/", "/products/facets/", "/categories/"):
        api.get(path)
        first = api.get(path, headers={"X-Request-ID": "one"})
        with CaptureQueriesContext(connection) as captured:
            second = api.get(path, headers={"X-Request-ID": "two"})
        assert len(captured) == 0
        assert second.content == first.content
        assert second["X-Request-ID"] == "two"
        assert dict(second.items()) == dict(first.items()) | {"X-Request-ID": "two"}
        assert second["Cache-Control"] == "public, no-cache"
        assert second["Vary"] == "Accept, Authorization, Cookie"


def test_a_304_is_the_same_from_the_cache_as_from_the_view(api: APIClient, settings: Any) -> None:
    factories.product()
    session = {"Cookie": f"{settings.SESSION_COOKIE_NAME}=unknown"}
    tag = api.get("/products/", headers=session)["ETag"]
    known = {"If-None-Match": f"W/{tag}", "X-Request-ID": "one"}
    plain = api.get("/products/", headers=known | session)
    api.get("/products/", headers=known)
    miss, cached = api.get("/products/", headers=known), api.get("/products/", headers=known)
    for response in (miss, cached):
        assert (response.status_code, response.content) == (304, b"")
        assert dict(response.items()) == dict(plain.items())
    assert queries(api, "/products/", **known) == 0
    assert api.get("/products/", headers={"If-None-Match": '"other"'}).status_code == 200


def test_only_json_for_anonymous_clients_is_cached(api: APIClient, customer: APIClient) -> None:
    factories.product()
    fill(api, "/products/")
    assert queries(customer, "/products/") > 0
    assert queries(api, "/products/", Cookie="a=b; sessionid=unknown") > 0
    assert queries(api, "/products/?format=json") > 0
    assert "text/html" in APIClient().get("/products/", headers={"Accept": "text/html"})["Content-Type"]
    assert "text/html" not in api.get("/products/")["Content-Type"]
    assert api.get("/products/", headers={"Accept": "text/plain"}).status_code == 406
    assert queries(api, "/products/", Accept="application/json, text/plain, */*;q=0.5") == 0


def test_ignored_parameters_neither_fill_the_cache_nor_miss_it(api: APIClient) -> None:
    for name in "ab":
        factories.product(name)
    fill(api, "/products/?utm_medium=mail&limit=1")
    first = api.get("/products/?limit=1&utm_source=mail")
    assert "utm_source" not in first.json()["next"]
    assert queries(api, "/products/?_=1&limit=1&utm_term=2&utm_term=3") == 0
    assert api.get("/products/?limit=1&limit=1").status_code == 400
    assert api.get("/products/?limit=2&utm_source=mail").json()["next"] is None
    product = Product.objects.all()[0]
    fill(api, f"/products/{product.pk}/")
    assert queries(api, f"/products/{product.pk}/?_=1") == 0
    for path in ("/products/?limit=1&x=1", f"/products/{product.pk}/?limit=1"):
        assert api.get(path).json()["errors"][0]["code"] == "unknown_parameter"
    text = "%C3%A9" * 90
    long = f"/products/?name={text}&brand={text}"  # of more than 1,000 characters
    fill(api, long)
    assert queries(api, long) > 0


def test_the_cache_key_depends_on_host_and_scheme(api: APIClient, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["one.example", "two.example"]
    for name in "ab":
        factories.product(name)
    links = [api.get("/products/?limit=1", headers={"Host": host}).json()["next"] for host in settings.ALLOWED_HOSTS]
    assert [link.split("/")[2] for link in links] == settings.ALLOWED_HOSTS
    secure = api.get("/products/?limit=1", headers={"Host": "one.example"}, secure=True).json()["next"]
    assert secure.startswith("https://one.example/")
    assert api.get("/products/", headers={"Host": "evil.example"}).status_code == 400


def test_errors_are_not_cached(api: APIClient) -> None:
    assert api.get("/products/1000000/").status_code == 404
    assert api.get("/products/?ordering=colour").status_code == 400
    assert queries(api, "/products/1000000/") > 0
    assert "no-store" in api.get("/products/?ordering=colour")["Cache-Control"]


def pages_in_cache() -> list[bytes]:
    """The cached pages, without the markers of pages that were requested once."""
    if settings.REDIS_HOST:
        client = redis.Redis.from_url(str(settings.CACHES["default"]["LOCATION"]))
        values: list[Any] = [client.get(key) for key in client.keys("*")]
    else:
        files = Path(str(settings.CACHES["default"]["LOCATION"])).glob("*.djcache")
        values = [zlib.decompress(file.read_bytes().partition(b"\n")[2]) for file in files]
    return [value for value in values if value.startswith(b"\x00")]


def test_a_page_that_is_requested_once_is_not_cached(api: APIClient) -> None:
    factories.product()
    for number in range(5):
        api.get(f"/products/?min_quantity={number}")
    assert pages_in_cache() == []
    assert queries(api, "/products/?min_quantity=1") > 0
    assert len(pages_in_cache()) == 1
    assert queries(api, "/products/?min_quantity=1") == 0


def test_a_page_that_is_too_large_is_not_cached(api: APIClient) -> None:
    for name in ("a", "b"):
        factories.product(name, description="x" * (page_cache.PAGE_MAX // 2))
    fill(api, "/products/", "/products/?limit=1")
    assert queries(api, "/products/") > 0
    assert queries(api, "/products/?limit=1") == 0


def test_ports_and_spellings_of_the_host_share_a_cached_page(api: APIClient) -> None:
    text = 'Not a link: "next":"http://testserver:1/", http://testserver:1/'
    for name in ("a", "b"):
        pictures.add(factories.product(name, description=text))
    fill(api, "/products/?limit=1&offset=1")
    for host in ("testserver:1", "testserver:65000", "TestServer", "testserver.:1", "testserver"):
        headers = {"Host": host, "X-Forwarded-Host": "evil.example", "X-Request-ID": "one"}
        with CaptureQueriesContext(connection) as captured:
            cached = api.get("/products/?limit=1&offset=1", headers=headers)
        assert len(captured) == 0
        uncached = api.get("/products/?limit=1&offset=1", headers=headers | {"Accept": "application/json, text/csv"})
        assert f'"previous":"http://{host}/products/' in cached.content.decode()
        assert (cached.content, dict(cached.items())) == (uncached.content, dict(uncached.items()))
    assert len(pages_in_cache()) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"Cookie": "a=b; xsessionid=c"},
        {"Cookie": "sessionid="},
        {"Authorization": "Basic YTpi"},
        {"Authorization": "x"},
    ],
)
def test_requests_that_name_no_account_use_the_cache(api: APIClient, headers: dict[str, str]) -> None:
    factories.product()
    fill(api, "/products/")
    assert queries(api, "/products/", **headers) == 0


def test_the_key_of_a_page_changes_with_the_code_and_its_settings(settings: Any, tmp_path: Path) -> None:
    assert page_entry.release() == page_entry.RELEASE
    settings.MEDIA_URL = "https://images.example/"
    assert page_entry.release() != page_entry.RELEASE
    settings.MEDIA_URL = "/media/"
    settings.BASE_DIR = tmp_path
    assert page_entry.release() != page_entry.RELEASE
