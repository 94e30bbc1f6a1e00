"""The category tree over HTTP."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from products.models import Category
from tests import factories

pytestmark = pytest.mark.django_db


def add(staff: APIClient, name: str, parent: int | None = None) -> int:
    response = staff.post("/categories/", {"name": name, "parent": parent})
    assert response.status_code == 201, response.content
    return response.json()["id"]


def test_a_category_shows_its_path(staff: APIClient, api: APIClient) -> None:
    shoes = add(staff, "Shoes")
    boots = add(staff, "Boots", shoes)
    body = api.get(f"/categories/{boots}/").json()
    assert body == {
        "id": boots,
        "name": "Boots",
        "slug": "boots",
        "parent": shoes,
        "position": 0,
        "path": ["Shoes", "Boots"],
    }


def test_a_subtree_moves_with_its_root(staff: APIClient, api: APIClient) -> None:
    a, b = add(staff, "A"), add(staff, "B")
    c = add(staff, "C", a)
    d = add(staff, "D", c)
    assert staff.patch(f"/categories/{c}/", {"parent": b}).status_code == 200
    assert api.get(f"/categories/{d}/").json()["path"] == ["B", "C", "D"]
    factories.product(category_id=d)
    assert api.get(f"/products/?category={b}").json()["count"] == 1
    assert api.get(f"/products/?category={a}").json()["count"] == 0


def test_a_category_cannot_be_moved_below_itself(staff: APIClient) -> None:
    a = add(staff, "A")
    b = add(staff, "B", a)
    for parent in (a, b):
        response = staff.patch(f"/categories/{a}/", {"parent": parent})
        assert response.status_code == 400
        assert response.json()["errors"][0]["field"] == "parent"
    assert Category.objects.get(pk=a).parent is None


def test_siblings_names_are_unique_without_case(staff: APIClient) -> None:
    a = add(staff, "Straße")
    for name in ("STRASSE", "straße", "Straße "):
        response = staff.post("/categories/", {"name": name})
        assert response.status_code == 400
        assert response.json()["errors"][0]["field"] == "name"
    add(staff, "Straße", a)
    add(staff, "Café")
    add(staff, "Cafe")


def test_a_category_in_use_cannot_be_deleted(staff: APIClient) -> None:
    a = add(staff, "A")
    b = add(staff, "B", a)
    product = factories.product(category_id=b)
    for pk in (a, b):
        response = staff.delete(f"/categories/{pk}/")
        assert (response.status_code, response.json()["type"]) == (409, "/problems/in-use")
    product.delete()
    assert staff.delete(f"/categories/{b}/").status_code == 204
    assert staff.delete(f"/categories/{a}/").status_code == 204


def test_only_staff_write(api: APIClient, customer: APIClient) -> None:
    category = factories.category()
    for client, status in ((api, 401), (customer, 403)):
        assert client.post("/categories/", {"name": "x"}).status_code == status
        assert client.delete(f"/categories/{category.pk}/").status_code == status


def test_the_tree_is_one_answer_ordered_by_position_then_name(api: APIClient, staff: APIClient) -> None:
    shoes, hats = factories.category("Shoes"), factories.category("Hats")
    factories.category("Äpfel", position=2)
    boots = factories.category("Boots", parent=shoes)
    sandals = factories.category("Sandals", parent=shoes)
    deep = factories.category("Deep", parent=boots)
    path = "/categories/tree/"

    def shape(nodes: Any) -> list[Any]:
        return [(node["name"], shape(node["children"])) for node in nodes]

    response = api.get(path)
    assert shape(response.json()) == [
        ("Hats", []),
        ("Shoes", [("Boots", [("Deep", [])]), ("Sandals", [])]),
        ("Äpfel", []),
    ]
    assert response.json()[0] == {"id": hats.pk, "name": "Hats", "slug": "hats", "children": []}
    assert (response["Cache-Control"], response["Vary"]) == ("public, no-cache", "Accept, Authorization, Cookie")
    assert api.get(path, headers={"If-None-Match": response["ETag"]}).status_code == 304
    assert staff.patch(f"/categories/{boots.pk}/", {"position": 1}).json()["position"] == 1
    assert staff.patch(f"/categories/{hats.pk}/", {"position": 3}).status_code == 200
    for _ in range(3):
        assert [name for name, _ in shape(api.get(path).json())] == ["Shoes", "Äpfel", "Hats"]
    assert [name for name, _ in shape(api.get(path).json()[0]["children"])] == ["Sandals", "Boots"]
    staff.delete(f"/categories/{deep.pk}/")
    assert shape(api.get(path).json())[0] == ("Shoes", [("Sandals", []), ("Boots", [])])
    assert api.post(path).status_code == 405
    assert sandals.position == 0


def test_the_tree_takes_one_query_whatever_its_size(api: APIClient) -> None:
    assert api.get("/categories/tree/").json() == []
    for size in (2, 10):
        parent = None
        for index in range(size):
            parent = factories.category(f"c{size}-{index}", parent=parent)
        with CaptureQueriesContext(connection) as queries:
            assert api.get("/categories/tree/").status_code == 200
        assert len(queries) == 1


def test_position_is_a_number_from_0(staff: APIClient) -> None:
    created = staff.post("/categories/", {"name": "Hats", "position": 5})
    assert (created.status_code, created.json()["position"]) == (201, 5)
    assert staff.post("/categories/", {"name": "Shoes"}).json()["position"] == 0
    path = f"/categories/{created.json()['id']}/"
    assert staff.put(path, {"name": "Hats"}).json()["position"] == 5
    for value in (-1, 2**31, "first", 1.5, None, True):
        response = staff.patch(path, {"position": value})
        assert [error["field"] for error in response.json()["errors"]] == ["position"], value
