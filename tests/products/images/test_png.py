"""The chunks of PNG files."""

import io

import pytest

from products.images import renditions
from tests.products.images.odd_pictures import TEXT, chunk, red


def test_text_that_decompresses_to_too_much_is_refused() -> None:
    """Also if it is split over many chunks. The decompressed text is not stored."""
    data = red(*[chunk(b"zTXt", TEXT)] * 10)
    with pytest.raises(renditions.InvalidPicture) as error:
        renditions.read_header(io.BytesIO(data), max_pixels=100)
    assert error.value.code == "too-much-text"
