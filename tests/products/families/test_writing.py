"""Creating, changing, ordering and deleting families."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from backoffice.history.models import Change
from products.families import writing
from products.models import Family, FormerSlug, Option, Product
from tests import factories

pytestmark = pytest.mark.django_db


def error(response: Any) -> tuple[str, str]:
    assert response.status_code == 400, response.content
    found = response.json()["errors"][0]
    return found["field"], found["code"]


def test_a_family_requires_name_and_axes_and_has_defaults(staff: APIClient) -> None:
    response = staff.post("/families/", {"name": "Shirt", "axes": ["Size", "Colour"]})
    assert response.status_code == 201
    body = response.json()
    assert response["Location"].endswith(f"/families/{body['id']}/")
    expected = {
        "name": "Shirt",
        "slug": "shirt",
        "description": "",
        "category": None,
        "brand": "",
        "axes": ["Size", "Colour"],
        "variants": [],
        "price_from": None,
        "price_to": None,
    }
    assert {name: body[name] for name in expected} == expected
    assert staff.get(response["Location"]).json() == body
    assert staff.post("/families/", {"name": "Shirt", "axes": ["Size"]}).json()["slug"].startswith("shirt-")


def test_invalid_values_are_refused(staff: APIClient) -> None:
    taken = factories.family("Taken")
    cases: list[tuple[dict[str, Any], str, str]] = [
        ({"name": None}, "name", "null"),
        ({"name": "\u200b"}, "name", "invisible"),
        ({"axes": []}, "axes", "min_length"),
        ({"axes": ["a", "b", "c", "d"]}, "axes", "max_length"),
        ({"axes": ["Size", " SIZE"]}, "axes", "unique"),
        ({"axes": ["a:b"]}, "axes", "invalid"),
        ({"axes": ["x" * 51]}, "axes.0", "max_length"),
        ({"axes": [5]}, "axes.0", "invalid"),
        ({"axes": "Size"}, "axes", "not_a_list"),
        ({"slug": "a b"}, "slug", "invalid"),
        ({"slug": taken.slug}, "slug", "unique"),
        ({"category": 10**9}, "category", "does_not_exist"),
        ({"order": [1]}, "order", "invalid"),
    ]
    for fields, field, code in cases:
        assert error(staff.post("/families/", {"name": "Shirt", "axes": ["Size"]} | fields)) == (field, code), fields
    assert error(staff.post("/families/", {"name": "Shirt"})) == ("axes", "required")
    assert Family.objects.count() == 1


def test_axes_are_renamed_by_position(staff: APIClient, api: APIClient) -> None:
    family = factories.family(axes=["Size", "Colour"])
    whole, part = factories.member(family, "M", "Red"), factories.member(family, "L")
    path = f"/families/{family.pk}/"
    assert staff.patch(path, {"axes": ["Colour", "Size"]}).json()["axes"] == ["Colour", "Size"]
    assert api.get(f"/products/{whole.pk}/").json()["options"] == {"Colour": "M", "Size": "Red"}
    assert api.get(f"/products/{part.pk}/").json()["options"] == {"Colour": "L"}
    assert [row["id"] for row in api.get("/products/?option=size:red").json()["results"]] == [whole.pk]
    assert api.get("/products/?option=size:m").json()["count"] == 0
    assert error(staff.patch(path, {"axes": ["Size"]})) == ("axes", "invalid")
    assert error(staff.patch(path, {"axes": ["Size", "size"]})) == ("axes", "unique")
    # The keys are still those of the options: neither the same ones nor others are taken.
    assert (
        staff.post(
            "/products/", {"name": "x", "quantity": 1, "family": family.pk, "options": {"Colour": "L"}}
        ).status_code
        == 400
    )
    Product.objects.all().delete()
    assert staff.patch(path, {"axes": ["Weight"]}).json()["axes"] == ["Weight"]


def test_the_order_names_all_products(staff: APIClient) -> None:
    family, other = factories.family(), factories.product()
    ids = [factories.member(family, size).pk for size in "SML"]
    path = f"/families/{family.pk}/"
    for order in (ids[:2], [*ids, other.pk], [ids[0], ids[0], ids[1]], []):
        assert error(staff.patch(path, {"order": order})) == ("order", "invalid")
    body = staff.patch(path, {"order": ids[::-1]}).json()
    assert [row["id"] for row in body["variants"]] == ids[::-1]
    last = factories.member(family, "XL").pk
    assert [row["id"] for row in staff.get(path).json()["variants"]] == [*ids[::-1], last]


def test_deleting_a_family_keeps_its_products(staff: APIClient, api: APIClient) -> None:
    family = factories.family()
    members = [factories.member(family, size) for size in "SM"]
    assert staff.delete(f"/families/{family.pk}/").status_code == 204
    for member in members:
        body = api.get(f"/products/{member.pk}/").json()
        assert (body["family"], body["options"], body["slug"]) == (None, {}, member.slug)
    assert Product.objects.filter(is_lead=True, options_key=None, family_position=None).count() == 2
    assert not Option.objects.exists()
    assert api.get(f"/families/{family.pk}/").status_code == 404


def test_a_family_that_is_deleted_in_a_shell_releases_its_products_too() -> None:
    family = factories.family()
    for size in "SM":
        factories.member(family, size)
    Family.objects.all().delete()
    assert Product.objects.filter(is_lead=True, options_key=None, family=None).count() == 2


def test_a_former_slug_leads_to_the_family(staff: APIClient, api: APIClient) -> None:
    family = factories.family()
    factories.member(family, "M")
    staff.patch(f"/families/{family.pk}/", {"slug": "tee"})
    response = api.get("/families/by-slug/shirt/")
    assert response.status_code == 308
    assert response["Location"].endswith("/families/by-slug/tee/")
    assert api.get("/families/by-slug/tee/").json()["id"] == family.pk
    staff.delete(f"/families/{family.pk}/")
    assert not FormerSlug.objects.exists()


def test_preconditions_compare_all_that_the_family_shows(staff: APIClient) -> None:
    family = factories.family()
    member = factories.member(family, "M")
    path = f"/families/{family.pk}/"
    tag = staff.get(path)["ETag"]
    staff.patch(f"/products/{member.pk}/", {"quantity": 3})
    for call in (staff.patch, staff.put, staff.delete):
        assert call(path, {"name": "Tee", "axes": ["Size"]}, headers={"If-Match": tag}).status_code == 412
    tag = staff.get(path)["ETag"]
    answer = staff.patch(path, {"name": "Tee"}, headers={"If-Match": tag})
    assert answer.status_code == 200
    assert answer["ETag"] == staff.get(path)["ETag"]


def test_a_category_with_families_is_in_use(staff: APIClient) -> None:
    category = factories.category()
    factories.family(category=category)
    response = staff.delete(f"/categories/{category.pk}/")
    assert (response.status_code, response.json()["type"]) == (409, "/problems/in-use")


def test_the_history_says_what_was_changed(staff: APIClient) -> None:
    family, product = factories.family(), factories.product()
    Change.objects.all().delete()
    staff.patch(f"/families/{family.pk}/", {"axes": ["Width"]})
    staff.patch(f"/products/{product.pk}/", {"family": family.pk, "options": {"Width": "M"}})
    found = {
        (change.kind, name): tuple(pair) for change in Change.objects.all() for name, pair in change.fields.items()
    }
    assert found == {
        ("products.family", "axes"): ("Size", "Width"),
        ("products.product", "family"): (None, str(family.pk)),
        ("products.product", "options"): ("", "Width: M"),
    }


def test_axes_are_checked_for_every_caller() -> None:
    assert writing.checked_axes(["Size", "Größe"]) == ["Size", "Größe"]
