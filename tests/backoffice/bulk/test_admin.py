"""Bulk work in the admin, from the list of products to the result."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from backoffice.bulk import starting
from backoffice.bulk.models import BulkChange
from products.models import Product
from tests import factories
from tests.backoffice.people import member, staff_with
from tests.queries import queries

pytestmark = pytest.mark.django_db

PRODUCTS = reverse("admin:products_product_changelist")
LIST = reverse("admin:backoffice_bulkchange_changelist")
ACTIONS = ("change_prices", "change_visibility", "change_category", "change_stock")


@pytest.fixture
def editor(client: Client) -> Client:
    client.force_login(member("products.change_product", "products.view_product", "products.view_stockmovement"))
    return client


def text(response: Any) -> str:
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def send(client: Client, action: str, query: str = "", *, across: bool = False, **fields: Any) -> Any:
    """Submit an action for the products of the list, or for the first one."""
    ids = list(Product.objects.order_by("pk").values_list("pk", flat=True))
    data = {"action": action, "_selected_action": ids[:1], "select_across": "1" if across else "0", **fields}
    return client.post(PRODUCTS + query, data)


def test_from_the_list_to_the_result(editor: Client) -> None:
    factories.product("<Lamp>", price=Decimal("5"), quantity=3)
    factories.product("Shoe", price=Decimal("0.50"))
    page = text(send(editor, "change_prices", across=True))
    assert "<strong>2 products are selected.</strong>" in page
    assert 'name="select_across" value="1"' in page
    assert "By 0 no price" in text(send(editor, "change_prices", post="yes", how="price_amount", by="0"))
    answer = send(editor, "change_prices", across=True, post="yes", how="price_amount", by="-1")
    page = text(editor.get(answer["Location"] + "?outcome=all"))
    product = Product.objects.get(name="Shoe")
    assert "<title>Price -1.00 EUR" in page
    assert '&lt;Lamp&gt;</a> <span class="quiet">' in page
    assert '5.00 EUR</td><td data-label="After" dir="auto">4.00 EUR</td><td>to change</td>' in page
    assert f'<a href="{reverse("admin:products_product_change", args=[product.pk])}">Shoe</a>' in page
    assert "The price would be -0.50 EUR" in page
    assert 'value="Change 1 product"' in page
    assert Product.objects.get(name="<Lamp>").price == 5
    run = reverse("admin:backoffice_bulkchange_run", args=[BulkChange.objects.get().pk])
    assert editor.get(run).status_code == 405
    done = text(editor.post(run, follow=True))
    assert "It is done." in done
    assert ">1 changed</a>" in done
    assert Product.objects.get(name="<Lamp>").price == 4
    assert "Price -1.00 EUR" in text(editor.get(LIST))


def test_the_filters_of_the_list_count(editor: Client) -> None:
    factories.product("Shown")
    factories.product("Hidden", is_active=False)
    send(editor, "change_visibility", "?is_active__exact=0", across=True, post="yes", visible="yes")
    assert BulkChange.objects.get().rows == 1
    assert BulkChange.objects.get().changed == 1


def test_stock_is_received_with_a_note_that_its_list_shows(editor: Client) -> None:
    factories.product("Lamp", sku="L", quantity=3)
    answer = send(editor, "change_stock", post="yes", what="received", pieces="4", note="Delivery <7>")
    editor.post(answer["Location"].replace("/change/", "/run/"))
    assert Product.objects.get().quantity == 7
    page = text(editor.get(reverse("admin:products_stockmovement_changelist") + "?q=L"))
    assert '<td class="field-what">Received</td>' in page
    assert "Delivery &lt;7&gt;" in page


def test_nothing_to_change_is_not_offered(editor: Client) -> None:
    factories.product(is_active=True)
    answer = send(editor, "change_visibility", post="yes", visible="yes")
    page = text(editor.get(answer["Location"]))
    assert "1 unchanged" in page
    assert 'type="submit" class="default"' not in page


def test_more_than_the_limit_is_refused_before_the_form(editor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "SELECTED_MAX", 1)
    for name in "AB":
        factories.product(name)
    page = text(send(editor, "change_prices", across=True))
    assert "More than 1 products are selected" in page
    assert 'value="Preview"' not in page
    refused = send(editor, "change_prices", across=True, post="yes", how="price_amount", by="1")
    assert "More than 1 products" in text(refused)
    assert not BulkChange.objects.exists()


def test_others_than_staff_who_change_products_see_none_of_it(editor: Client, client: Client) -> None:
    factories.product()
    page = send(editor, "change_stock", post="yes", what="received", pieces="4")["Location"]
    run = page.replace("/change/", "/run/")
    client.force_login(member("products.view_product", name="otto"))
    assert not [name for name in ACTIONS if name in text(client.get(PRODUCTS))]
    for action in ACTIONS:
        send(client, action, post="yes", how="price_amount", by="1", visible="no", what="received", pieces="1")
    assert BulkChange.objects.count() == 1
    assert {client.get(path).status_code for path in (page, LIST)} == {403}
    assert client.post(run).status_code == 403
    assert Product.objects.get().quantity == 10


def test_bulk_work_is_no_import_of_a_file(editor: Client) -> None:
    factories.product()
    send(editor, "change_stock", post="yes", what="received", pieces="4")
    pk = BulkChange.objects.get().pk
    assert editor.get(reverse("admin:backoffice_import_change", args=[pk])).status_code == 404
    assert editor.post(reverse("admin:backoffice_import_run", args=[pk])).status_code == 404
    assert editor.get(reverse("admin:backoffice_bulkchange_add")).status_code == 403
    for number in ("0", "x", "9" * 30):
        assert editor.get(reverse("admin:backoffice_bulkchange_change", args=[number])).status_code == 404
    api = staff_with("products.change_product", name="abe")
    assert api.get("/imports/").json()["results"] == []
    for path in (f"/imports/{pk}/", f"/imports/{pk}/rows/"):
        assert api.get(path).status_code == 404
    assert api.post(f"/imports/{pk}/run/").status_code == 404
    assert Product.objects.get().quantity == 10


def test_pages_take_as_many_queries_for_ten_products_as_for_two(editor: Client) -> None:
    lamps = factories.category("Lamps")
    for name in "AB":
        factories.product(name)
    first = send(editor, "change_category", across=True, post="yes", category=lamps.pk)["Location"]
    counts = queries(editor, first), queries(editor, LIST)
    for name in "CDEFGHIJ":
        factories.product(name, category=factories.category(name))
        last = send(editor, "change_category", across=True, post="yes", category=lamps.pk)["Location"]
    assert (queries(editor, last), queries(editor, LIST)) == counts
