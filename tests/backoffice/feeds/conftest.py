"""Fixtures for the tests of the sitemap and the feed."""

from pathlib import Path
from typing import Any

import pytest

from tests.backoffice.feeds.reading import URL


@pytest.fixture(autouse=True)
def front_end(settings: Any, tmp_path: Path) -> Path:
    """A shop with a front end, and an empty file store, which this returns."""
    settings.SHOP_PRODUCT_URL, settings.SITE_URL = URL, "https://api.example"
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "media" / "feeds"
