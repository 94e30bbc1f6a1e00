"""Reading by slug, and former slugs."""

from typing import Any
from urllib.parse import quote

import pytest
from rest_framework.test import APIClient

from products.models import Category, FormerSlug, Product
from tests import factories

pytestmark = pytest.mark.django_db

KINDS: dict[str, Any] = {"products": factories.product, "categories": factories.category}
both = pytest.mark.parametrize("kind", KINDS)


def redirect(response: Any) -> str:
    assert response.status_code == 308, response.content
    return str(response["Location"])


@both
def test_an_object_is_read_by_its_slug_as_by_its_id(api: APIClient, kind: str) -> None:
    row = KINDS[kind]("Red shoe")
    by_id, by_slug = api.get(f"/{kind}/{row.pk}/"), api.get(f"/{kind}/by-slug/red-shoe/")
    assert (by_slug.status_code, by_slug.json(), by_slug["ETag"]) == (200, by_id.json(), by_id["ETag"])
    assert by_slug["Cache-Control"] == "public, no-cache"
    assert by_slug["Vary"] == by_id["Vary"]
    path = f"/{kind}/by-slug/red-shoe/"
    assert api.get(path, headers={"If-None-Match": by_id["ETag"]}).status_code == 304
    for unknown in ("blue-shoe", "Red-Shoe", "x" * 220, "x" * 300, "%00", "a/b"):
        assert api.get(f"/{kind}/by-slug/{unknown}/").status_code == 404, unknown


@both
def test_a_former_slug_leads_to_the_present_one(api: APIClient, staff: APIClient, kind: str) -> None:
    row = KINDS[kind]("Red shoe")
    for slug in ("second", "third"):
        assert staff.patch(f"/{kind}/{row.pk}/", {"slug": slug}).status_code == 200
    for former in ("red-shoe", "second"):
        response = api.get(f"/{kind}/by-slug/{former}/")
        assert redirect(response) == f"http://testserver/{kind}/by-slug/third/"
        assert (response["Cache-Control"], response["Vary"]) == ("public, no-cache", "Accept, Authorization, Cookie")
        assert api.get(response["Location"]).json()["id"] == row.pk
    assert "private" in staff.get(f"/{kind}/by-slug/second/")["Cache-Control"]


@both
def test_a_former_slug_is_removed_when_another_object_takes_it(api: APIClient, staff: APIClient, kind: str) -> None:
    fields = {"quantity": 1} if kind == "products" else {}
    row, path = KINDS[kind]("Red shoe"), f"/{kind}/by-slug/red-shoe/"
    staff.patch(f"/{kind}/{row.pk}/", {"slug": "crimson"})
    created = staff.post(f"/{kind}/", {"name": "Another", "slug": "red-shoe", **fields})
    assert created.status_code == 201
    assert api.get(path).json()["id"] == created.json()["id"]
    assert not FormerSlug.objects.exists()
    # Taken by a rename, and given back by its owner: it leads to the last one that had it.
    third = KINDS[kind]("Third")
    staff.patch(f"/{kind}/{created.json()['id']}/", {"slug": "fourth"})
    assert redirect(api.get(path)).endswith("/by-slug/fourth/")
    staff.patch(f"/{kind}/{third.pk}/", {"slug": "red-shoe"})
    assert api.get(path).json()["id"] == third.pk
    staff.patch(f"/{kind}/{third.pk}/", {"slug": "fifth"})
    assert redirect(api.get(path)).endswith("/by-slug/fifth/")


@both
def test_a_slug_that_its_own_object_takes_back_is_no_former_slug(api: APIClient, staff: APIClient, kind: str) -> None:
    row = KINDS[kind]("Red shoe")
    for slug in ("crimson", "red-shoe"):
        staff.patch(f"/{kind}/{row.pk}/", {"slug": slug})
    assert api.get(f"/{kind}/by-slug/red-shoe/").status_code == 200
    assert redirect(api.get(f"/{kind}/by-slug/crimson/")).endswith("/by-slug/red-shoe/")
    assert list(FormerSlug.objects.values_list("slug", flat=True)) == ["crimson"]


@both
def test_a_deleted_object_has_no_former_slugs(api: APIClient, staff: APIClient, kind: str) -> None:
    row = KINDS[kind]("Red shoe")
    staff.patch(f"/{kind}/{row.pk}/", {"slug": "crimson"})
    assert staff.delete(f"/{kind}/{row.pk}/").status_code == 204
    assert api.get(f"/{kind}/by-slug/red-shoe/").status_code == 404
    assert not FormerSlug.objects.exists()


@both
def test_a_write_without_another_slug_records_nothing(staff: APIClient, kind: str) -> None:
    row = KINDS[kind]("Red shoe")
    staff.patch(f"/{kind}/{row.pk}/", {"name": "Blue shoe"})
    staff.patch(f"/{kind}/{row.pk}/", {"slug": "red-shoe"})
    taken = KINDS[kind]("Other")
    assert staff.patch(f"/{kind}/{row.pk}/", {"slug": taken.slug}).status_code == 400
    assert not FormerSlug.objects.exists()


def test_former_slugs_of_products_and_categories_are_independent(api: APIClient, staff: APIClient) -> None:
    product, category = factories.product("Lamp"), factories.category("Lamp")
    staff.patch(f"/products/{product.pk}/", {"slug": "light"})
    staff.patch(f"/categories/{category.pk}/", {"slug": "bright"})
    assert redirect(api.get("/products/by-slug/lamp/")).endswith("/products/by-slug/light/")
    assert redirect(api.get("/categories/by-slug/lamp/")).endswith("/categories/by-slug/bright/")


def test_every_way_to_save_records_a_rename(api: APIClient) -> None:
    for number, fields in enumerate((None, ["slug"], ["slug", "name"])):
        product, category = factories.product(f"Lamp {number}"), factories.category(f"Lamp {number}")
        rows: list[tuple[Any, str]] = [(product, "products"), (category, "categories")]
        for row, kind in rows:
            row.slug = f"light-{number}"
            row.save() if fields is None else row.save(update_fields=fields)
            assert redirect(api.get(f"/{kind}/by-slug/lamp-{number}/")).endswith(f"/{kind}/by-slug/light-{number}/")
    stale = Product.objects.get(slug="light-0")
    stale.save(update_fields=["brand"])
    assert FormerSlug.objects.count() == 6


def test_a_hidden_product_is_not_found_by_its_slugs(api: APIClient, customer: APIClient, staff: APIClient) -> None:
    product = factories.product("Red shoe", is_active=False)
    staff.patch(f"/products/{product.pk}/", {"slug": "crimson"})
    for slug, status in (("red-shoe", 308), ("crimson", 200)):
        found = [client.get(f"/products/by-slug/{slug}/").status_code for client in (api, customer, staff)]
        assert found == [404, 404, status]


@pytest.mark.parametrize("name", ["東京タワー", "Ünïcode Schuh", "обувь"])
def test_slugs_of_every_script_are_encoded(api: APIClient, staff: APIClient, name: str) -> None:
    product = factories.product(name)
    slug = product.slug
    assert api.get(f"/products/by-slug/{quote(slug)}/").json()["id"] == product.pk
    staff.patch(f"/products/{product.pk}/", {"slug": f"{slug}-2"})
    location = redirect(api.get(f"/products/by-slug/{quote(slug)}/"))
    assert location == f"http://testserver/products/by-slug/{quote(f'{slug}-2')}/"
    assert api.get(location).json()["id"] == product.pk


def test_a_slug_is_found_in_either_normal_form(api: APIClient) -> None:
    factories.product("Café")
    assert api.get(f"/products/by-slug/{quote('cafe' + chr(0x301))}/").status_code == 200


def test_the_admin_shows_former_slugs_and_records_renames(staff: APIClient, client: Any) -> None:
    client.force_login(factories.user("boss", is_staff=True, is_superuser=True))
    category = Category.objects.create(name="Shoes")
    path = f"/admin/products/category/{category.pk}/change/"
    form = {"name": "Shoes", "parent": "", "slug": "boots", "position": "4"}
    assert client.post(path, form).status_code == 302
    category.refresh_from_db()
    assert (category.slug, category.position) == ("boots", 4)
    page = client.get(path).content.decode()
    assert "Former web addresses" in page
    assert "shoes" in page
    assert 'name="former_slugs"' not in page
    product = factories.product("Lamp")
    staff.patch(f"/products/{product.pk}/", {"slug": "light"})
    page = client.get(f"/admin/products/product/{product.pk}/change/").content.decode()
    assert '<div class="readonly">lamp</div>' in page
    assert client.get("/admin/products/product/add/").status_code == 200
