"""The admin's search ignores case and supports every script."""

from decimal import Decimal
from typing import Any

import pytest
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from carts.models import Cart
from orders.models import Order
from outbox.models import Mail
from products.models import Category, Product, StockMovement
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)  # InnoDB's search sees committed rows only


@pytest.fixture
def found(client: Client) -> Any:
    client.force_login(factories.user("stella", is_staff=True, is_superuser=True))

    def search(model: type[Model], text: str) -> list[Any]:
        page = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        answer = client.get(page, {"q": text})
        assert answer.status_code == 200
        return [row.pk for row in answer.context["cl"].result_list]

    return search


SKUS = {
    "ABC-1": ["ABC-1", "abc-1", "Abc-1"],
    "xyz-2": ["xyz-2", "XYZ-2", "Xyz-2"],
    "MiXed-3": ["MiXed-3", "mixed-3", "MIXED-3"],
    "straße-4": ["straße-4", "STRASSE-4", "Straße-4"],
    "STRASSE-5": ["straße-5", "STRASSE-5", "strasse-5"],
    "STRAßE-6": ["straße-6", "STRASSE-6", "STRAßE-6"],
    "ŁÓDŹ-7": ["łódź-7", "ŁÓDŹ-7", "Łódź-7"],
    "Łódź-8": ["łódź-8", "ŁÓDŹ-8", "Łódź-8"],
    "काला-9": ["काला-9"],
    "a/B c.10": ["A/b C.10"],
}


def test_products_and_their_movements_by_sku(found: Any) -> None:
    for sku, spellings in SKUS.items():
        product = factories.product("Thing", sku=sku, slug=f"s{len(sku)}{Product.objects.count()}")
        movement = StockMovement.objects.get(product=product)
        for text in spellings:
            assert found(Product, text) == [product.pk], (sku, text)
            assert found(StockMovement, text) == [movement.pk], (sku, text)


def test_movements_of_a_product_that_is_gone(found: Any) -> None:
    product = factories.product("Thing", sku="MiXed-3")
    movement = StockMovement.objects.get(product=product)
    product.delete()
    for text in ("mixed-3", "MIXED-3"):
        assert found(StockMovement, text) == [movement.pk], text


def test_an_sku_that_was_changed(found: Any) -> None:
    product = factories.product("Thing", sku="MiXed-3")
    product.sku = "oThEr"
    product.save(update_fields={"sku"})
    assert (found(Product, "OTHER"), found(Product, "mixed-3")) == ([product.pk], [])


def test_customers_do_not_find_by_the_words_that_the_admin_searches(client: Client) -> None:
    """The admin finds a part of a SKU by a word of its own, which no customer's search matches."""
    factories.product("Thing", sku="MiXed-3")
    assert client.get("/products/", {"search": "qsmixed"}).json()["results"] == []
    assert len(client.get("/products/", {"search": "MiXed-3"}).json()["results"]) == 1


def test_categories_by_name_and_slug(found: Any) -> None:
    category = factories.category("Straßenlampen", slug="Kopf-ß")
    for text in ("straßen", "STRASSENLAMPEN", "Kopf-ß", "KOPF-ß", "kopf-ß"):
        assert found(Category, text) == [category.pk], text
    other = factories.category("Łyżki")
    for text in ("łyżki", "lyzki", "ŁY"):
        assert found(Category, text) == [other.pk], text


def test_people_by_name_and_address(found: Any) -> None:
    user = factories.user("Straßenkönig", email="ida@münchen.de")
    cart = Cart.objects.create(user=user)
    product = factories.product(price=Decimal(5))
    cart.items.create(product=product, quantity=1)
    cart.completed = True
    cart.save()
    order, cart = Order.objects.get(), Cart.objects.create(user=user)
    Mail.objects.all().delete()
    mail = Mail.objects.create(kind="welcome", recipient=user.email, user=user, due_at=timezone.now())
    for text in ("straßenkönig", "STRASSENKÖNIG", "Strasse"):
        assert found(type(user), text) == [user.pk], text
        assert found(Cart, text) == [cart.pk], text
        assert found(Order, text) == [order.pk], text
    for text in ("IDA@MÜNCHEN.DE", "ida@xn--mnchen-3ya.de", "ida@münchen.de"):
        assert found(type(user), text) == [user.pk], text
        assert found(Mail, text) == [mail.pk], text
    assert found(Order, order.number.lower()) == [order.pk]
