"""The items of the feed."""

from decimal import Decimal
from typing import Any

import pytest

from backoffice.feeds import google
from tests.backoffice.feeds.reading import GOOGLE, parse
from tests.backoffice.feeds.test_sitemap import row


def item(**columns: Any) -> dict[str, str]:
    text = google.item(row(**columns))
    [found] = parse(f'<a xmlns:g="http://base.google.com/ns/1.0">{text}</a>'.encode())
    return {each.tag.removeprefix(GOOGLE): each.text or "" for each in found}


def test_the_attributes_that_google_requires() -> None:
    assert item(brand="Bright & Co", description="Warm <light>") == {
        "id": "L-1",
        "title": "Lamp",
        "description": "Warm <light>",
        "link": "https://shop.example/p/lamp",
        "image_link": "https://api.example/a.jpg",
        "availability": "in_stock",
        "price": "12.50 EUR",
        "condition": "new",
        "brand": "Bright & Co",
        "identifier_exists": "no",
    }


def test_without_brand_description_and_stock() -> None:
    found = item(in_stock=False)
    assert (found["availability"], found["description"]) == ("out_of_stock", "Lamp")
    assert "brand" not in found


def test_a_variant_names_its_family_and_what_google_knows_of_its_options() -> None:
    found = item(family=7, options={"Size": "M & L", "COLOUR": "Red", "Fit": "Slim"})
    assert (found["item_group_id"], found["size"], found["color"]) == ("7", "M & L", "Red")
    assert "Slim" not in found.values()
    assert "item_group_id" not in item()


def test_texts_are_cut_at_googles_lengths() -> None:
    found = item(name="靴" * 200, description="é" * 6_000, brand="b" * 100)
    assert [len(found[name]) for name in ("title", "description", "brand")] == [150, 5_000, 70]
    assert len(item(description="&" * 6_000)["description"]) == 5_000


def test_long_skus_stay_different() -> None:
    assert google.item_id("A" * 50) == "A" * 50
    ids = [google.item_id(f"{'A' * 60}{end}") for end in "123"]
    assert len({*ids}) == 3
    assert {len(each) for each in ids} == {50}
    assert all(each.startswith("A" * 37 + "-") for each in ids)
    assert google.item_id(f"{'A' * 60}1") == ids[0]


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({}, None),
        ({"image": None}, "picture"),
        ({"price": Decimal("0.00")}, "price"),
        ({"link": "a" * 2_001}, "link"),
        ({"link": "a" * 2_000, "in_stock": False}, None),
    ],
)
def test_what_google_would_refuse_is_left_out(columns: dict[str, Any], reason: str | None) -> None:
    assert google.reason(row(**columns)) == reason
    assert reason is None or reason in google.REASONS
