"""Every page of the admin responds, with a constant number of queries."""

import re
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from products.models import Category
from tests import factories
from tests.queries import queries
from tests.site.pages import create_rows, url

pytestmark = pytest.mark.django_db


MODELS = ["accounts.user", "products.category", "products.product", "products.stockmovement", "carts.cart"]
MODELS += ["orders.order", "outbox.mail"]


def last_row(model: str) -> Any:
    site_model = next(m for m in admin.site._registry if m._meta.label_lower == model)
    return site_model._default_manager.order_by("pk").last()


@pytest.mark.parametrize("model", MODELS)
def test_every_page_of_a_model_responds(admin_client: Client, model: str) -> None:
    create_rows(2)
    listing = url(model, "changelist")
    for query in ("", "?q=shoe", "?q=%C3%89%25_", "?p=1", "?all="):
        assert admin_client.get(listing + query).status_code == 200, query
    assert admin_client.get(url(model, "change", last_row(model).pk)).status_code == 200
    assert admin_client.get(url(model, "history", last_row(model).pk)).status_code == 200
    written_by_the_shop = model in ("products.stockmovement", "orders.order", "outbox.mail")
    assert admin_client.get(url(model, "add")).status_code == (403 if written_by_the_shop else 200)


def test_a_list_takes_as_many_queries_for_ten_rows_as_for_two(admin_client: Client, subtests: pytest.Subtests) -> None:
    create_rows(2)
    few = {model: queries(admin_client, url(model, "changelist")) for model in MODELS}
    create_rows(8, "more")
    for model in MODELS:
        with subtests.test(model):
            assert queries(admin_client, url(model, "changelist")) == few[model] <= 12


@pytest.mark.django_db(transaction=True)  # InnoDB's search sees committed rows only
@pytest.mark.parametrize(
    ("field", "term", "found"),
    [
        ("products.product.category", "LEAF", ["root 0 > leaf 0"]),
        ("products.product.category", "root>l", ["root 0 > leaf 0"]),
        ("products.product.category", "leaf > leaf", []),
        ("carts.cart.user", "wait", ["waiting0"]),
        ("carts.cartitem.product", "merrow", ["shoe 0"]),
    ],
)
def test_autocomplete_finds(admin_client: Client, field: str, term: str, found: list[str]) -> None:
    create_rows(1)
    app, model, name = field.split(".")
    query = {"app_label": app, "model_name": model, "field_name": name, "term": term}
    results = admin_client.get(reverse("admin:autocomplete"), query).json()["results"]
    assert [result["text"] for result in results] == found


@pytest.mark.django_db(transaction=True)  # InnoDB's search sees committed rows only
@pytest.mark.parametrize("query", ["q=kettle", "q=blue%20kettle", "q=kettle-1", "stock=none", "is_active__exact=0"])
def test_products_are_found(admin_client: Client, query: str) -> None:
    factories.product("Red shoe")
    factories.product("Blue Kettle", sku="KETTLE-1", quantity=0, is_active=False)
    page = admin_client.get(url("products.product", "changelist") + f"?{query}").content.decode()
    assert "Blue Kettle" in page
    assert "Red shoe" not in page


def test_products_of_a_department_are_those_of_its_subtree(admin_client: Client) -> None:
    create_rows(2)
    root = Category.objects.get(name="root 1")
    page = admin_client.get(url("products.product", "changelist") + f"?department={root.pk}").content.decode()
    assert "shoe 1" in page
    assert "shoe 0" not in page


def test_a_list_shows_the_first_ready_picture(admin_client: Client) -> None:
    create_rows(1)
    page = admin_client.get(url("products.product", "changelist")).content.decode()
    assert "-thumb.jpg" in page


@pytest.mark.parametrize(
    "path", ["/admin/backoffice/import/add/", "/admin/orders/order/mails/", "/admin/products/product/add/"]
)
def test_a_field_names_its_help(admin_client: Client, path: str) -> None:
    page = admin_client.get(path).content.decode()
    described = {each for value in re.findall(r'aria-describedby="([^"]+)"', page) for each in value.split()}
    assert described
    assert described <= set(re.findall(r'\bid="([^"]+)"', page))
