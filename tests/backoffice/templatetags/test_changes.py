"""The page "History" of an object in the admin."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django_celery_beat.models import PeriodicTask

from products.models import Product
from tests import factories
from tests.backoffice.people import member
from tests.signing_in import client_of

pytestmark = pytest.mark.django_db


def history(client: Client, model: str, pk: int) -> str:
    page = client.get(reverse(f"admin:{model.replace('.', '_')}_history", args=[pk]))
    assert page.status_code == 200
    return page.content.decode()


@pytest.fixture
def boss(client: Client) -> Any:
    user = factories.user("stella", is_staff=True, is_superuser=True)
    client.force_login(user)
    return user


def test_the_page_of_an_object_begins_with_its_changes(client: Client, boss: Any) -> None:
    product, other = factories.product("Red shoe"), factories.product("Blue shoe")
    for pk, price in ((product.pk, "17.50"), (other.pk, "3.33")):
        client_of(boss).patch(f"/products/{pk}/", {"price": price})
    page = history(client, "products.product", product.pk)
    assert "<b>price</b> <del>19.90</del> → <ins>17.50</ins>" in page
    assert "3.33" not in page
    assert page.index("stella</td>") < page.index("Actions in the admin")
    assert f"?kind=products.product&amp;object_id={product.pk}" in page
    assert f"?q={product.sku}" in page  # the ledger of its stock
    job = PeriodicTask.objects.get(name="welcome mail")
    job.enabled = False
    job.save()
    assert "<b>enabled</b> <del>true</del> → <ins>false</ins>" in history(
        client, "django_celery_beat.periodictask", job.pk
    )
    group = boss.groups.create(name="Helpers")
    assert "<b>name</b> <span>Helpers</span>" in history(client, "auth.group", group.pk)


def test_who_may_view_the_object_sees_its_latest_changes(client: Client) -> None:
    product = factories.product()
    for cents in range(101):
        Product.objects.filter(pk=product.pk).update(price=f"1.{cents:03}"[:4])
        Product.objects.filter(pk=product.pk).update(brand=f"brand {cents}")
    client.force_login(member("products.view_product"))
    page = history(client, "products.product", product.pk)
    assert "The latest 100 are shown." in page
    assert page.count("changed-field") == 100
    assert "brand 100" in page
    assert "object_id=" not in page  # the list needs another permission
    assert "?q=" not in page
