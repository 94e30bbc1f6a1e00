"""Colour spaces are converted to sRGB."""

from typing import Any

import pytest
from PIL import Image, ImageCms

from products.images import colours, renditions
from tests.products import pictures
from tests.products.images.odd_pictures import chunk, png
from tests.products.images.rendering import BLUE, FULL, RED, TOLERANCE, halves, has_colour, render, rendered

pytestmark = pytest.mark.embedded


@pytest.mark.thorough
@pytest.mark.parametrize("transfer", sorted(colours.TRANSFERS))
def test_black_and_white_are_unchanged_in_every_colour_space(transfer: int) -> None:
    for primaries in colours.PRIMARIES:
        image = rendered(png(2, 8, bytes(24) + b"\xff" * 24, chunk(b"cICP", bytes([primaries, transfer, 0, 1]))))
        for x, level in ((0, 0), (15, 255)):
            pixel: Any = image.getpixel((x, 5))
            assert all(abs(part - level) <= TOLERANCE for part in pixel), (primaries, x, pixel)


def test_cmyk_is_converted_to_rgb() -> None:
    full = render(pictures.encode(halves(mode="CMYK")), FULL)["full"]
    assert full.mode == "RGB"
    assert has_colour(full, (0.2, 0.5), RED, 40)
    assert has_colour(full, (0.8, 0.5), BLUE, 40)


def test_a_wide_gamut_is_converted_to_srgb() -> None:
    # A profile with red and green exchanged shows that it was read.
    data = bytearray(ImageCms.ImageCmsProfile(renditions.SRGB).tobytes())
    red, green = data.index(b"rXYZ"), data.index(b"gXYZ")
    data[red : red + 4], data[green : green + 4] = b"gXYZ", b"rXYZ"
    picture = Image.new("RGB", (600, 400), (250, 10, 10))
    for format in ("JPEG", "PNG"):
        full = render(pictures.encode(picture, format, icc_profile=bytes(data)), FULL)["full"]
        assert has_colour(full, (0.5, 0.5), (10, 250, 10)), format


def test_a_broken_profile_is_ignored() -> None:
    data = pictures.encode(halves(), icc_profile=b"not a profile" * 100)
    assert has_colour(render(data, FULL)["full"], (0.2, 0.5), RED)
