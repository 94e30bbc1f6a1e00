"""The addresses of products and pictures."""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from backoffice.feeds import addresses
from productbackend.environment import Environment, product_url


@pytest.mark.parametrize(
    ("slug", "end"), [("red-shoe", "red-shoe"), ("赤い靴", "%E8%B5%A4%E3%81%84%E9%9D%B4"), ("a&b/c", "a%26b%2Fc")]
)
def test_a_slug_of_any_script_is_percent_encoded(slug: str, end: str) -> None:
    assert addresses.product_url(slug) == f"https://shop.example/p/{end}"


def test_pictures_have_absolute_urls(settings: Any) -> None:
    assert addresses.image_url("products/ab/a.jpg") == "https://api.example/media/products/ab/a.jpg"
    settings.MEDIA_URL = "https://cdn.example/"
    assert addresses.image_url("products/ab/a.jpg") == "https://cdn.example/products/ab/a.jpg"


@pytest.mark.parametrize("name", ["SHOP_PRODUCT_URL", "SITE_URL", "CURRENCY", "SHOP_NAME", "MEDIA_URL"])
def test_the_basis_changes_with_each_setting(settings: Any, name: str) -> None:
    before = addresses.basis()
    setattr(settings, name, "https://other.example/{slug}/")
    assert addresses.basis() != before


@pytest.mark.parametrize("good", ["https://shop.example/p/{slug}", "http://localhost:3000/{slug}/?from=map"])
def test_patterns(monkeypatch: pytest.MonkeyPatch, tmp_path: Any, good: str) -> None:
    monkeypatch.setenv("SHOP_PRODUCT_URL", good)
    assert Environment(tmp_path / "none")("SHOP_PRODUCT_URL", None, product_url) == good


@pytest.mark.parametrize(
    "bad",
    [
        "shop.example/{slug}", "https://shop.example/p/", "https://{slug}.example/", "https://shop.example/{id}/{slug}",
        "https://shop.example/{slug}/{slug}", "https://shop.example/p /{slug}", "https://shop.example/é/{slug}",
        "https://shop.example/%0/../{slug", "ftp://shop.example/{slug}",
    ],
)  # fmt: skip
def test_another_pattern_stops_the_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Any, bad: str) -> None:
    monkeypatch.setenv("SHOP_PRODUCT_URL", bad)
    with pytest.raises(ImproperlyConfigured, match=r"SHOP_PRODUCT_URL=.*\{slug\} after its host"):
        Environment(tmp_path / "none")("SHOP_PRODUCT_URL", None, product_url)
