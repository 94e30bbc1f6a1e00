"""Cached pages by slug, of the tree, and of filters with several values."""

from typing import Any
from urllib.parse import quote

import pytest
from rest_framework.test import APIClient

from products.models import Product
from tests import factories
from tests.products.reads.pages import fill
from tests.products.reads.test_lists import names
from tests.queries import queries

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("store")]


def test_a_page_by_slug_is_cached_until_its_product_is_sold_or_renamed(api: APIClient, staff: APIClient) -> None:
    product, other = factories.product("Ünïcode Schuh"), factories.product("Other")
    path, others = f"/products/by-slug/{quote(product.slug)}/", "/products/by-slug/other/"
    fill(api, path, others)
    assert queries(api, path) == queries(api, others) == 0
    staff.patch(f"/products/{product.pk}/", {"quantity": 3})
    assert queries(api, others) == 0  # before the path, whose new page changes nothing
    assert api.get(path).json()["quantity"] == 3
    fill(api, path)
    assert (queries(api, path), api.get(path).json()["quantity"]) == (0, 3)
    staff.patch(f"/products/{product.pk}/", {"slug": "renamed"})
    assert api.get(path).status_code == 308
    fill(api, path, "/products/by-slug/renamed/")
    assert queries(api, "/products/by-slug/renamed/") == 0
    staff.patch(f"/products/{other.pk}/", {"slug": product.slug})
    assert api.get(path).json()["id"] == other.pk
    staff.patch(f"/products/{other.pk}/", {"is_active": False})
    assert api.get(path).status_code == 404


def test_the_tree_and_a_category_by_slug_are_cached_until_a_category_is_written(
    api: APIClient, staff: APIClient
) -> None:
    shoes, hats = factories.category("Shoes"), factories.category("Hats")
    paths = ["/categories/tree/", "/categories/by-slug/shoes/"]
    fill(api, *paths)
    assert [queries(api, path) for path in paths] == [0, 0]
    staff.patch(f"/products/{factories.product().pk}/", {"quantity": 1})
    staff.patch(f"/categories/{shoes.pk}/", {"position": 1})
    staff.patch(f"/categories/{hats.pk}/", {"position": 2})
    assert [row["name"] for row in api.get(paths[0]).json()] == ["Shoes", "Hats"]
    assert api.get(paths[1]).json()["position"] == 1


def test_the_cache_answers_no_page_with_an_unknown_parameter(api: APIClient) -> None:
    product, _ = factories.product(), factories.category()
    paths = ["/products/", "/products/facets/", f"/products/{product.pk}/", "/products/by-slug/red-shoe/"]
    for path in [*paths, "/categories/", "/categories/tree/", "/categories/by-slug/shoes/"]:
        fill(api, path)
        assert queries(api, path) == 0
        for query in ("colour=red", "colour=red&_=1", "__=1&utm=1"):
            assert api.get(f"{path}?{query}").status_code == 400, (path, query)
        plain, tracked = api.get(path), api.get(f"{path}?utm_source=mail&_=17")
        assert (tracked.content, tracked["ETag"]) == (plain.content, plain["ETag"])


def test_several_values_of_one_parameter_are_one_page(api: APIClient) -> None:
    shoes, hats = factories.category("Shoes"), factories.category("Hats")
    for name, category in (("a", shoes), ("b", hats), ("c", None)):
        factories.product(name, category=category, brand=f"brand {name}")
    one, both = f"/products/?category={shoes.pk}", f"/products/?category={shoes.pk}&category={hats.pk}"
    brands = "/products/?brand=brand+a&brand=brand+c"
    fill(api, one, both, brands, "/products/?ids=2,1", "/products/?ids=1,2")
    assert [queries(api, path) for path in (one, both, brands)] == [0, 0, 0]
    assert [names(api.get(path)) for path in (one, both, brands)] == [["a"], ["a", "b"], ["a", "c"]]
    following = api.get(f"{both}&limit=1").json()["next"]
    fill(api, following)
    assert names(api.get(following)) == ["b"]
    assert api.get(f"{one}&limit=1&limit=1").status_code == 400


def test_a_cached_list_by_the_time_of_change_shows_what_is_sold(api: APIClient, customer: APIClient) -> None:
    product: Any = factories.product()
    Product.objects.update(updated_at="2020-01-01T00:00:00Z")
    path = "/products/?updated_after=2021-01-01"
    fill(api, path)
    assert (queries(api, path), names(api.get(path))) == (0, [])
    customer.post("/cart-items/", {"product": product.pk, "quantity": 1})
    cart = customer.get("/carts/").json()["results"][0]["id"]
    assert customer.post(f"/carts/{cart}/checkout/").status_code == 201
    assert names(api.get(path)) == ["Red shoe"]
