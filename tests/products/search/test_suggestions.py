"""`/products/suggestions/`: products, categories and brands by the beginnings of their words."""

from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from products.models import Product, Suggestion
from tests import factories
from tests.products import pictures

pytestmark = pytest.mark.django_db

PATH = "/products/suggestions/"


def suggested(api: APIClient, text: str) -> list[dict[str, Any]]:
    response = api.get(PATH, {"q": text})
    assert response.status_code == 200, response.content
    results: list[dict[str, Any]] = response.json()["results"]
    return results


def texts(api: APIClient, text: str) -> list[tuple[str, str]]:
    return [(row["kind"], row["text"]) for row in suggested(api, text)]


@pytest.mark.usefixtures("store")
def test_products_categories_and_brands(api: APIClient) -> None:
    lamps = factories.category("Floor lamps")
    lamp = factories.product("Red Lamp", category=lamps, brand="Lampard & Sons")
    plain = factories.product("Lampshade", category=lamps)
    image = pictures.add(lamp)
    thumb = api.get(f"/products/{lamp.pk}/images/").json()["results"][0]["thumb"]
    assert image.pk
    assert thumb
    assert suggested(api, "lam") == [
        {"kind": "category", "text": "Floor lamps", "id": lamps.pk, "slug": lamps.slug, "image": None},
        {"kind": "brand", "text": "Lampard & Sons", "id": None, "slug": None, "image": None},
        {"kind": "product", "text": "Red Lamp", "id": lamp.pk, "slug": lamp.slug, "image": thumb},
        {"kind": "product", "text": "Lampshade", "id": plain.pk, "slug": plain.slug, "image": None},
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("re", ["Red Café chair"]),
        ("CAFE", ["Red Café chair"]),
        ("café ch", ["Red Café chair"]),
        ("red cafe-chair", ["Red Café chair"]),
        ("afé", []),
        ("red chair", []),
        ("東京", ["東京タワー"]),
        ("タワ", ["東京タワー"]),
        ("москва", ["Москва-Экспресс"]),
        ("экс", ["Москва-Экспресс"]),
        ("%%", []),
        ("__", []),
        ("!?", []),
        ("x" * 100, []),
    ],
)
def test_beginnings_of_words(api: APIClient, text: str, expected: list[str]) -> None:
    for name in ("Red Café chair", "東京タワー", "Москва-Экспресс"):
        factories.product(name)
    assert [name for _, name in texts(api, text)] == expected


@pytest.mark.parametrize("query", ["", "?q=", "?q=a", "?q=%20a%20", "?q=" + "x" * 101, "?q=ab&q=cd", "?q=a%00b"])
def test_a_text_that_is_too_short_or_too_long_is_a_400(api: APIClient, query: str) -> None:
    response = api.get(f"{PATH}{query}")
    assert response.status_code == 400, response.content
    assert response.json()["errors"][0]["field"] == "q"


def test_only_active_products_and_their_brands(api: APIClient) -> None:
    hidden = factories.product("Lamp", brand="Lampard", is_active=False)
    assert texts(api, "lamp") == []
    shown = factories.product("Lamp of glass", brand="LAMPARD")
    assert texts(api, "lamp") == [("brand", "LAMPARD"), ("product", "Lamp of glass")]
    shown.delete()
    hidden.is_active = True
    hidden.save(update_fields=["is_active"])
    assert texts(api, "lamp") == [("brand", "Lampard"), ("product", "Lamp")]


def test_at_most_ten(api: APIClient) -> None:
    for number in range(12):
        factories.category(f"Lamps {number:02}")
        factories.product(f"Lamp {number:02}", brand=f"Lamp brand {number:02}")
    rows = texts(api, "lamp")
    assert [kind for kind, _ in rows] == ["category"] * 3 + ["brand"] * 2 + ["product"] * 5
    assert rows[-1] == ("product", "Lamp 04")


def test_renamed_and_deleted_ones(api: APIClient, staff: APIClient) -> None:
    category, product = factories.category("Lamps"), factories.product("Lamp", brand="Lampard")
    for path, fields in (
        (f"/categories/{category.pk}/", {"name": "Torches"}),
        (f"/products/{product.pk}/", {"name": "Torch", "brand": "Torchwood"}),
    ):
        assert staff.patch(path, fields, format="json").status_code == 200
    assert texts(api, "lamp") == []
    expected = [("category", "Torches"), ("brand", "Torchwood"), ("product", "Torch")]
    assert texts(api, "torch") == expected
    for path in (f"/categories/{category.pk}/", f"/products/{product.pk}/"):
        assert staff.delete(path).status_code == 204
    assert texts(api, "torch") == []
    assert not Suggestion.objects.exclude(kind="brand").exists()


def test_a_change_of_neither_name_nor_brand_writes_no_row() -> None:
    product = factories.product("Lamp", brand="Lampard")
    before = list(Suggestion.objects.values_list("pk", flat=True))
    product.price = 1
    product.save(update_fields=["price"])
    product.save()
    assert list(Suggestion.objects.values_list("pk", flat=True)) == before


def test_rows_of_before_the_upgrade_are_suggested_after_a_rebuild(api: APIClient) -> None:
    factories.category("Lamps")
    factories.product("Lamp", brand="Lampard")
    expected = texts(api, "lamp")
    Suggestion.objects.all().delete()
    assert texts(api, "lamp") == []
    for _ in range(2):
        call_command("rebuild_search")
        assert texts(api, "lamp") == expected
    assert Suggestion.objects.count() == 3


def test_the_statements_do_not_grow(api: APIClient) -> None:
    counts = []
    for size in (2, 10):
        for number in range(Product.objects.count(), size):
            factories.product(f"Lamp {number}", brand=f"Lamp {number}", category=factories.category(f"Lamp {number}"))
        with CaptureQueriesContext(connection) as queries:
            suggested(api, "lamp")
        counts.append(len(queries))
    assert counts == [6, 6]  # two for categories, one for brands, two for products, one for images
