"""After every kind of write another process reads the current data."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from rest_framework.test import APIClient

from products.images import lifecycle
from products.inventory import stock
from products.models import Category, Product, ProductImage
from tests import factories
from tests.products import pictures
from tests.products.reader import Reader

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("store"),
    pytest.mark.xdist_group("reader"),  # one reading process for all
]


@pytest.fixture(scope="module")
def process(django_db_setup: Any) -> Iterator[Reader]:
    reader = Reader(str(connection.settings_dict["NAME"]))
    yield reader
    reader.end()


@pytest.fixture
def reader(process: Reader, transactional_db: Any) -> Reader:
    return process


def make_shop() -> dict[str, Any]:
    """A shop with a category and a subcategory, a product with images, and another product."""
    shoes = factories.category("Shoes")
    boots = factories.category("Boots", parent=shoes)
    product = factories.product("Red boot", category=boots)
    factories.product("Blue shoe", category=shoes)
    pictures.add(product)
    second = pictures.add(product, 80)
    waiting, _ = lifecycle.add(product_id=product.pk, file=pictures.upload(pictures.jpeg(90, 30)))
    empty = factories.category("Empty")
    shop = {"shoes": shoes, "boots": boots, "empty": empty}
    return shop | {"product": product, "second": second, "waiting": waiting}


def checkout(product: Product) -> None:
    buyer = APIClient()
    buyer.force_authenticate(factories.user("buyer"))
    cart = buyer.post("/cart-items/", {"product": product.pk, "quantity": 2}).json()["cart"]
    assert buyer.post(f"/carts/{cart}/checkout/").status_code == 201


def cancelled(product: Product) -> None:
    buyer = APIClient()
    buyer.force_authenticate(factories.user("buyer"))
    cart = buyer.post("/cart-items/", {"product": product.pk, "quantity": 2}).json()["cart"]
    number = buyer.post(f"/carts/{cart}/checkout/").json()["number"]
    for _ in range(2):
        APIClient().get(f"/products/{product.pk}/")
    assert buyer.post(f"/orders/{number}/cancel/").status_code == 200


def admin() -> Client:
    client = Client()
    client.force_login(factories.user("boss", is_staff=True, is_superuser=True))
    return client


def staff() -> APIClient:
    client = APIClient()
    client.force_authenticate(factories.user("boss", is_staff=True, is_superuser=True))
    return client


def deleted_in_bulk(pk: int) -> None:
    chosen = {"action": "delete_selected", "_selected_action": [pk], "post": "yes"}
    assert admin().post("/admin/products/product/", chosen).status_code == 302


def saved_in_admin(model: str, pk: int, **changes: Any) -> None:
    """Submit the admin's form with some fields changed."""
    path, client = f"/admin/products/{model}/{pk}/change/", admin()
    shown = client.get(path).context
    forms = [shown["adminform"].form]
    for inline in shown["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    values = {field.html_name: field.value() for form in forms for field in form}
    sent = {name: value for name, value in (values | changes).items() if value is not None and value is not False}
    assert client.post(path, sent).status_code == 302


WRITES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "a product is created": lambda shop: staff().post("/products/", {"name": "Another", "quantity": 1}),
    "a product is changed": lambda shop: staff().patch(f"/products/{shop['product'].pk}/", {"price": "1.00"}),
    "a product is hidden": lambda shop: staff().patch(f"/products/{shop['product'].pk}/", {"is_active": False}),
    "a product is deleted": lambda shop: staff().delete(f"/products/{shop['product'].pk}/"),
    "a category is renamed": lambda shop: staff().patch(f"/categories/{shop['boots'].pk}/", {"name": "Wellies"}),
    "a category is moved": lambda shop: staff().patch(f"/categories/{shop['boots'].pk}/", {"parent": None}),
    "a category is deleted": lambda shop: staff().delete(f"/categories/{shop['empty'].pk}/"),
    "a category is created": lambda shop: staff().post("/categories/", {"name": "Hats"}),
    "an image becomes ready": lambda shop: lifecycle.process(shop["waiting"].pk),
    "an image is described": lambda shop: staff().patch(pictures.path(shop["second"]), {"alt_text": "Behind"}),
    "an image is deleted": lambda shop: staff().delete(pictures.path(shop["second"])),
    "images are put in order": lambda shop: lifecycle.reorder(
        product_id=shop["product"].pk,
        image_ids=list(shop["product"].images.order_by("-position").values_list("pk", flat=True)),
    ),
    "a product is sold": lambda shop: checkout(shop["product"]),
    "an order is cancelled": lambda shop: cancelled(shop["product"]),
    "stock is counted": lambda shop: stock.set_quantity(product_id=shop["product"].pk, quantity=3, user=None),
    "stock is adjusted": lambda shop: stock.adjust(product_id=shop["product"].pk, delta=-10, user=None),
    "the admin saves a product": lambda shop: saved_in_admin("product", shop["product"].pk, price="3.00"),
    "the admin counts stock": lambda shop: saved_in_admin("product", shop["product"].pk, quantity="4"),
    "the admin describes a picture": lambda shop: saved_in_admin(
        "product", shop["product"].pk, **{"images-1-alt_text": "Behind"}
    ),
    "the admin moves a category": lambda shop: saved_in_admin("category", shop["boots"].pk, parent=""),
    "the admin deletes in bulk": lambda shop: deleted_in_bulk(shop["product"].pk),
    "rows are updated": lambda shop: Product.objects.filter(pk=shop["product"].pk).update(price="2.00"),
    "rows are deleted": lambda shop: Product.objects.filter(pk=shop["product"].pk).delete(),
    "rows are created": lambda shop: Product.objects.bulk_create(
        [Product(name="a", name_key="a", slug="a", sku="A", quantity=1)]
    ),
    "images are deleted": lambda shop: ProductImage.objects.filter(pk=shop["second"].pk).delete(),
    "categories are updated": lambda shop: Category.objects.update(name="Same"),
    "the demo is loaded": lambda shop: call_command("demo", products=1, pictures=0, verbosity=0),
}


# What each write invalidates is in test_invalidation.py; these show that another process notices.
QUICK = {"a product is changed", "a category is renamed", "an image becomes ready", "a product is sold"}
CASES = [
    pytest.param(write, id=name, marks=[] if name in QUICK else pytest.mark.thorough) for name, write in WRITES.items()
]


@pytest.mark.parametrize("write", CASES)
def test_another_process_reads_what_was_written(reader: Reader, write: Callable[[dict[str, Any]], Any]) -> None:
    shop = make_shop()
    paths = ["/products/", "/products/?ordering=-quantity&in_stock=true", f"/products/{shop['product'].pk}/"]
    paths += ["/products/facets/?in_stock=true", "/categories/", f"/categories/{shop['boots'].pk}/"]
    for path in paths:
        reader.get(path)  # the next request caches it
    before = [reader.get(path).body for path in paths]
    assert [reader.get(path).queries for path in paths] == [0] * len(paths)
    write(shop)
    after = [reader.get(path) for path in paths]
    assert [response.body for response in after] != before
    for path, response in zip(paths, after, strict=True):
        fresh = reader.uncached(path)
        assert (response.status, response.body if response.status == 200 else "") == (
            fresh.status,
            fresh.body if fresh.status == 200 else "",
        ), path
