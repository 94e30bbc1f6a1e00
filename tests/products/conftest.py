"""What tests of the catalogue's pictures may ask for."""

from pathlib import Path
from typing import Any

import pytest

from products.models import Product
from tests import factories


@pytest.fixture
def store(settings: Any, tmp_path: Path) -> Path:
    """A file store of the test's own."""
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def product(db: Any) -> Product:
    return factories.product()
