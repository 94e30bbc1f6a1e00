"""What products look like: one function a shape, drawn on a field of 1000 by 1000 units.

Each paints flat areas in the product's tones; `drawing` gives them light and shadow.
"""

from collections.abc import Sequence
from typing import NamedTuple

from PIL import Image, ImageDraw

Colour = tuple[int, int, int]
Point = tuple[float, float]

METAL, GLASS, WOOD, RUBBER, PAPER = (178, 184, 192), (52, 66, 84), (158, 116, 76), (56, 56, 60), (240, 235, 222)
WHITE, LEAF = (246, 246, 244), (74, 128, 70)


class Tones(NamedTuple):
    """The product's colour and what goes with it."""

    main: Colour
    dark: Colour
    light: Colour


class Pen:
    """Draws in units on an image of any size."""

    def __init__(self, image: Image.Image) -> None:
        self.draw = ImageDraw.Draw(image)
        self.unit = image.width / 1000

    def points(self, points: Sequence[Point]) -> list[Point]:
        return [(x * self.unit, y * self.unit) for x, y in points]

    def area(self, colour: Colour, *points: Point) -> None:
        self.draw.polygon(self.points(points), fill=colour)

    def line(self, colour: Colour, width: float, *points: Point) -> None:
        self.draw.line(self.points(points), fill=colour, width=round(width * self.unit), joint="curve")
        for x, y in (points[0], points[-1]):
            self.oval(colour, x - width / 2, y - width / 2, x + width / 2, y + width / 2)

    def oval(self, colour: Colour, *box: float) -> None:
        self.draw.ellipse([value * self.unit for value in box], fill=colour)

    def ring(self, colour: Colour, width: float, *box: float, start: float = 0, end: float = 360) -> None:
        self.draw.arc([value * self.unit for value in box], start, end, fill=colour, width=round(width * self.unit))

    def slab(self, colour: Colour, radius: float, *box: float) -> None:
        self.draw.rounded_rectangle([value * self.unit for value in box], radius * self.unit, fill=colour)


def mirrored(*points: Point) -> list[Point]:
    """The outline whose right half is given from top to bottom."""
    return [*points, *((1000 - x, y) for x, y in reversed(points))]


# --- To wear ---------------------------------------------------------------------------------


def dress(pen: Pen, tones: Tones) -> None:
    pen.area(tones.main, *mirrored((575, 130), (615, 150), (640, 330), (600, 450), (760, 850), (640, 880), (500, 890)))
    pen.area(tones.dark, *mirrored((602, 440), (612, 475), (500, 480)))
    for x in (420, 500, 580):
        pen.line(tones.dark, 5, (500 + (x - 500) * 0.4, 490), (500 + (x - 500) * 1.7, 870))
    pen.area(WHITE, *mirrored((545, 125), (520, 210), (500, 235)))


def top(pen: Pen, tones: Tones) -> None:
    pen.area(
        tones.main,
        *mirrored((570, 190), (690, 230), (850, 560), (760, 610), (680, 450), (690, 860), (500, 870)),
    )
    pen.area(tones.dark, *mirrored((570, 188), (555, 225), (500, 262)))
    pen.area(tones.light, *mirrored((575, 186), (600, 212), (530, 300), (500, 250)))
    pen.line(tones.dark, 5, (500, 262), (500, 866))
    for y in range(330, 860, 105):
        pen.oval(WHITE, 508, y, 526, y + 18)


def coat(pen: Pen, tones: Tones) -> None:
    pen.area(
        tones.main,
        *mirrored((580, 130), (710, 175), (830, 600), (740, 630), (690, 430), (730, 900), (500, 910)),
    )
    pen.area(tones.light, *mirrored((590, 125), (640, 190), (560, 400), (500, 300)))
    pen.line(tones.dark, 8, (500, 310), (500, 905))
    for y in (450, 560, 670):
        pen.oval(tones.dark, 520, y, 552, y + 32)
    for x in (330, 570):
        pen.slab(tones.dark, 8, x, 660, x + 105, 682)


def trousers(pen: Pen, tones: Tones) -> None:
    pen.area(tones.main, *mirrored((640, 110), (690, 500), (700, 900), (560, 905), (515, 420), (500, 400)))
    pen.area(tones.dark, *mirrored((640, 105), (646, 160), (500, 160)))
    pen.line(tones.light, 5, (500, 165), (500, 330), (470, 370))
    for side in (-1, 1):
        pen.line(tones.dark, 5, (500 + side * 85, 165), (500 + side * 145, 260))
        pen.line(tones.light, 4, (500 + side * 120, 300), (500 + side * 130, 890))


def bag(pen: Pen, tones: Tones) -> None:
    pen.ring(tones.dark, 34, 340, 130, 660, 640, start=180, end=360)
    pen.area(tones.main, *mirrored((700, 380), (780, 820), (750, 860), (500, 865)))
    pen.area(tones.light, *mirrored((704, 375), (722, 520), (640, 590), (500, 600)))
    pen.slab(METAL, 12, 465, 560, 535, 640)


def watch(pen: Pen, tones: Tones) -> None:
    pen.slab(tones.dark, 40, 415, 60, 585, 940)
    pen.slab(tones.main, 30, 430, 60, 570, 940)
    pen.slab(METAL, 14, 715, 470, 770, 530)
    pen.oval(METAL, 260, 260, 740, 740)
    pen.oval(tones.dark, 300, 300, 700, 700)
    for x, y in ((500, 330), (670, 500), (500, 670), (330, 500)):
        pen.slab(WHITE, 6, x - 10, y - 16, x + 10, y + 16)
    pen.line(WHITE, 16, (500, 500), (420, 430))
    pen.line(WHITE, 10, (500, 500), (600, 400))
    pen.line(tones.light, 5, (500, 500), (520, 650))


def glasses(pen: Pen, tones: Tones) -> None:
    for left in (130, 530):
        pen.slab(tones.main, 120, left, 380, left + 340, 650)
        pen.slab(GLASS, 100, left + 28, 408, left + 312, 622)
        pen.area((96, 116, 140), (left + 70, 600), (left + 170, 420), (left + 220, 420), (left + 120, 600))
    pen.ring(tones.main, 28, 440, 400, 560, 520, start=180, end=360)
    for side in (-1, 1):
        pen.line(tones.dark, 26, (500 + side * 365, 430), (500 + side * 415, 330))


def shoe(pen: Pen, tones: Tones) -> None:
    upper = [(150, 420), (230, 390), (330, 470), (470, 400), (560, 470), (700, 560), (840, 600), (885, 670), (890, 710)]
    pen.area(tones.main, *upper, (130, 710), (125, 560))
    pen.area(tones.dark, (150, 420), (230, 390), (330, 470), (290, 510), (160, 520))
    pen.area(tones.light, (700, 560), (840, 600), (885, 670), (888, 708), (720, 708), (660, 630))
    pen.area(WHITE, (110, 690), (900, 690), (915, 740), (880, 780), (150, 790), (105, 760))
    pen.area(RUBBER, (118, 772), (890, 762), (870, 792), (150, 800))
    pen.area(WHITE, (290, 650), (430, 560), (560, 680), (500, 680), (430, 610), (340, 680))
    for step in range(4):
        x, y = 440 + step * 52, 425 + step * 36
        pen.line(WHITE, 13, (x, y), (x + 42, y + 62 - step * 4))


def boot(pen: Pen, tones: Tones) -> None:
    pen.area(
        tones.main,
        *((270, 160), (540, 150), (550, 470), (640, 560), (810, 610), (860, 690), (860, 760), (270, 760), (285, 480)),
    )
    pen.area(tones.light, (266, 150), (545, 140), (548, 215), (268, 225))
    pen.area(tones.dark, (360, 230), (450, 230), (470, 480), (350, 480))
    pen.area(RUBBER, (255, 750), (870, 750), (870, 815), (480, 815), (470, 850), (260, 850))


def helmet(pen: Pen, tones: Tones) -> None:
    pen.area(RUBBER, (300, 600), (340, 600), (480, 860), (700, 600), (740, 600), (490, 900))
    pen.draw.pieslice([value * pen.unit for value in (140, 180, 860, 1060)], 180, 360, fill=tones.main)
    for x in (250, 390, 530, 670):
        pen.slab(tones.dark, 40, x, 330 - abs(x - 460) * 0.25 + 60, x + 75, 580)
    pen.slab(tones.light, 26, 120, 590, 880, 650)


def rucksack(pen: Pen, tones: Tones) -> None:
    pen.ring(tones.dark, 26, 430, 90, 570, 240, start=180, end=360)
    for x in (215, 715):
        pen.slab(tones.dark, 40, x, 420, x + 70, 800)
    pen.slab(tones.main, 140, 260, 150, 740, 890)
    pen.slab(tones.light, 70, 320, 560, 680, 840)
    pen.slab(tones.dark, 12, 320, 640, 680, 660)
    pen.slab(tones.dark, 60, 300, 300, 700, 330)
    for x in (400, 580):
        pen.slab(RUBBER, 8, x, 300, x + 24, 560)
