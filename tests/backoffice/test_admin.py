"""Exports of the lists of the admin."""

import re
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from backoffice.exports import downloads
from orders.models import Order
from tests import factories
from tests.backoffice.files import body_of, csv_rows, xlsx_cells
from tests.backoffice.people import member
from tests.orders.placed import place

pytestmark = pytest.mark.django_db

LISTS = {"products": reverse("admin:products_product_changelist"), "orders": reverse("admin:orders_order_changelist")}


@pytest.fixture
def keeper(client: Client) -> Client:
    client.force_login(factories.user("stella", is_staff=True, is_superuser=True))
    return client


def links(client: Client, path: str) -> dict[str, str]:
    """The links of a list by their labels, as a browser follows them."""
    page = client.get(path).content.decode()
    found = re.findall(r'<li><a href="([^"]+)">(Export [A-Z]+)</a></li>', page)
    return {label: unescape(url) for url, label in found}


def exported(client: Client, path: str) -> list[dict[str, str]]:
    return csv_rows(body_of(client.get(links(client, path)["Export CSV"])))


@pytest.mark.parametrize(
    ("query", "skus"),
    [
        ("", ["A", "B", "C"]),
        ("?stock=none", ["A"]),
        ("?is_active__exact=0", ["C"]),
        ("?department={root}", ["B"]),
        ("?q=b", ["B"]),
        ("?is_active__exact=1&stock=some", ["B"]),
        ("?o=-5&p=1", ["A", "B", "C"]),
    ],
)
def test_products_are_exported_as_the_list_is_filtered(keeper: Client, query: str, skus: list[str]) -> None:
    root = factories.category("Home")
    factories.product("Shoe a", sku="A", quantity=0)
    factories.product("Lamp", sku="B", category=factories.category("Lamps", parent=root), price=Decimal("7"))
    factories.product("Shoe c", sku="C", quantity=9, is_active=False)
    path = LISTS["products"] + query.format(root=root.pk)
    assert [row["sku"] for row in exported(keeper, path)] == skus
    _, *rows = xlsx_cells(body_of(keeper.get(links(keeper, path)["Export XLSX"])))
    assert [row[0] for row in rows] == skus


def test_orders_are_exported_as_the_list_is_filtered(keeper: Client) -> None:
    product, numbers = factories.product(), []
    for name in ("carla", "otto"):
        factories.user(name)
        numbers.append(place(name, (product, 1)))
    Order.objects.filter(number=numbers[1]).update(status="cancelled")
    for query, expected in [
        ("", numbers),
        ("?status__exact=cancelled", numbers[1:]),
        ("?q=carla", numbers[:1]),
        ("?q=carla&status__exact=cancelled", []),
    ]:
        assert [row["number"] for row in exported(keeper, LISTS["orders"] + query)] == expected, query


def test_every_row_is_exported_and_not_one_page(keeper: Client) -> None:
    for number in range(60):
        factories.product(f"p{number}")
    assert len(exported(keeper, f"{LISTS['products']}?p=2")) == 60


def test_a_filter_that_the_list_does_not_know_leads_back_to_it(keeper: Client) -> None:
    response = keeper.get(f"{reverse('admin-export', args=['products'])}?colour=red")
    assert (response.status_code, response["Location"]) == (302, f"{LISTS['products']}?e=1")


def test_what_cannot_be_exported_is_a_message_on_the_list(keeper: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "XLSX_ROWS_MAX", 1)
    for name in ("a", "b"):
        factories.product(name)
    link = links(keeper, f"{LISTS['products']}?is_active__exact=1")["Export XLSX"]
    response = keeper.get(link, follow=True)
    assert response.redirect_chain == [(f"{LISTS['products']}?is_active__exact=1", 302)]
    assert "Nothing was exported. An XLSX file has at most 1 rows" in response.content.decode()


def test_only_who_may_see_the_list_may_export_it(client: Client) -> None:
    paths = {name: reverse("admin-export", args=[name]) for name in LISTS}
    assert client.get(paths["orders"]).status_code == 302
    client.force_login(factories.user("carla"))
    assert client.get(paths["orders"]).status_code == 302
    client.force_login(member("products.view_product"))
    assert client.get(paths["orders"]).status_code == 403
    assert client.get(paths["products"]).status_code == 200
    client.force_login(member("orders.export_order", name="abe"))
    assert {client.get(path).status_code for path in paths.values()} == {403}


def test_what_is_no_list_or_no_format_is_a_404(keeper: Client) -> None:
    for path in (
        reverse("admin-export", args=["stock"]),
        f"{reverse('admin-export', args=['orders'])}?_format=pdf",
    ):
        assert keeper.get(path).status_code == 404
    assert keeper.post(reverse("admin-export", args=["orders"])).status_code == 404


def test_head_of_an_export(keeper: Client) -> None:
    response: Any = keeper.head(reverse("admin-export", args=["orders"]))
    assert (response.status_code, body_of(response)) == (200, b"")
