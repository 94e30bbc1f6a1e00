"""Imports over HTTP."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from backoffice.imports import progress, uploading
from backoffice.imports.models import Import
from products.models import Product
from tests import factories
from tests.backoffice.imports.files import xlsx
from tests.backoffice.people import staff_with

pytestmark = pytest.mark.django_db

MEMBERS = {
    "id", "kind", "mode", "status", "rows", "created", "changed", "unchanged", "refused", "progress", "message",
    "created_at",
}  # fmt: skip
STOCK = b"sku;quantity\nA;8\nB;+1\nX;1\n"


@pytest.fixture
def editor(db: None) -> APIClient:
    """Staff who may change products, and nothing else."""
    for sku in "AB":
        factories.product(sku, sku=sku, quantity=10)
    return staff_with("products.change_product")


def post(client: APIClient, content: bytes, **fields: Any) -> Any:
    body = {"kind": "stock", "file": SimpleUploadedFile("any.name", content)} | fields
    return client.post("/imports/", body, format="multipart")


def error(response: Any) -> tuple[int, str, str]:
    [only] = response.json()["errors"]
    return response.status_code, only["field"], only["code"]


def test_a_file_is_uploaded_checked_and_run(editor: APIClient) -> None:
    response = post(editor, STOCK, mode="row_by_row")
    body = response.json()
    assert (response.status_code, body.keys()) == (201, MEMBERS)
    assert (body["status"], body["rows"], body["progress"]) == ("checking", 3, 0)
    path = f"/imports/{body['id']}/"
    assert response["Location"] == f"http://testserver{path}"
    early = editor.post(f"{path}run/")
    assert (early.status_code, early.json()["type"]) == (409, "/problems/import-state")
    progress.work(body["id"])
    checked = editor.get(path)
    assert editor.get(path, headers={"If-None-Match": checked["ETag"]}).status_code == 304
    assert (checked.json()["status"], checked.json()["changed"], checked.json()["refused"]) == ("checked", 2, 1)
    assert editor.get(f"{path}rows/?outcome=refused").json()["results"] == [
        {"number": 4, "sku": "X", "outcome": "refused", "message": "There is no product with this SKU."}
    ]
    page = editor.get(f"{path}rows/?limit=2").json()
    assert [row["number"] for row in page["results"]] == [2, 3]
    assert [row["number"] for row in editor.get(page["next"]).json()["results"]] == [4]
    assert [editor.post(f"{path}run/").status_code for _ in range(2)] == [202, 200]
    progress.work(body["id"])
    again = editor.post(f"{path}run/")
    assert (again.status_code, again.json()["status"], again.json()["progress"]) == (200, "done", 1)
    assert list(Product.objects.order_by("sku").values_list("quantity", flat=True)) == [8, 11]
    assert editor.get("/imports/").json()["results"] == [again.json()]


def test_all_or_nothing_is_not_run_if_a_row_is_refused(editor: APIClient) -> None:
    body = post(editor, STOCK).json()
    assert body["mode"] == "all_or_nothing"
    progress.work(body["id"])
    refused = editor.post(f"/imports/{body['id']}/run/")
    assert (refused.status_code, refused.json()["refused"]) == (409, 1)
    assert refused.json()["type"] == "/problems/import-refused"
    assert Product.objects.get(sku="A").quantity == 10


def test_what_is_refused_immediately(editor: APIClient, settings: Any) -> None:
    assert error(post(editor, b"quantity\n1\n")) == (400, "file", "no_sku")
    assert error(post(editor, b"sku,price\nA,1\n")) == (400, "file", "unknown_column")
    assert error(post(editor, b"sku,quantity\n")) == (400, "file", "empty")
    assert error(post(editor, b"")) == (400, "file", "no_sku")
    assert error(post(editor, b"\x00\xff")) == (400, "file", "encoding")
    for column in ("options", "option:"):
        assert error(post(editor, f"sku,{column}\nA,1\n".encode(), kind="products"))[2] == "unknown_column"
    assert error(post(editor, STOCK, kind="orders"))[1] == "kind"
    assert error(post(editor, STOCK, mode="some"))[1] == "mode"
    assert error(editor.post("/imports/", {"kind": "stock"}, format="multipart"))[1] == "file"
    assert editor.post("/imports/", {"kind": "stock"}).status_code == 415
    for path, name in (("/imports/?kind=stock", "kind"), ("/imports/1/rows/?outcom=x", "outcom")):
        assert error(editor.get(path)) == (400, name, "unknown_parameter")
    assert not Import.objects.exists()
    body = post(editor, STOCK).json()
    assert error(editor.get(f"/imports/{body['id']}/rows/?outcome=x"))[:2] == (400, "outcome")
    settings.IMPORT_MAX_BYTES = len(STOCK)
    assert post(editor, STOCK).status_code == 201
    settings.IMPORT_MAX_BYTES = len(STOCK) - 1
    assert post(editor, STOCK).status_code == 413


def test_only_imports_take_bodies_as_large_as_an_import(editor: APIClient, settings: Any) -> None:
    settings.IMAGE_MAX_BYTES, settings.JSON_MAX_BYTES, settings.IMPORT_MAX_BYTES = 1_000, 1_000, 5_000
    large = SimpleUploadedFile("x.csv", STOCK + b"\n" * 3_000)
    assert post(editor, large.read()).status_code == 201
    path = f"/products/{Product.objects.all()[0].pk}/images/"
    large.seek(0)
    assert editor.post(path, {"image": large}, format="multipart").status_code == 413
    assert post(editor, b"\n" * 6_500).status_code == 413


def test_an_xlsx_file_with_another_name(editor: APIClient) -> None:
    body = post(editor, xlsx([["sku", "quantity"], ["A", 7]])).json()
    progress.work(body["id"])
    assert editor.get(f"/imports/{body['id']}/").json()["changed"] == 1


def test_the_permissions_of_the_user_decide_about_rows(editor: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploading, "SLICE_ROWS", 1)
    content = b"sku,name,quantity,category\nA,Changed,,\nN,New,1,\nB,,,Garden\n"
    body = post(editor, content, kind="products").json()
    progress.work(body["id"])
    rows = editor.get(f"/imports/{body['id']}/rows/").json()["results"]
    assert [row["outcome"] for row in rows] == ["changed", "refused", "refused"]
    assert "may not add products" in rows[1]["message"]
    assert "may not add categories" in rows[2]["message"]


def test_a_list_costs_the_same_at_any_length(editor: APIClient, django_assert_max_num_queries: Any) -> None:
    body = post(editor, b"sku,quantity\n" + b"".join(b"S%d,1\n" % number for number in range(12))).json()
    progress.work(body["id"])
    for limit in (2, 10):
        with django_assert_max_num_queries(6):
            assert len(editor.get(f"/imports/{body['id']}/rows/?limit={limit}").json()["results"]) == limit
