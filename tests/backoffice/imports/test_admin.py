"""The wizard of imports in the admin."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from backoffice.imports import progress
from backoffice.imports.models import Import
from products.models import Product
from tests import factories
from tests.backoffice.people import member

pytestmark = pytest.mark.django_db

ADD = reverse("admin:backoffice_import_add")
LIST = reverse("admin:backoffice_import_changelist")


@pytest.fixture
def editor(client: Client) -> Client:
    client.force_login(member("products.change_product", "products.view_product"))
    factories.product("Lamp", sku="A", quantity=10)
    return client


def upload(client: Client, content: bytes, mode: str = "row_by_row") -> Any:
    file = SimpleUploadedFile("stock.csv", content)
    return client.post(ADD, {"kind": "stock", "mode": mode, "file": file})


def text(response: Any) -> str:
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def test_a_file_is_uploaded_checked_run_and_its_result_is_shown(editor: Client) -> None:
    assert f'<a href="{ADD}">Import</a>' in text(editor.get(reverse("admin:products_product_changelist")))
    assert 'value="all_or_nothing" required id="id_mode_0" checked' in text(editor.get(ADD))
    answer = upload(editor, b"sku,quantity\nA,7\n<X>,1\n")
    row = Import.objects.get()
    page, run = answer["Location"], reverse("admin:backoffice_import_run", args=[row.pk])
    waiting = text(editor.get(page))
    assert 'http-equiv="refresh"' in waiting
    assert run not in waiting
    progress.work(row.pk)
    checked = text(editor.get(page))
    assert 'http-equiv="refresh"' not in checked
    assert '&lt;X&gt;</th><td>refused</td><td dir="auto">There is no product with this SKU.' in checked
    assert '<th scope="row" dir="auto">A</th>' not in checked
    assert '<th scope="row" dir="auto">A</th><td>changed</td>' in text(editor.get(f"{page}?outcome=changed"))
    assert Product.objects.get().quantity == 10
    assert editor.get(run).status_code == 405
    assert editor.post(run)["Location"] == page
    assert "The rows are written: 0%" in text(editor.get(page))
    progress.work(row.pk)
    assert "The import is done" in text(editor.get(page))
    assert Product.objects.get().quantity == 7
    assert page in text(editor.get(LIST))


def test_errors_are_shown_where_they_belong(editor: Client, settings: Any) -> None:
    assert "There is no column &#x27;name&#x27;" in text(upload(editor, b"sku,name\nA,x\n"))
    assert "The file has no row" in text(upload(editor, b"sku\n"))
    page = upload(editor, b"sku,quantity\nX,1\n", "all_or_nothing")["Location"]
    row = Import.objects.get()
    progress.work(row.pk)
    assert "Rows that are refused: 1." in text(editor.get(page))
    run = reverse("admin:backoffice_import_run", args=[row.pk])
    assert run not in text(editor.get(page))
    assert "Rows that are refused: 1." in text(editor.post(run, follow=True))
    assert editor.post(reverse("admin:backoffice_import_run", args=[10**6])).status_code == 404
    settings.IMAGE_MAX_BYTES, settings.JSON_MAX_BYTES, settings.IMPORT_MAX_BYTES = 100, 1_000, 5_000
    assert upload(editor, b"sku,quantity\nA,1\n" + b"\n" * 4_000).status_code == 302
    assert upload(editor, b"\n" * 7_000).status_code == 413


def test_long_imports_are_paged(editor: Client) -> None:
    page = upload(editor, b"sku,quantity\n" + b"".join(b"S%d,1\n" % number for number in range(120)))["Location"]
    progress.work(Import.objects.get().pk)
    numbers = []
    for after in ("", "&after=51", "&after=101", "&after=x"):
        body = text(editor.get(f"{page}?outcome=refused{after}"))
        numbers.append((body.count('<tr class="refused">'), "More rows" in body))
    assert numbers == [(50, True), (50, True), (20, False), (50, True)]


def test_others_than_staff_who_change_products_do_not_import(editor: Client, client: Client) -> None:
    page = upload(editor, b"sku,quantity\nA,7\n")["Location"]
    run = reverse("admin:backoffice_import_run", args=[Import.objects.get().pk])
    client.force_login(member("products.view_product", "orders.change_order", name="otto"))
    for path in (ADD, LIST, page):
        assert client.get(path).status_code == 403
    assert upload(client, b"sku,quantity\nA,7\n").status_code == 403
    assert client.post(run).status_code == 403
    assert ADD not in text(client.get(reverse("admin:products_product_changelist")))
    assert Import.objects.get().status == "checking"
