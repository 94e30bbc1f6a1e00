"""AVIF files: their colours, transparency and orientation are those of browsers."""

import pytest

from tests.products.images.odd_pictures import ODD
from tests.products.images.rendering import assert_shown

pytestmark = pytest.mark.embedded


@pytest.mark.parametrize("kind", [kind for kind, odd in ODD.items() if odd.extension == "avif"])
def test_pixels_are_those_of_browsers(kind: str) -> None:
    assert_shown(ODD[kind])
