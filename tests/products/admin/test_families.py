"""Families in the admin."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from products.models import Family, Product
from tests import factories
from tests.products.admin.pages import text

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(admin_client: Client) -> Client:
    return admin_client


def save(admin: Client, path: str, **fields: Any) -> Any:
    return admin.post(f"/admin/products/family/{path}", {"name": "Shirt", "axes": "Size", "slug": ""} | fields)


def test_a_familys_page_lists_its_products_in_their_order(admin: Client) -> None:
    family = factories.family()
    factories.member(family, "S", quantity=0)
    factories.member(family, "M", is_active=False, quantity=3)
    factories.member(family, "<L>", quantity=7)
    page = text(admin.get(f"/admin/products/family/{family.pk}/change/"))
    positions = [page.index(f">Shirt, {size}</a>") for size in ("S", "M", "&lt;L&gt;")]
    assert positions == sorted(positions)
    assert page.index("shown in lists") > positions[-1]
    assert "Shirt" in admin.get("/admin/products/family/?q=SHI").content.decode()
    member = Product.objects.get(quantity=7)
    assert "Size: &lt;L&gt;" in admin.get(f"/admin/products/product/{member.pk}/change/").content.decode()


def test_a_family_is_created_and_its_axes_are_renamed(admin: Client) -> None:
    assert save(admin, "add/", axes="Size\nColour\n").status_code == 302
    family = Family.objects.get()
    assert (family.axes, family.slug) == (["Size", "Colour"], "shirt")
    member = factories.member(family, "M", "Red")
    path = f"{family.pk}/change/"
    assert save(admin, path, axes="Width\nColour", slug="shirt").status_code == 302
    member.refresh_from_db()
    assert member.options == {"Width": "M", "Colour": "Red"}
    refused = admin.get(save(admin, path, axes="Width", slug="shirt")["Location"]).content.decode()
    assert "The number of axes cannot change" in refused
    assert "Two axes have the same name" in save(admin, path, axes="a\nA", slug="shirt").content.decode()
    family.refresh_from_db()
    assert family.axes == ["Width", "Colour"]


def test_opening_a_familys_page_begins_no_transaction(admin: Client) -> None:
    family = factories.family()
    factories.member(family, "M")
    for path in (f"{family.pk}/change/", "add/"):
        with CaptureQueriesContext(connection) as captured:
            assert admin.get(f"/admin/products/family/{path}").status_code == 200
        assert not [row["sql"] for row in captured if "SAVEPOINT" in row["sql"]], path


def test_deleting_families_in_a_list_keeps_their_products(admin: Client) -> None:
    family = factories.family()
    member = factories.member(family, "M")
    chosen = {"action": "delete_selected", "_selected_action": family.pk, "post": "yes"}
    assert admin.post("/admin/products/family/", chosen).status_code == 302
    member.refresh_from_db()
    assert (member.family_id, member.options, member.is_lead) == (None, {}, True)
