"""Renders pictures for tests, and reads the colours of renditions."""

import io
from typing import Any

from PIL import Image

from products.images import renditions
from tests.products import pictures
from tests.products.images.odd_pictures import Odd

TOLERANCE = 3
BOXES = {"full": (500, 500), "thumb": (100, 100), "large": (1200, 1200)}
FULL = {"full": BOXES["full"]}
RED, BLUE = (220, 30, 20), (20, 40, 210)


def render(data: bytes, boxes: dict[str, tuple[int, int]] = BOXES) -> dict[str, Image.Image]:
    plan: dict[str, renditions.RenditionSpec] = {name: {"box": box, "formats": ()} for name, box in boxes.items()}
    result = renditions.render(io.BytesIO(data), plan=plan, max_pixels=50_000_000)
    return {name: pictures.decode(rendition.data) for name, rendition in result.renditions.items()}


def halves(width: int = 900, height: int = 600, mode: str = "RGB") -> Image.Image:
    """Red on the left, blue on the right."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(BLUE, (width // 2, 0, width, height))
    return image.convert(mode)


def has_colour(image: Image.Image, at: tuple[float, float], colour: tuple[int, ...], tolerance: int = 25) -> bool:
    """Whether the pixel at this fraction of width and height has about this `colour`."""
    pixel: Any = image.convert("RGBA" if len(colour) == 4 else "RGB").getpixel(
        (int(at[0] * image.width), int(at[1] * image.height))
    )
    return all(abs(a - b) <= tolerance for a, b in zip(pixel, colour, strict=True))


def rendered(data: bytes) -> Image.Image:
    """The full-size rendition, lossless."""
    plan: dict[str, renditions.RenditionSpec] = {"full": {"box": (5000, 5000), "formats": ["PNG"]}}
    full = renditions.render(io.BytesIO(data), plan=plan, max_pixels=50_000_000).renditions["full"]
    return pictures.decode(full.others.get("PNG", full.data))


def assert_shown(odd: Odd) -> None:
    """Assert that the rendition has the pixels that browsers show."""
    image = rendered(odd.data)
    header = renditions.read_header(io.BytesIO(odd.data), max_pixels=50_000_000)
    assert (header.width, header.height) == image.size
    for position, colour in odd.pixels.items():
        pixel: Any = image.convert("RGBA").getpixel(position)
        if colour == (0, 0, 0, 0):
            assert pixel[3] == 0, position
        else:
            assert max(abs(a - b) for a, b in zip(pixel, colour, strict=False)) <= TOLERANCE, (position, pixel)
