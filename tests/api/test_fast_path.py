"""The fast path in front of Django answers as Django does."""

from collections.abc import Iterable
from typing import Any

import pytest
from django.core.cache import cache
from django.core.handlers.wsgi import WSGIHandler
from django.test import RequestFactory
from rest_framework.test import APIClient

from productbackend.api import fast_path
from productbackend.api.limits import HEADER_MAX
from products.inventory import stock
from products.models import Product
from products.reads import caching, page_cache
from tests import factories
from tests.observability.metrics.reading import parsed, value
from tests.signing_in import client_of

pytestmark = pytest.mark.django_db(transaction=True)

Answered = tuple[int, dict[str, str], bytes]


class Front:
    """The fast path before Django's application, whose calls are counted."""

    def __init__(self) -> None:
        self.django = WSGIHandler()
        self.calls = 0

    def application(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.calls += 1
        response: Iterable[bytes] = self.django(environ, start_response)
        return response

    def get(self, path: str, *, fast: bool = True, method: str = "GET", **headers: Any) -> Answered:
        given = {"X-Request-ID": "one"} | {name.replace("_", "-"): value for name, value in headers.items()}
        environ = RequestFactory().generic(method, path, headers=given).environ
        begun: list[Any] = []
        application = fast_path.respond if fast else lambda environ, start, django: django(environ, start)
        parts = application(environ, lambda *begin: begun.extend(begin), self.application)
        body = b"".join(parts)
        line, sent = begun
        assert len({name.lower() for name, _ in sent}) == len(sent)
        return int(line.split()[0]), dict(sent), body

    def is_fast(self, path: str, **headers: Any) -> bool:
        """Whether Django is not called; asserts that it would answer the same."""
        before = self.calls
        found = self.get(path, **headers)
        fast = self.calls == before
        assert found == self.get(path, fast=False, **headers)
        return fast


@pytest.fixture
def front(settings: Any) -> Front:
    settings.ALLOWED_HOSTS = ["testserver", "shop.example"]
    settings.CORS_ALLOWED_ORIGINS = ["https://shop.example", "https://m.shop.example"]
    fast_path.recorded.cache_clear()
    return Front()


def warm(front: Front, *paths: str, **headers: Any) -> None:
    """Let the pages be cached, and their answers be recorded."""
    for path in paths * 3:
        front.get(path, **headers)


def test_an_equal_request_is_answered_without_django(front: Front) -> None:
    product = factories.product("Boot")
    paths = ["/products/", f"/products/{product.pk}/", f"/products/by-slug/{product.slug}/", "/products/facets/"]
    paths += ["/categories/", "/categories/tree/", "/products/?search=boot&limit=1", "/families/"]
    warm(front, *paths)
    assert [path for path in paths if not front.is_fast(path)] == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Accept": "application/json"},
        {"Host": "shop.example"},
        {"Host": "SHOP.example:8000"},
        {"Origin": "https://shop.example"},
        {"Origin": "https://m.shop.example"},
        {"Origin": "https://other.example"},
        {"Cookie": "visitor=1"},
        {"If_None_Match": '"other"'},
        {"If_None_Match": "*"},
        {"Guest_Token": "x"},
        {"User_Agent": "x" * 2_000},
        {"Accept_Language": "de"},
        {"Access_Control_Request_Private_Network": "true", "Origin": "https://shop.example"},
        {"X_Forwarded_For": "10.0.0.1"},
    ],
    ids=str,
)
def test_any_request_is_answered_as_django_does(front: Front, headers: dict[str, Any]) -> None:
    factories.product("Boot")
    warm(front, "/products/")
    warm(front, "/products/", **headers)
    assert front.is_fast("/products/", **headers)
    assert front.is_fast("/products/")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Accept": "text/html"}, 200),
        ({"Accept": "text/csv"}, 406),
        ({"Host": "evil.example"}, 400),
        ({"Authorization": "Bearer nonsense"}, 401),
        ({"Authorization": "Basic YTpi"}, 200),
        ({"Cookie": "sessionid=unknown"}, 200),
        ({"Cookie": 'a="\\062"'}, 200),
        ({"Content_Type": "application/json"}, 200),
        ({"Transfer_Encoding": "chunked"}, 411),
        ({"User_Agent": "x" * (HEADER_MAX + 1)}, 431),
        ({"Origin": f"https://{'x' * 2_000}"}, 200),
        ({"method": "HEAD"}, 200),
        ({"method": "POST"}, 401),
        ({"method": "OPTIONS"}, 200),
    ],
    ids=str,
)
def test_other_requests_are_left_to_django(front: Front, headers: dict[str, Any], status: int) -> None:
    factories.product("Boot")
    warm(front, "/products/")
    warm(front, "/products/", **headers)
    before = front.calls
    assert front.get("/products/", **headers)[0] == status
    assert front.calls == before + 1
    assert front.is_fast("/products/")


def test_scheme_and_path_are_told_apart(front: Front, settings: Any) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    for name in "ab":
        factories.product(name)
    path = "/products/?limit=1"
    spellings: list[dict[str, Any]] = [{}, {"X_Forwarded_Proto": "https"}, {"X_Forwarded_Proto": "http"}]
    for headers in spellings:
        warm(front, path, **headers)
        assert front.is_fast(path, **headers)
        scheme = headers.get("X_Forwarded_Proto", "http")
        assert f'"next":"{scheme}://testserver'.encode() in front.get(path, **headers)[2]


def test_a_client_that_has_the_page_gets_a_304(front: Front) -> None:
    product = factories.product("Boot", quantity=5)
    path = f"/products/{product.pk}/"
    warm(front, path)
    tag = front.get(path)[1]["ETag"]
    warm(front, path, If_None_Match=tag)
    status, headers, body = front.get(path, If_None_Match=f'"x", W/{tag}')
    assert (status, headers["ETag"], body) == (304, tag, b"")
    assert front.is_fast(path, If_None_Match=tag)
    stock.adjust(product_id=product.pk, delta=-1, user=None)
    status, headers, body = front.get(path, If_None_Match=tag)
    assert (status, b'"quantity":4' in body) == (200, True)
    assert headers["Content-Length"] == str(len(body))


def test_what_is_written_is_seen_by_the_next_request(front: Front) -> None:
    product = factories.product("Boot", quantity=5)
    paths = ["/products/", f"/products/{product.pk}/"]
    for write in (
        lambda: stock.adjust(product_id=product.pk, delta=-1, user=None),
        lambda: Product.objects.filter(pk=product.pk).update(brand="New"),
        lambda: Product.objects.filter(pk=product.pk).update(is_active=False),
    ):
        warm(front, *paths)
        assert all(front.is_fast(path) for path in paths)
        write()
        assert not any(front.is_fast(path) for path in paths)
    assert front.get(paths[1])[0] == 404


def test_staff_and_anonymous_clients_get_their_own_pages(front: Front) -> None:
    hidden = factories.product("Hidden", is_active=False)
    token = client_of(factories.user("stella", is_staff=True, is_superuser=True))
    assert token.get(f"/products/{hidden.pk}/").status_code == 200
    warm(front, f"/products/{hidden.pk}/", "/products/")
    assert front.get(f"/products/{hidden.pk}/")[0] == 404
    assert front.is_fast("/products/")
    assert b"Hidden" not in front.get("/products/")[2]


def test_each_answer_has_its_own_request_id_and_log_line(front: Front, caplog: Any) -> None:
    product = factories.product("Boot")
    path = f"/products/{product.pk}/"
    warm(front, path)
    caplog.set_level("INFO", logger="productbackend.access")
    for given in ("two", "not well-formed", ""):
        caplog.clear()
        before = front.calls
        own = front.get(path, X_Request_ID=given)[1]["X-Request-ID"]
        assert front.calls == before
        assert own == given if given == "two" else len(own) == 32
        [record] = caplog.records
        assert record.getMessage() == f"GET {path} 200"
        fields = {"method": "GET", "route": "/products/{id}/", "path": path, "status": 200, "cache": "hit"}
        assert record.fields == fields


def test_requests_are_counted(front: Front, api: APIClient) -> None:
    factories.product("Boot")
    warm(front, "/products/")
    tag = front.get("/products/")[1]["ETag"]
    warm(front, "/products/", If_None_Match=tag)
    before = parsed(api.get("/metrics").content.decode())
    for _ in range(3):
        front.get("/products/")
    front.get("/products/", If_None_Match=tag)
    after = parsed(api.get("/metrics").content.decode())
    for name, labels, number in (
        ("http_requests_total", {"route": "/products/", "status": 200}, 3),
        ("http_requests_total", {"route": "/products/", "status": 304}, 1),
        ("http_request_duration_seconds_count", {"route": "/products/"}, 4),
        ("catalogue_reads_total", {"result": "hit"}, 3),
        ("catalogue_reads_total", {"result": "not_modified"}, 1),
    ):
        counted = value(after, f"productbackend_{name}", **labels) - value(before, f"productbackend_{name}", **labels)
        assert counted == number, name


def test_django_answers_while_the_cache_is_unreachable(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise ConnectionRefusedError

    factories.product("Boot")
    warm(front, "/products/")
    monkeypatch.setattr(caching, "cache_breaker", caching.CacheBreaker())
    monkeypatch.setattr(type(cache), "get_many", refuse, raising=False)
    before = front.calls
    assert front.get("/products/")[0] == 200
    assert front.calls == before + 1


def test_a_page_that_is_no_longer_cached_is_rendered(front: Front) -> None:
    factories.product("Boot")
    warm(front, "/products/")
    cache.clear()
    assert not front.is_fast("/products/")


def test_an_answer_of_another_page_is_never_sent(front: Front) -> None:
    first, second = (factories.product(name) for name in ("Boot", "Hat"))
    paths = [f"/products/{each.pk}/" for each in (first, second)]
    warm(front, *paths)
    for path, name in zip(paths * 2, ["Boot", "Hat"] * 2, strict=True):
        assert front.is_fast(path)
        assert f'"name":"{name}"'.encode() in front.get(path)[2]


def test_answers_of_few_requests_are_recorded(front: Front) -> None:
    factories.product("Boot")
    for number in range(fast_path.RECORDED_MAX + 50):
        front.get(f"/products/?limit=1&_={number}")
    assert fast_path.recorded.cache_info().currsize == fast_path.RECORDED_MAX
    assert page_cache.QUERY_MAX == fast_path.VALUE_MAX
