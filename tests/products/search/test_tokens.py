"""`search=` as shoppers type: stems, SKUs, names of categories, and some of the words where nothing has all."""

from typing import Any

import pytest
from django.core.management import call_command
from rest_framework.test import APIClient

from products.models import Product
from tests import factories
from tests.products.search.searching import search, strict

# InnoDB's index sees committed rows only.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=[True, False], ids=["index", "no FTS5"])
def any_index(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if not request.param:
        monkeypatch.setattr("products.search.query.sqlite_has_fts5", lambda: False)


@pytest.mark.usefixtures("any_index")
def test_words_are_compared_by_their_stem(api: APIClient) -> None:
    factories.product("Reading lamp", description="For houses", sku="A-1")
    factories.product("Lamps, a pair", sku="A-2")
    for text in ("lamp", "lamps", "LAMPS", "lamps reading", "lamps read", "house lamp", "houses read lam"):
        assert "Reading lamp" in strict(api, text), text
    assert strict(api, "lamp") == strict(api, "lamps") == ["Lamps, a pair", "Reading lamp"]
    assert strict(api, "readi") == ["Reading lamp"]  # the beginning of a word that is not its stem's
    assert strict(api, "lampoon") == []


@pytest.mark.usefixtures("any_index")
def test_a_product_is_found_by_its_sku_and_by_the_beginning_of_it(api: APIClient) -> None:
    factories.product("Torch", sku="LAMP-0042")
    factories.product("Chair", sku="R-1")
    factories.product("Table", sku="R-12")
    for text in ("LAMP-0042", "lamp-0042", "LAMP-00", "lamp", "0042", "lamps 0042", "torch 0042"):
        assert strict(api, text) == ["Torch"], text
    assert strict(api, "R-1") == ["Chair"]
    assert strict(api, "r-12") == ["Table"]


@pytest.mark.usefixtures("any_index")
def test_a_product_is_found_by_the_names_of_its_categories(api: APIClient) -> None:
    furniture = factories.category("Möbel & Furniture")
    chairs = factories.category("Garden chairs", parent=furniture)
    product = factories.product("Adirondack", category=chairs)
    factories.product("Chair of nothing")
    for text in ("furniture", "mobel", "garden chair", "adirondack furnitures"):
        assert strict(api, text) == ["Adirondack"], text
    assert search(api, "chair")["results"][0]["name"] == "Chair of nothing"  # the name counts more
    product.category = None
    product.save(update_fields=["category"])
    assert strict(api, "garden") == []


@pytest.mark.usefixtures("any_index")
def test_some_of_the_words_are_enough_where_nothing_has_all(api: APIClient) -> None:
    for name in ("Red lamp", "Red chair", "Blue lamp", "東京タワー"):
        factories.product(name, sku=f"S{Product.objects.count()}")
    hidden = factories.product("Red lamp of glass", is_active=False, sku="H")
    body = search(api, "red lamp glass")
    assert body["search_relaxed"] is True
    assert body["results"][0]["name"] == "Red lamp"
    assert sorted(row["name"] for row in body["results"]) == ["Blue lamp", "Red chair", "Red lamp"]
    assert (body["count"], body["count_is_exact"]) == (3, True)
    assert api.get("/products/facets/", {"search": "red lamp glass"}).json()["count"] == 3
    assert "search_relaxed" not in search(api, "red lamp")
    nothing = search(api, "green sofa")
    assert (nothing["count"], "search_relaxed" in nothing) == (0, False)
    assert search(api, "カラス")["results"] == []  # one word, of which a part occurs in no name
    tower = search(api, "タワー glass")
    assert [row["name"] for row in tower["results"]] == ["東京タワー"]
    hidden.is_active = True
    hidden.save(update_fields=["is_active"])
    assert strict(api, "red lamp glass") == ["Red lamp of glass"]


@pytest.mark.parametrize("parameters", [{}, {"ordering": "-name"}])
def test_pages_of_a_relaxed_search(api: APIClient, parameters: dict[str, str]) -> None:
    for number in range(5):
        factories.product(f"Lamp {number}")
    names: list[str] = []
    body = search(api, "lamp sofa", limit=2, **parameters)
    while True:
        assert (body["search_relaxed"], body["count"]) == (True, 5)
        names += [row["name"] for row in body["results"]]
        if body["next"] is None:
            break
        body = api.get(body["next"]).json()
    assert sorted(names) == [f"Lamp {number}" for number in range(5)]
    if parameters:
        assert names == sorted(names, reverse=True)
    filtered = search(api, "lamp sofa", min_price="1000")
    assert (filtered["count"], "search_relaxed" in filtered) == (0, False)


def test_rows_of_before_the_upgrade_are_found_by_their_words_until_they_are_rebuilt(
    api: APIClient, capsys: Any
) -> None:
    product = factories.product("Two lamps", category=factories.category("Lights"), sku="Z-9")
    Product.objects.filter(pk=product.pk).update(search_text=" qqtwo qqlamps ")
    assert strict(api, "two lamps") == ["Two lamps"]
    assert strict(api, "lamp") == ["Two lamps"]  # the beginning of its word
    assert "search_relaxed" in search(api, "lamp two")
    call_command("rebuild_search")
    assert "1 of them were updated" in capsys.readouterr().out
    for text in ("lamp two", "lights", "light two", "z-9"):
        assert strict(api, text) == ["Two lamps"], text
