"""Draws a picture of a product as a JPEG file: its shape in its colour, with light and shadow."""

import functools
import io
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFilter

Colour = tuple[int, int, int]

# The name of a shape -> its parts.
LINES = Path(__file__).with_name("shapes.txt").read_text().splitlines()
SHAPES = {name: parts for name, _, parts in (line.partition(": ") for line in LINES if not line.startswith("#"))}
SIZE = (800, 600)
FIELD = 500  # pixels for the shape's 100 units
OVERSAMPLING = 2  # shapes are drawn this many times larger and reduced, for smooth edges
TONES: dict[str, Colour] = {
    "steel": (178, 184, 192),
    "glass": (52, 66, 84),
    "sky": (92, 124, 162),
    "wood": (140, 100, 66),
    "rubber": (56, 56, 60),
    "paper": (244, 241, 234),
    "table": (206, 203, 198),
    "leaf": (80, 134, 76),
    "glow": (244, 206, 130),
}


@functools.cache
def picture(shape: str, colour: Colour) -> bytes:
    """A JPEG of 800 by 600 pixels; always the same."""
    thing = _lit(_flat(shape, colour))
    scene = Image.composite(
        Image.new("RGB", SIZE, _mixed(colour, (214, 211, 206), 0.85)),
        Image.new("RGB", SIZE, (248, 247, 245)),
        Image.linear_gradient("L").resize(SIZE),
    )
    x, y = (SIZE[0] - FIELD) // 2, (SIZE[1] - FIELD) // 2
    shadow = Image.new("L", SIZE)
    shadow.paste(thing.getchannel("A").point(lambda value: value * 2 // 5), (x + 18, y + 20))
    scene.paste((40, 40, 48), (0, 0), shadow.filter(ImageFilter.BoxBlur(18)))
    scene.paste(thing, (x, y), thing)
    file = io.BytesIO()
    scene.save(file, "JPEG", quality=88)
    return file.getvalue()


def _mixed(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _flat(shape: str, colour: Colour) -> Image.Image:
    """The shape without light, on a transparent ground."""
    tones = TONES | {"main": colour, "dark": _mixed(colour, (0, 0, 0), 0.35)}
    tones["light"] = _mixed(colour, (255, 255, 255), 0.38)
    image = Image.new("RGBA", (FIELD * OVERSAMPLING,) * 2, (*colour, 0))
    draw, unit = ImageDraw.Draw(image), FIELD * OVERSAMPLING / 100
    for part in SHAPES[shape].split(";"):
        tone, kind, *numbers = part.split()
        xy, fill = [float(number) * unit for number in numbers], tones[tone]
        match kind:
            case "oval":
                draw.ellipse(xy, fill)
            case "box":
                draw.rectangle(xy, fill)
            case "slab":
                draw.rounded_rectangle(xy, min(xy[2] - xy[0], xy[3] - xy[1]) / 4, fill)
            case "bow":
                draw.arc(xy, 180, 360, fill, round(3 * unit))
            case "line":
                draw.line(xy, fill, round(2 * unit), joint="curve")
            case "half":
                points = list(zip(xy[::2], xy[1::2], strict=True))
                draw.polygon([*points, *((100 * unit - x, y) for x, y in reversed(points))], fill)
            case _:
                draw.polygon(xy, fill)
    return image.reduce(OVERSAMPLING)


def _lit(flat: Image.Image) -> Image.Image:
    """The shape with light from the upper left: a blurred mask, moved both ways, is bright where an edge faces it."""
    mask = flat.getchannel("A")
    soft = mask.filter(ImageFilter.BoxBlur(16))
    light = ImageChops.subtract(ImageChops.offset(soft, 10, 14), ImageChops.offset(soft, -10, -14), 3.2, 128)
    lit = ImageChops.soft_light(flat.convert("RGB"), Image.merge("RGB", [light] * 3))
    lit.putalpha(mask)
    return lit
