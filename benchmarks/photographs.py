"""Pictures that look like photographs to a codec, the same ones each time: gradients, edges, text and noise."""

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
    """Light that falls off, a hundred things with edges, writing on some, a little blur, and a sensor's noise."""
    chance = random.Random(seed)
    width, height = size
    image = _light(size, chance)
    draw = ImageDraw.Draw(image)
    for _ in range(100):
        _thing(draw, size, chance)
    image = image.filter(ImageFilter.GaussianBlur(1.2))  # the lens
    draw = ImageDraw.Draw(image)
    for _ in range(12):
        place = (chance.randrange(width), chance.randrange(height))
        text = " ".join(chance.choices(WORDS, k=4))
        draw.text(place, text, fill=_colour(chance), font_size=chance.randrange(height // 60, height // 12))
    noise = numpy.random.default_rng(seed).normal(0, 4, (height, width, 1)).astype(numpy.float32)
    return Image.fromarray(numpy.clip(numpy.asarray(image) + noise, 0, 255).astype(numpy.uint8))


def _light(size: tuple[int, int], chance: random.Random) -> Image.Image:
    small = Image.new("RGB", (8, 6))
    small.putdata([_colour(chance) for _ in range(48)])
    return small.resize(size, Image.Resampling.BICUBIC)


def _thing(draw: Any, size: tuple[int, int], chance: random.Random) -> None:
    x, y = chance.randrange(size[0]), chance.randrange(size[1])
    reach = int(size[1] * 0.3 * chance.random() ** 3) + 4
    box = (x, y, x + reach, y + int(reach * chance.uniform(0.4, 1.6)))
    kind = chance.choice((draw.ellipse, draw.rectangle, None))
    if kind:
        kind(box, fill=_colour(chance))
    else:
        end = (x + chance.randrange(-reach, reach + 1), y + chance.randrange(-reach, reach + 1))
        draw.line((x, y, *end), fill=_colour(chance), width=chance.randrange(1, 20))


def _colour(chance: random.Random) -> tuple[int, int, int]:
    """Of any brightness, and seldom a loud one, as in a room."""
    grey, loudness = chance.randrange(20, 236), 80 * chance.random() ** 2
    return tuple(min(255, max(0, int(grey + chance.uniform(-loudness, loudness)))) for _ in range(3))


def make(folder: Path, count: int) -> Iterator[Path]:
    """So many JPEGs of 12 megapixels in `folder`; yields each as it is there."""
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
