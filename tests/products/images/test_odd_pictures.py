"""Renditions look like their originals in a browser, also if decoders disagree; see tests/browser."""

import pytest

from tests.products.images.odd_pictures import ODD
from tests.products.images.rendering import assert_shown

pytestmark = pytest.mark.embedded


@pytest.mark.parametrize("kind", [kind for kind, odd in ODD.items() if odd.extension != "avif"])
def test_pixels_are_those_of_browsers(kind: str) -> None:
    assert_shown(ODD[kind])
