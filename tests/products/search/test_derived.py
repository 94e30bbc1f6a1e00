"""Derived columns are saved with their sources and are never stale."""

from typing import Any

import pytest
from django.db.models import Model
from rest_framework.test import APIClient

from products.models import Category, Product
from tests import factories

pytestmark = pytest.mark.django_db


def stored_row(row: Model) -> Any:
    return type(row)._default_manager.get(pk=row.pk)


def is_consistent(row: Any) -> bool:
    """Whether the derived columns in the database match their sources."""
    stored = stored_row(row)
    fresh = stored_row(row)
    fresh.derive()
    return all(getattr(stored, column) == getattr(fresh, column) for column in row.DERIVED)


@pytest.fixture
def stale() -> Product:
    """An instance of a product that was renamed after it was read."""
    product = factories.product("Red shoe", brand="Acme", description="Warm.", sku="A-1")
    renamed = stored_row(product)
    renamed.name, renamed.brand, renamed.description = "Green boot", "Zenith", "Light."
    renamed.save()
    return product


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (["is_active"], ("Green boot", "Zenith", "Light.")),
        (["slug", "sku", "price"], ("Green boot", "Zenith", "Light.")),
        (["description"], ("Green boot", "Zenith", "New.")),
        (["brand"], ("Green boot", "New", "Light.")),
        (["name", "description"], ("New", "Zenith", "New.")),
        (["search_text"], ("Green boot", "Zenith", "Light.")),
        (["name_key", "brand_key"], ("Green boot", "Zenith", "Light.")),
    ],
)
def test_a_stale_product_saves_no_stale_key(stale: Product, fields: list[str], expected: tuple[str, ...]) -> None:
    for name, new in (("name", "New"), ("brand", "New"), ("description", "New.")):
        if name in fields:
            setattr(stale, name, new)
    stale.save(update_fields=fields)
    stored = stored_row(stale)
    assert (stored.name, stored.brand, stored.description) == expected
    assert is_consistent(stale)


@pytest.mark.django_db(transaction=True)  # InnoDB's fulltext index has committed rows only
def test_a_product_is_found_by_its_current_name(stale: Product, api: APIClient) -> None:
    stale.description = "New."
    stale.save(update_fields=["description"])
    for search, count in (("green", 1), ("new", 1), ("red", 0), ("warm", 0)):
        assert api.get(f"/products/?search={search}").json()["count"] == count, search


def test_a_new_name_saves_its_keys() -> None:
    product, category = factories.product("Red shoe"), factories.category("Shoes")
    for row in (product, category):
        row.name = "ÄRMEL"
        row.save(update_fields=["name"])
        assert "ärmel" in stored_row(row).name_key
        assert is_consistent(row)


@pytest.mark.parametrize("fields", [["slug"], ["name"], ["parent"], ["parent_id"], ["sibling_key"], None])
def test_a_stale_category_keeps_the_tree_consistent(fields: list[str] | None) -> None:
    a, b = factories.category("A"), factories.category("B")
    stale = factories.category("C", parent=a)
    child = factories.category("D", parent=stale)
    moved = Category.objects.get(pk=stale.pk)
    moved.parent, moved.name = b, "E"
    moved.save()
    stale.slug = "new"
    stale.save(update_fields=fields)
    assert is_consistent(stale)
    stored = stored_row(stale)
    assert stored.parent_id == (a.pk if fields in (None, ["parent"], ["parent_id"]) else b.pk)
    assert stored.name == ("C" if fields in (None, ["name"]) else "E")
    assert stored.lineage == f"/{stored.parent_id}/{stale.pk}/"
    assert stored_row(child).lineage == f"{stored.lineage}{child.pk}/"
