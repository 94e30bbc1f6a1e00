"""Fixtures of tests of pictures."""

import pytest
from PIL import Image


@pytest.fixture(autouse=True)
def default_pixel_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Restore Pillow's limit after each test: the service sets it for the process when it opens a picture."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", Image.MAX_IMAGE_PIXELS)
