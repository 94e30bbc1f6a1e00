"""Reproducible pictures that are like photographs for a codec: gradients, edges, text and noise."""

import random
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy
from PIL import Image, ImageDraw, ImageFilter

TWELVE = (4000, 3000)
FIFTY = (8650, 5780)  # 49,997,000 pixels
WORDS = ["sale", "wool", "lamp", "oak", "chair", "blue", "boots", "linen", "tea", "pot", "size 42", "by hand"]
QUALITY = 90  # about what a phone writes


def scene(size: tuple[int, int], seed: int) -> Image.Image:
    """A gradient, a hundred shapes, text, some blur, and sensor noise."""
    rng = random.Random(seed)
    width, height = size
    image = _light(size, rng)
    draw = ImageDraw.Draw(image)
    for _ in range(100):
        _draw_shape(draw, size, rng)
    image = image.filter(ImageFilter.GaussianBlur(1.2))  # the lens
    draw = ImageDraw.Draw(image)
    for _ in range(12):
        position = (rng.randrange(width), rng.randrange(height))
        text = " ".join(rng.choices(WORDS, k=4))
        draw.text(position, text, fill=_colour(rng), font_size=rng.randrange(height // 60, height // 12))
    noise = numpy.random.default_rng(seed).normal(0, 4, (height, width, 1)).astype(numpy.float32)
    return Image.fromarray(numpy.clip(numpy.asarray(image) + noise, 0, 255).astype(numpy.uint8))


def _light(size: tuple[int, int], rng: random.Random) -> Image.Image:
    small = Image.new("RGB", (8, 6))
    small.putdata([_colour(rng) for _ in range(48)])
    return small.resize(size, Image.Resampling.BICUBIC)


def _draw_shape(draw: Any, size: tuple[int, int], rng: random.Random) -> None:
    x, y = rng.randrange(size[0]), rng.randrange(size[1])
    reach = int(size[1] * 0.3 * rng.random() ** 3) + 4
    box = (x, y, x + reach, y + int(reach * rng.uniform(0.4, 1.6)))
    kind = rng.choice((draw.ellipse, draw.rectangle, None))
    if kind:
        kind(box, fill=_colour(rng))
    else:
        end = (x + rng.randrange(-reach, reach + 1), y + rng.randrange(-reach, reach + 1))
        draw.line((x, y, *end), fill=_colour(rng), width=rng.randrange(1, 20))


def _colour(rng: random.Random) -> tuple[int, int, int]:
    """A colour of any brightness, mostly with low saturation, as indoors."""
    grey, saturation = rng.randrange(20, 236), 80 * rng.random() ** 2
    return tuple(min(255, max(0, int(grey + rng.uniform(-saturation, saturation)))) for _ in range(3))


def make(folder: Path, count: int) -> Iterator[Path]:
    """Write `count` JPEGs of 12 megapixels to `folder`; yields each when it is written."""
    with ProcessPoolExecutor() as pool:
        yield from pool.map(_write, [folder] * count, range(count))


def _write(folder: Path, seed: int) -> Path:
    path = folder / f"{seed:02}.jpg"
    scene(TWELVE, seed).save(path, quality=QUALITY)
    return path


def make_large(folder: Path) -> dict[str, Path]:
    """One picture of 50 megapixels as a baseline JPEG, a progressive one and a PNG."""
    image = scene(FIFTY, 1)
    paths = {kind: folder / f"large-{kind}" for kind in ("baseline JPEG", "progressive JPEG", "PNG")}
    image.save(paths["baseline JPEG"], "JPEG", quality=QUALITY)
    image.save(paths["progressive JPEG"], "JPEG", quality=QUALITY, progressive=True)
    image.save(paths["PNG"], "PNG", compress_level=1)
    return paths
