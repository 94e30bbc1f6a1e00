"""What invalidates cached pages, also while the cache is unreachable."""

from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from rest_framework.test import APIClient

from productbackend.caches import circuit_breaker
from products.images import lifecycle
from products.inventory import stock
from products.models import Product
from products.reads import caching
from tests import factories, unreachable
from tests.products import pictures
from tests.products.reads.pages import fill
from tests.queries import queries
from tests.waiting import wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("store")]


def test_a_sale_invalidates_only_pages_that_show_its_product(api: APIClient) -> None:
    sold, other = factories.product("a"), factories.product("b")
    cached = [f"/products/{other.pk}/", "/products/?name=b", "/products/facets/", "/categories/"]
    invalidated = [
        f"/products/{sold.pk}/",
        "/products/",
        "/products/?in_stock=true&name=b",
        "/products/?ordering=-quantity&name=b",
    ]
    fill(api, *cached, *invalidated)
    stock.adjust(product_id=sold.pk, delta=-1, user=None)
    assert [path for path in cached if queries(api, path)] == []
    assert [path for path in invalidated if not queries(api, path)] == []
    assert [path for path in invalidated if queries(api, path)] == []


def test_a_new_quantity_invalidates_only_pages_that_show_its_product(api: APIClient, staff: APIClient) -> None:
    counted, other = factories.product("a", category=factories.category("Shoes")), factories.product("b")
    path, cached = f"/products/{counted.pk}/", [f"/products/{other.pk}/", "/products/?name=b", "/categories/"]
    fill(api, *cached, path)
    whole = staff.get(path).json()
    for body in ({"quantity": 3}, whole | {"quantity": 4}):
        assert staff.patch(path, body).status_code == 200
        assert [page for page in cached if queries(api, page)] == []
        assert api.get(path).json()["quantity"] == body["quantity"]
    assert staff.put(path, whole | {"quantity": 5}).json()["quantity"] == 5
    assert [page for page in cached if queries(api, page)] == []
    assert staff.patch(path, {"quantity": 5, "price": "7.00"}).json()["price"] == "7.00"
    assert all(queries(api, page) for page in cached)


def test_a_ready_image_invalidates_only_pages_that_show_its_product(api: APIClient) -> None:
    pictured, other = factories.product("a"), factories.product("b")
    cached = [f"/products/{other.pk}/", "/products/?name=b", "/products/facets/", "/categories/"]
    shown = [f"/products/{pictured.pk}/", "/products/"]
    fill(api, *cached, *shown)
    image, _ = lifecycle.add(product_id=pictured.pk, file=pictures.upload(pictures.jpeg()))
    assert [path for path in [*cached, *shown] if queries(api, path)] == []
    lifecycle.process(image.pk)
    assert [path for path in cached if queries(api, path)] == []
    assert [path for path in shown if not queries(api, path)] == []


def test_a_rolled_back_write_invalidates_nothing(api: APIClient) -> None:
    product = factories.product()
    fill(api, "/products/")
    with transaction.atomic():
        Product.objects.filter(pk=product.pk).update(price="2.00")
        stock.adjust(product_id=product.pk, delta=-1, user=None)
        assert api.get("/products/").json()["results"][0]["price"] == "2.00"  # reads in the transaction are not cached
        transaction.set_rollback(True)
    assert queries(api, "/products/") == 0
    assert api.get("/products/").json()["results"][0]["price"] == "19.90"


@pytest.fixture
def broken_cache(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    names = ("get", "get_many", "set", "set_many", "add", "delete", "delete_if_equal")
    unreachable.refuse(monkeypatch, cache, *names)
    monkeypatch.setattr(caching, "cache_breaker", caching.CacheBreaker())
    return monkeypatch


def test_an_unreachable_cache_is_logged_once_and_pages_come_from_the_database(
    api: APIClient, broken_cache: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken_cache.setattr(circuit_breaker, "COOLDOWN", 0)
    product = factories.product()
    for price in ("1.00", "2.00"):
        Product.objects.filter(pk=product.pk).update(price=price)
        assert api.get("/products/").json()["results"][0]["price"] == price
    stock.adjust(product_id=product.pk, delta=-1, user=None)
    assert api.get(f"/products/{product.pk}/").json()["quantity"] == 9
    assert sum("cache is unreachable" in record.getMessage() for record in caplog.records) == 1


def test_a_failed_invalidation_is_repeated(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    product = factories.product()
    fill(api, "/products/")
    with monkeypatch.context() as broken:
        broken.setattr(circuit_breaker, "COOLDOWN", 0)
        broken.setattr(cache, "set", lambda *args: (_ for _ in ()).throw(OSError("unreachable")))
        Product.objects.filter(pk=product.pk).update(price="1.00")
    assert api.get("/products/").json()["results"][0]["price"] == "1.00"


def test_an_evicted_token_invalidates_its_pages(api: APIClient) -> None:
    product = factories.product()
    for lost in (caching.CATALOGUE_TOKEN, caching.product_token_key(product.pk)):
        fill(api, "/products/")
        cache.delete_many([lost, caching.STOCK_TOKEN])
        assert queries(api, "/products/") > 0
        assert queries(api, "/products/") == 0


def test_no_product_tokens_are_read_for_a_page_without_products(
    api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    product = factories.product()
    fill(api, "/categories/", "/products/facets/")
    stock.adjust(product_id=product.pk, delta=-1, user=None)
    asked: list[list[str]] = []
    get_many = cache.get_many

    def record(keys: Any) -> Any:
        asked.append(list(keys))
        return get_many(keys)

    monkeypatch.setattr(cache, "get_many", record)
    assert [queries(api, path) for path in ("/categories/", "/products/facets/")] == [0, 0]
    assert all(asked)


def test_a_failed_invalidation_is_repeated_without_a_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caching, "REPAIR_EVERY", 0.01)
    monkeypatch.setattr(caching, "cache_breaker", caching.CacheBreaker())
    product = factories.product()
    before = caching.current_tokens()
    with monkeypatch.context() as broken:
        broken.setattr(cache, "set_many", lambda *args: (_ for _ in ()).throw(OSError("unreachable")))
        stock.adjust(product_id=product.pk, delta=-1, user=None)
    wait_for(
        lambda: (
            caching.read_tokens([caching.CATALOGUE_TOKEN]) != {caching.CATALOGUE_TOKEN: before[caching.CATALOGUE_TOKEN]}
        ),
        seconds=5,
    )
