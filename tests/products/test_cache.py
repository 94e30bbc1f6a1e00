"""Kept pages: a hit costs no query, what must not be kept is not, and none that is old is given out."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from redis.exceptions import ConnectionError as RedisConnectionError
from rest_framework.test import APIClient

from products import caching, images, page_cache, stock
from products.models import Product
from products.views import ProductViewSet
from tests import factories
from tests.products import pictures

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("store")]


def queries(client: APIClient, path: str, **headers: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        client.get(path, headers=headers)
    return len(captured)


def test_a_hit_is_the_same_answer_without_a_query(api: APIClient) -> None:
    product = factories.product()
    for path in ("/products/", f"/products/{product.pk}/", "/products/facets/", "/categories/"):
        first = api.get(path, headers={"X-Request-ID": "one"})
        with CaptureQueriesContext(connection) as captured:
            second = api.get(path, headers={"X-Request-ID": "two"})
        assert len(captured) == 0
        assert second.content == first.content
        assert second["X-Request-ID"] == "two"
        assert dict(second.items()) == dict(first.items()) | {"X-Request-ID": "two"}
        assert second["Cache-Control"] == "public, no-cache"
        assert second["Vary"] == "Accept, Authorization, Cookie"


def test_a_304_is_the_same_from_the_cache_as_from_the_view(api: APIClient) -> None:
    factories.product()
    tag = api.get("/products/", headers={"Cookie": "seen=1"})["ETag"]
    known = {"If-None-Match": f"W/{tag}", "X-Request-ID": "one"}
    plain = api.get("/products/", headers=known | {"Cookie": "seen=1"})
    making, kept = api.get("/products/", headers=known), api.get("/products/", headers=known)
    for answer in (making, kept):
        assert (answer.status_code, answer.content) == (304, b"")
        assert dict(answer.items()) == dict(plain.items())
    assert queries(api, "/products/", **known) == 0
    assert api.get("/products/", headers={"If-None-Match": '"other"'}).status_code == 200


def test_what_is_not_an_anonymous_clients_json_is_not_kept(api: APIClient, customer: APIClient) -> None:
    factories.product()
    api.get("/products/")
    assert queries(customer, "/products/") > 0
    assert queries(api, "/products/", Cookie="a=b") > 0
    assert queries(api, "/products/?format=json") > 0
    assert "text/html" in APIClient().get("/products/", headers={"Accept": "text/html"})["Content-Type"]
    assert "text/html" not in api.get("/products/")["Content-Type"]
    assert api.get("/products/", headers={"Accept": "text/plain"}).status_code == 406
    assert queries(api, "/products/", Accept="application/json, text/plain, */*;q=0.5") == 0


def test_unknown_parameters_neither_fill_the_cache_nor_miss_it(api: APIClient) -> None:
    for name in "ab":
        factories.product(name)
    first = api.get("/products/?limit=1&utm_source=mail")
    assert "utm_source" not in first.json()["next"]
    assert queries(api, "/products/?x=1&limit=1&y=2") == 0
    assert api.get("/products/?limit=1&limit=1").status_code == 400
    assert api.get("/products/?limit=2&utm_source=mail").json()["next"] is None
    product = Product.objects.all()[0]
    api.get(f"/products/{product.pk}/")
    assert queries(api, f"/products/{product.pk}/?limit=1") == 0
    assert queries(api, "/products/?search=" + "a" * 2000) > 0
    assert queries(api, "/products/?search=" + "a" * 2000) > 0


def test_the_key_has_host_and_scheme_in_it(api: APIClient, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["one.example", "two.example"]
    for name in "ab":
        factories.product(name)
    links = [api.get("/products/?limit=1", headers={"Host": host}).json()["next"] for host in settings.ALLOWED_HOSTS]
    assert [link.split("/")[2] for link in links] == settings.ALLOWED_HOSTS
    secure = api.get("/products/?limit=1", headers={"Host": "one.example"}, secure=True).json()["next"]
    assert secure.startswith("https://one.example/")
    assert api.get("/products/", headers={"Host": "evil.example"}).status_code == 400


def test_errors_are_not_kept(api: APIClient) -> None:
    assert api.get("/products/1000000/").status_code == 404
    assert api.get("/products/?ordering=colour").status_code == 400
    assert queries(api, "/products/1000000/") > 0
    assert "no-store" in api.get("/products/?ordering=colour")["Cache-Control"]


def test_a_sale_leaves_the_pages_that_do_not_show_its_product(api: APIClient) -> None:
    sold, other = factories.product("a"), factories.product("b")
    kept = [f"/products/{other.pk}/", "/products/?name=b", "/products/facets/", "/categories/"]
    gone = [
        f"/products/{sold.pk}/",
        "/products/",
        "/products/?in_stock=true&name=b",
        "/products/?ordering=-quantity&name=b",
    ]
    for path in [*kept, *gone]:
        api.get(path)
    stock.adjust(product_id=sold.pk, delta=-1, user=None)
    assert [path for path in kept if queries(api, path)] == []
    assert [path for path in gone if not queries(api, path)] == []
    assert [path for path in gone if queries(api, path)] == []


def test_pictures_leave_the_pages_that_do_not_show_their_product(api: APIClient) -> None:
    pictured, other = factories.product("a"), factories.product("b")
    kept = [f"/products/{other.pk}/", "/products/?name=b", "/products/facets/", "/categories/"]
    shown = [f"/products/{pictured.pk}/", "/products/"]
    for path in [*kept, *shown]:
        api.get(path)
    image, _ = images.add(product_id=pictured.pk, file=pictures.upload(pictures.jpeg()))
    assert [path for path in [*kept, *shown] if queries(api, path)] == []
    images.process(image.pk)
    assert [path for path in kept if queries(api, path)] == []
    assert [path for path in shown if not queries(api, path)] == []


def test_a_write_that_is_rolled_back_moves_nothing(api: APIClient) -> None:
    product = factories.product()
    api.get("/products/")
    with transaction.atomic():
        Product.objects.filter(pk=product.pk).update(price="2.00")
        stock.adjust(product_id=product.pk, delta=-1, user=None)
        assert api.get("/products/").json()["results"][0]["price"] == "2.00"  # its own reads are not kept
        transaction.set_rollback(True)
    assert queries(api, "/products/") == 0
    assert api.get("/products/").json()["results"][0]["price"] == "19.90"


@pytest.fixture
def during(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], None]:
    """Have something happen after the view read the database, and before its page is kept."""

    def arrange(event: Callable[[], Any]) -> None:
        view = ProductViewSet.list

        def slow(self: Any, *args: Any, **kwargs: Any) -> Any:
            response = view(self, *args, **kwargs)
            event()
            return response

        monkeypatch.setattr(ProductViewSet, "list", slow)

    return arrange


@pytest.mark.parametrize("path", ["/products/", "/products/?in_stock=true"])
@pytest.mark.parametrize("what", ["sale", "name", "picture"])
def test_a_page_that_was_written_to_while_it_was_made_is_not_kept(
    api: APIClient, during: Any, monkeypatch: pytest.MonkeyPatch, path: str, what: str
) -> None:
    product = factories.product()
    image, _ = images.add(product_id=product.pk, file=pictures.upload(pictures.jpeg()))

    def sell() -> None:
        stock.adjust(product_id=product.pk, delta=-1, user=None)

    def rename() -> None:
        Product.objects.filter(pk=product.pk).update(name="Renamed")

    with monkeypatch.context():
        during({"sale": sell, "name": rename, "picture": lambda: images.process(image.pk)}[what])
        api.get(path)
    monkeypatch.undo()
    row = api.get(path).json()["results"][0]
    assert (row["quantity"], row["name"], len(row["images"])) == {
        "sale": (9, "Red shoe", 0),
        "name": (10, "Renamed", 0),
        "picture": (10, "Red shoe", 1),
    }[what]


def test_a_page_that_many_ask_for_is_made_once(during: Any) -> None:
    factories.product()
    made, answers = [], []
    barrier = threading.Barrier(8)

    def event() -> None:
        made.append(1)
        threading.Event().wait(0.2)

    during(event)

    def ask() -> None:
        barrier.wait()
        answers.append(APIClient().get("/products/").content)
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(answers), len(set(answers)), len(made)) == (8, 1, 1)


def test_a_maker_that_is_lost_holds_nobody_up(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    factories.product()
    monkeypatch.setattr(page_cache, "WAIT_MAX", 0.1)
    monkeypatch.setattr(cache, "delete", lambda key: None)  # the lock stays
    api.get("/products/?limit=0")
    assert api.get("/products/?limit=0").status_code == 400


@pytest.fixture
def broken_cache(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise RedisConnectionError("Error 111 connecting to the cache. Connection refused.")

    for name in ("get", "get_many", "set", "set_many", "add", "delete"):
        monkeypatch.setattr(cache, name, refuse)
    monkeypatch.setattr(caching, "link", caching.Link())
    return monkeypatch


def test_without_the_cache_all_is_read_from_the_database_and_the_log_says_so_once(
    api: APIClient, broken_cache: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken_cache.setattr(caching, "REST", 0)
    product = factories.product()
    for price in ("1.00", "2.00"):
        Product.objects.filter(pk=product.pk).update(price=price)
        assert api.get("/products/").json()["results"][0]["price"] == price
    stock.adjust(product_id=product.pk, delta=-1, user=None)
    assert api.get(f"/products/{product.pk}/").json()["quantity"] == 9
    assert sum("cache does not answer" in record.getMessage() for record in caplog.records) == 1


def test_a_move_that_the_cache_did_not_take_is_made_good(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    product = factories.product()
    api.get("/products/")
    with monkeypatch.context() as broken:
        broken.setattr(caching, "REST", 0)
        broken.setattr(cache, "set", lambda *args: (_ for _ in ()).throw(OSError("gone")))
        Product.objects.filter(pk=product.pk).update(price="1.00")
    assert api.get("/products/").json()["results"][0]["price"] == "1.00"


def test_a_token_that_the_cache_lost_voids_what_stood_with_it(api: APIClient) -> None:
    product = factories.product()
    for lost in (caching.VERSION, caching.stamp(product.pk)):
        api.get("/products/")
        cache.delete_many([lost, caching.STOCK])
        assert queries(api, "/products/") > 0
        assert queries(api, "/products/") == 0
