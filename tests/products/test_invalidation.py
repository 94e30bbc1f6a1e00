"""What each kind of write invalidates: if only stock changed, the pages that show the product, and no other page."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from products import signals
from products.images import lifecycle
from products.inventory import stock
from products.models import Product
from products.reads.caching import CatalogueQuerySet
from tests import factories
from tests.products import pictures
from tests.products.test_cache_writes import cancelled, checkout, saved_in_admin, staff

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("store")]

NOTHING: set[str] = set()
PRODUCT = {"detail", "list", "stock list"}  # the pages that show the product, or depend on the stock of all
EVERYTHING = {*PRODUCT, "other detail", "other list", "facets", "categories", "category"}


@pytest.fixture
def shop() -> dict[str, Any]:
    boots, hats, empty = (factories.category(name) for name in ("Boots", "Hats", "Empty"))
    product = factories.product("Red boot", category=boots, quantity=50)
    other = factories.product("Blue hat", category=hats, quantity=50)
    shown = pictures.add(product)
    waiting, _ = lifecycle.add(product_id=product.pk, file=pictures.upload(pictures.jpeg(90, 30)))
    categories = {"boots": boots, "hats": hats, "empty": empty}
    products = {"product": product, "other": other, "spare": factories.product("Spare")}
    return categories | products | {"shown": shown, "waiting": waiting}


def pages(shop: dict[str, Any]) -> dict[str, str]:
    return {
        "detail": f"/products/{shop['product'].pk}/",
        "list": f"/products/?category={shop['boots'].pk}",
        "stock list": f"/products/?category={shop['hats'].pk}&in_stock=true",
        "other detail": f"/products/{shop['other'].pk}/",
        "other list": f"/products/?category={shop['hats'].pk}",
        "facets": "/products/facets/",
        "categories": "/categories/",
        "category": f"/categories/{shop['boots'].pk}/",
    }


def patch(shop: dict[str, Any], **fields: Any) -> None:
    assert staff().patch(f"/products/{shop['product'].pk}/", fields).status_code == 200


def put_with_another_quantity(shop: dict[str, Any]) -> None:
    path, client = f"/products/{shop['product'].pk}/", staff()
    product = client.get(path).json()
    fields = {name: product[name] for name in ("name", "price", "sku", "brand", "description")}
    assert client.put(path, fields | {"category": shop["boots"].pk, "quantity": 7}).status_code == 200


WRITES: dict[str, tuple[Callable[[dict[str, Any]], Any], set[str]]] = {
    "the API sets the quantity": (lambda shop: patch(shop, quantity=7), PRODUCT),
    "the API sets the quantity it has": (lambda shop: patch(shop, quantity=50), NOTHING),
    "the API replaces it with another quantity": (put_with_another_quantity, PRODUCT),
    "the API sets the name it has": (lambda shop: patch(shop, name="Red boot"), NOTHING),
    "the API sets the price": (lambda shop: patch(shop, price="3.00"), EVERYTHING),
    "the admin sets the quantity": (lambda shop: saved_in_admin("product", shop["product"].pk, quantity="7"), PRODUCT),
    "the admin saves what it shows": (lambda shop: saved_in_admin("product", shop["product"].pk), NOTHING),
    "the admin sets the price": (lambda shop: saved_in_admin("product", shop["product"].pk, price="3.00"), EVERYTHING),
    "stock is set": (lambda shop: stock.set_quantity(product_id=shop["product"].pk, quantity=7, user=None), PRODUCT),
    "stock is adjusted": (lambda shop: stock.adjust(product_id=shop["product"].pk, delta=1, user=None), PRODUCT),
    "it is sold": (lambda shop: checkout(shop["product"]), PRODUCT),
    "its order is cancelled": (lambda shop: cancelled(shop["product"]), PRODUCT),
    "a picture becomes ready": (lambda shop: lifecycle.process(shop["waiting"].pk), PRODUCT),
    "a picture is uploaded": (lambda shop: pictures.post(staff(), shop["product"], pictures.jpeg(70, 70)), NOTHING),
    "a picture is deleted": (lambda shop: staff().delete(pictures.path(shop["shown"])), EVERYTHING),
    "a picture is described": (
        lambda shop: staff().patch(pictures.path(shop["shown"]), {"alt_text": "Behind"}),
        EVERYTHING,
    ),
    "pictures are put in order": (
        lambda shop: lifecycle.reorder(product_id=shop["product"].pk, image_ids=[shop["waiting"].pk, shop["shown"].pk]),
        EVERYTHING,
    ),
    "a category is renamed": (
        lambda shop: staff().patch(f"/categories/{shop['boots'].pk}/", {"name": "Wellies"}),
        EVERYTHING,
    ),
    "a product is created": (lambda shop: staff().post("/products/", {"name": "New", "quantity": 1}), EVERYTHING),
    "another product is deleted": (
        lambda shop: staff().delete(f"/products/{shop['spare'].pk}/"),
        EVERYTHING,
    ),
    "a category is created": (lambda shop: staff().post("/categories/", {"name": "Gloves"}), EVERYTHING),
    "a category is deleted": (
        lambda shop: staff().delete(f"/categories/{shop['empty'].pk}/"),
        EVERYTHING,
    ),
    "rows are updated": (
        lambda shop: Product.objects.filter(pk=shop["product"].pk).update(price="2.00"),
        EVERYTHING,
    ),
    "an account registers": (lambda shop: factories.user("somebody"), NOTHING),
}

UNANNOUNCED = {"the admin sets the price", "rows are updated"}  # no domain function writes them
# Without what invalidates nothing at all: less of it cannot invalidate more.
ANNOUNCED = sorted(name for name in WRITES.keys() - UNANNOUNCED if WRITES[name][1] != NOTHING)


@pytest.mark.parametrize(("write", "expected"), WRITES.values(), ids=WRITES.keys())
def test_a_write_invalidates_what_shows_it(
    api: APIClient, shop: dict[str, Any], write: Callable[[dict[str, Any]], Any], expected: set[str]
) -> None:
    paths = pages(shop)
    for path in [*paths.values()] * 2:  # the second request caches the page
        api.get(path)
    assert not rendered(api, paths)
    write(shop)
    assert rendered(api, paths) == expected


@pytest.fixture
def no_safety_net(monkeypatch: pytest.MonkeyPatch) -> None:
    """Signals and querysets invalidate nothing."""
    monkeypatch.setattr(signals, "caching", SimpleNamespace(catalogue_changed=lambda: None))
    monkeypatch.setattr(CatalogueQuerySet, "update", CatalogueQuerySet.update_without_invalidation)
    monkeypatch.setattr(CatalogueQuerySet, "bulk_create", QuerySet.bulk_create)


@pytest.mark.thorough
@pytest.mark.usefixtures("no_safety_net")
@pytest.mark.parametrize("name", ANNOUNCED)
def test_domain_functions_need_no_safety_net(api: APIClient, shop: dict[str, Any], name: str) -> None:
    test_a_write_invalidates_what_shows_it(api, shop, *WRITES[name])


def rendered(api: APIClient, paths: dict[str, str]) -> set[str]:
    """The pages that are rendered from the database, and not served from the cache."""
    found = set()
    for name, path in paths.items():
        with CaptureQueriesContext(connection) as captured:
            assert api.get(path).status_code == 200
        if len(captured):
            found.add(name)
    return found
