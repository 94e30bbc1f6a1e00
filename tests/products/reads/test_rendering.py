"""Pages that change, or are requested again, while they are rendered."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.core.cache import cache
from rest_framework.test import APIClient

from products.api.views import ProductViewSet
from products.images import lifecycle
from products.inventory import stock
from products.models import Product
from products.reads import page_cache
from tests import factories
from tests.concurrently import run_concurrently
from tests.products import pictures

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("store")]


@pytest.fixture
def during(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], None]:
    """Run an event after the view has read the database and before its page is cached."""

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
def test_a_page_that_changes_while_it_is_rendered_is_not_cached(
    api: APIClient, during: Any, monkeypatch: pytest.MonkeyPatch, path: str, what: str
) -> None:
    product = factories.product()
    image, _ = lifecycle.add(product_id=product.pk, file=pictures.upload(pictures.jpeg()))

    def sell() -> None:
        stock.adjust(product_id=product.pk, delta=-1, user=None)

    def rename() -> None:
        Product.objects.filter(pk=product.pk).update(name="Renamed")

    with monkeypatch.context():
        api.get(path)
        during({"sale": sell, "name": rename, "picture": lambda: lifecycle.process(image.pk)}[what])
        api.get(path)
    monkeypatch.undo()
    row = api.get(path).json()["results"][0]
    assert (row["quantity"], row["name"], len(row["images"])) == {
        "sale": (9, "Red shoe", 0),
        "name": (10, "Renamed", 0),
        "picture": (10, "Red shoe", 1),
    }[what]


def test_concurrent_requests_render_a_page_once(during: Any) -> None:
    factories.product()
    rendered = []

    def event() -> None:
        rendered.append(1)
        time.sleep(0.2)

    during(event)
    responses = run_concurrently([partial(APIClient().get, "/products/") for _ in range(8)])
    assert len({response.content for response in responses}) == len(rendered) == 1


def test_a_lost_lock_holder_does_not_block_requests(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    factories.product()
    monkeypatch.setattr(page_cache, "WAIT_MAX", 0.1)
    monkeypatch.setattr(cache, "delete_if_equal", lambda *args: None)  # the lock is not released
    api.get("/products/?limit=0")
    assert api.get("/products/?limit=0").status_code == 400


def test_a_lock_of_another_process_is_not_released(api: APIClient, during: Any) -> None:
    factories.product()
    held: list[str] = []
    add = cache.add

    def record(key: str, *args: Any) -> bool:
        if key.endswith(":lock"):
            held.append(key)
        return add(key, *args)

    during(lambda: cache.set(held[0], 5, 60))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cache, "add", record)
        api.get("/products/")
    assert cache.get(held[0]) == 5
