"""Draws a picture of a product: its shape in its colour, on a lit table, as a JPEG file."""

import io
import random
import unicodedata

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

from products.demo import shapes, things
from products.demo.shapes import Colour, Pen, Tones

SIZE = (1000, 750)
FIELD = 630  # pixels of the side that the shape's 1000 units fill
FINER = 2  # shapes are drawn so many times larger and made smaller, which smooths their edges


def picture(shape: str, colour: Colour, *, brand: str, line: str, chance: random.Random) -> bytes:
    """A JPEG of 1000 by 750 pixels; the same for the same `chance`."""
    thing = _lit(_flat(shape, _tones(colour)))
    thing = thing.rotate(chance.uniform(-5, 5), Image.Resampling.BICUBIC)
    size = round(FIELD * chance.uniform(0.88, 1.04))
    thing = thing.resize((size, size), Image.Resampling.LANCZOS)
    scene = _backdrop(chance)
    place = ((SIZE[0] - size) // 2 + chance.randint(-50, 50), (SIZE[1] - size) // 2 - 20)
    _cast_shadow(scene, thing, place)
    scene.paste(thing, place, thing)
    _sign(scene, brand, line)
    # Pillow's own noise cannot be seeded.
    grain = Image.frombytes("L", SIZE, chance.randbytes(SIZE[0] * SIZE[1]))
    scene = Image.blend(scene, Image.merge("RGB", [grain] * 3), 0.025)
    file = io.BytesIO()
    scene.save(file, "JPEG", quality=88)
    return file.getvalue()


def _tones(colour: Colour) -> Tones:
    return Tones(colour, _mixed(colour, (0, 0, 0), 0.35), _mixed(colour, (255, 255, 255), 0.38))


def _mixed(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _flat(shape: str, tones: Tones) -> Image.Image:
    """The shape without light, on a transparent ground."""
    side = FIELD * FINER
    image = Image.new("RGBA", (side, side), (*tones.main, 0))
    draw = getattr(shapes, shape, None) or getattr(things, shape)
    draw(Pen(image), tones)
    return image.resize((FIELD, FIELD), Image.Resampling.LANCZOS)


def _lit(flat: Image.Image) -> Image.Image:
    """The shape with light from the upper left: rounder at its edges, darker away from the light."""
    mask = flat.getchannel("A")
    # A blurred mask, moved both ways, is bright where the edge faces the light and dark where it does not.
    soft = mask.filter(ImageFilter.GaussianBlur(22))
    towards, away = ImageChops.offset(soft, 14, 18), ImageChops.offset(soft, -14, -18)
    relief = ImageChops.subtract(towards, away, scale=3.2, offset=128)
    fall = Image.linear_gradient("L").rotate(-30, expand=False, fillcolor=128).resize(flat.size)
    light = Image.blend(relief, ImageChops.invert(fall), 0.3)
    rgb = ImageChops.soft_light(flat.convert("RGB"), Image.merge("RGB", [light] * 3))
    rgb.putalpha(mask)
    return rgb


def _backdrop(chance: random.Random) -> Image.Image:
    """A wall and a table with a soft seam, lit from above."""
    warm = chance.uniform(-1, 1)
    base: Colour = (round(214 + 14 * warm), 212, round(208 - 16 * warm))
    top = Image.linear_gradient("L").resize((SIZE[0], SIZE[1]))
    wall = Image.composite(
        Image.new("RGB", SIZE, _mixed(base, (90, 92, 100), 0.34)), Image.new("RGB", SIZE, (246, 245, 243)), top
    )
    horizon = round(SIZE[1] * chance.uniform(0.66, 0.74))
    seam = Image.new("L", SIZE, 0)
    ImageDraw.Draw(seam).rectangle((0, horizon, *SIZE), fill=255)
    table = Image.composite(
        Image.new("RGB", SIZE, _mixed(base, (255, 255, 255), 0.25)),
        Image.new("RGB", SIZE, _mixed(base, (60, 60, 66), 0.25)),
        Image.linear_gradient("L").resize(SIZE),
    )
    scene = Image.composite(table, wall, seam.filter(ImageFilter.GaussianBlur(14)))
    lamp = ImageChops.invert(Image.radial_gradient("L")).resize((SIZE[0] * 2, SIZE[1] * 2))
    x, y = chance.randint(SIZE[0] // 2, SIZE[0]), SIZE[1] // 2
    spot = lamp.crop((x, y, x + SIZE[0], y + SIZE[1]))
    return ImageChops.soft_light(scene, Image.merge("RGB", [spot.point(lambda value: 90 + value // 3)] * 3))


def _cast_shadow(scene: Image.Image, thing: Image.Image, place: tuple[int, int]) -> None:
    mask = thing.getchannel("A")
    around = Image.new("L", SIZE, 0)
    around.paste(mask, (place[0] + 26, place[1] + 22))
    scene.paste((40, 40, 48), (0, 0), around.filter(ImageFilter.GaussianBlur(26)).point(lambda value: value * 2 // 5))
    # Where it stands, the shadow is short, dark and flat.
    box = mask.getbbox()
    if box is None:
        return
    foot = Image.new("L", SIZE, 0)
    bottom = place[1] + box[3]
    ImageDraw.Draw(foot).ellipse((place[0] + box[0], bottom - 34, place[0] + box[2] + 30, bottom + 26), fill=190)
    scene.paste((30, 30, 36), (0, 0), foot.filter(ImageFilter.GaussianBlur(16)))


def _sign(scene: Image.Image, brand: str, line: str) -> None:
    """The brand in a corner, as in a catalogue; without accents, which Pillow's own font lacks."""
    plain = unicodedata.normalize("NFKD", brand.upper()).encode("ascii", "ignore").decode()
    draw = ImageDraw.Draw(scene)
    draw.text((40, SIZE[1] - 78), plain, fill=(64, 64, 70), font=ImageFont.load_default(30))
    draw.text((40, SIZE[1] - 42), line, fill=(104, 104, 110), font=ImageFont.load_default(21))
