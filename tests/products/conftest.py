"""Fixtures for tests of the catalogue."""

from pathlib import Path
from typing import Any

import pytest

from products.models import Product
from tests import factories


@pytest.fixture
def store(settings: Any, tmp_path: Path) -> Path:
    """An empty file store."""
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def product(db: Any) -> Product:
    return factories.product()
