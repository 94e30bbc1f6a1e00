"""The category tree over HTTP."""

import pytest
from rest_framework.test import APIClient

from products.models import Category
from tests import factories

pytestmark = pytest.mark.django_db


def add(staff: APIClient, name: str, parent: int | None = None) -> int:
    answer = staff.post("/categories/", {"name": name, "parent": parent})
    assert answer.status_code == 201, answer.content
    return answer.json()["id"]


def test_a_category_shows_its_path(staff: APIClient, api: APIClient) -> None:
    shoes = add(staff, "Shoes")
    boots = add(staff, "Boots", shoes)
    body = api.get(f"/categories/{boots}/").json()
    assert body == {"id": boots, "name": "Boots", "slug": "boots", "parent": shoes, "path": ["Shoes", "Boots"]}


def test_a_subtree_moves_with_its_root(staff: APIClient, api: APIClient) -> None:
    a, b = add(staff, "A"), add(staff, "B")
    c = add(staff, "C", a)
    d = add(staff, "D", c)
    assert staff.patch(f"/categories/{c}/", {"parent": b}).status_code == 200
    assert api.get(f"/categories/{d}/").json()["path"] == ["B", "C", "D"]
    factories.product(category_id=d)
    assert api.get(f"/products/?category={b}").json()["count"] == 1
    assert api.get(f"/products/?category={a}").json()["count"] == 0


def test_a_category_cannot_stand_below_itself(staff: APIClient) -> None:
    a = add(staff, "A")
    b = add(staff, "B", a)
    for parent in (a, b):
        answer = staff.patch(f"/categories/{a}/", {"parent": parent})
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["field"] == "parent"
    assert Category.objects.get(pk=a).parent is None


def test_siblings_names_differ_by_more_than_case(staff: APIClient) -> None:
    a = add(staff, "Straße")
    for name in ("STRASSE", "straße", "Straße "):
        answer = staff.post("/categories/", {"name": name})
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["field"] == "name"
    add(staff, "Straße", a)
    add(staff, "Café")
    add(staff, "Cafe")


def test_what_is_in_use_is_not_deleted(staff: APIClient) -> None:
    a = add(staff, "A")
    b = add(staff, "B", a)
    product = factories.product(category_id=b)
    for pk in (a, b):
        answer = staff.delete(f"/categories/{pk}/")
        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/in-use")
    product.delete()
    assert staff.delete(f"/categories/{b}/").status_code == 204
    assert staff.delete(f"/categories/{a}/").status_code == 204


def test_only_staff_write(api: APIClient, customer: APIClient) -> None:
    category = factories.category()
    for client, status in ((api, 401), (customer, 403)):
        assert client.post("/categories/", {"name": "x"}).status_code == status
        assert client.delete(f"/categories/{category.pk}/").status_code == status
