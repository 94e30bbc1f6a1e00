"""More of what products look like: what is not worn."""

import math

from products.demo.shapes import GLASS, LEAF, METAL, PAPER, RUBBER, WHITE, WOOD, Pen, Tones, mirrored

# --- Electronics -----------------------------------------------------------------------------


def headphones(pen: Pen, tones: Tones) -> None:
    pen.ring(tones.dark, 60, 200, 130, 800, 850, start=180, end=360)
    pen.ring(tones.light, 18, 215, 145, 785, 835, start=200, end=340)
    for x in (140, 690):
        pen.slab(tones.main, 80, x, 450, x + 170, 800)
    for x in (300, 640):
        pen.slab(RUBBER, 30, x, 470, x + 60, 780)


def speaker(pen: Pen, tones: Tones) -> None:
    pen.slab(tones.main, 50, 290, 110, 710, 890)
    pen.slab(tones.dark, 40, 315, 135, 685, 865)
    for box, size in (((400, 180), 200), ((345, 460), 310)):
        x, y = box
        pen.oval(METAL, x, y, x + size, y + size)
        pen.oval(RUBBER, x + 16, y + 16, x + size - 16, y + size - 16)
        pen.oval(tones.light, x + size * 0.35, y + size * 0.35, x + size * 0.65, y + size * 0.65)


def laptop(pen: Pen, tones: Tones) -> None:
    pen.slab(tones.dark, 24, 190, 220, 810, 660)
    pen.slab(GLASS, 8, 212, 242, 788, 636)
    pen.area((92, 122, 160), (212, 636), (212, 470), (380, 360), (560, 500), (690, 400), (788, 480), (788, 636))
    pen.area(tones.main, (190, 660), (810, 660), (930, 780), (70, 780))
    pen.area(tones.dark, (240, 678), (760, 678), (810, 732), (190, 732))
    pen.slab(tones.light, 14, 70, 778, 930, 806)


def monitor(pen: Pen, tones: Tones) -> None:
    pen.area(METAL, *mirrored((550, 640), (570, 800), (680, 840), (680, 860), (500, 865)))
    pen.slab(tones.main, 22, 90, 190, 910, 690)
    pen.slab(GLASS, 6, 112, 212, 888, 655)
    pen.area((90, 124, 164), (112, 655), (112, 520), (320, 380), (500, 520), (660, 400), (888, 560), (888, 655))
    pen.oval((238, 206, 130), 640, 260, 730, 350)


def keyboard(pen: Pen, tones: Tones) -> None:
    pen.slab(tones.dark, 34, 60, 330, 940, 690)
    pen.slab(tones.main, 26, 72, 340, 928, 672)
    for row, y in enumerate(range(366, 580, 60)):
        for column in range(13):
            x = 96 + column * 62 + row * 4
            pen.slab(tones.light if column else METAL, 10, x, y, min(x + 50, 908), y + 48)
    pen.slab(tones.light, 10, 290, 606, 700, 652)


def phone(pen: Pen, tones: Tones) -> None:
    pen.slab(tones.dark, 70, 320, 90, 690, 910)
    pen.slab(tones.main, 62, 310, 90, 676, 910)
    pen.slab(GLASS, 46, 328, 110, 658, 890)
    pen.area((86, 122, 160), (328, 840), (328, 560), (480, 420), (658, 600), (658, 840))
    pen.slab(RUBBER, 14, 440, 130, 545, 156)
    for x in (368, 440, 512, 584):
        pen.slab(tones.light, 14, x, 800, x + 48, 848)


def camera(pen: Pen, tones: Tones) -> None:
    pen.slab(tones.dark, 30, 360, 220, 640, 360)
    pen.slab(METAL, 14, 700, 262, 800, 320)
    pen.slab(tones.main, 50, 110, 300, 890, 780)
    pen.slab(RUBBER, 40, 110, 400, 890, 700)
    pen.oval(METAL, 320, 330, 720, 730)
    pen.oval(RUBBER, 345, 355, 695, 705)
    pen.oval(GLASS, 405, 415, 635, 645)
    pen.oval((120, 150, 190), 445, 450, 530, 535)
    pen.slab(WHITE, 10, 180, 330, 270, 375)


# --- Home ------------------------------------------------------------------------------------


def pan(pen: Pen, tones: Tones) -> None:
    pen.line(WOOD, 52, (640, 560), (930, 350))
    pen.oval(tones.main, 70, 400, 720, 790)
    pen.oval(tones.dark, 100, 415, 690, 745)
    pen.oval(RUBBER, 150, 450, 640, 710)


def kettle(pen: Pen, tones: Tones) -> None:
    pen.ring(tones.dark, 40, 300, 110, 660, 560, start=180, end=360)
    pen.area(METAL, (640, 560), (840, 350), (880, 370), (700, 680))
    pen.area(tones.main, *mirrored((590, 340), (700, 480), (740, 780), (690, 830), (500, 835)))
    pen.slab(tones.light, 14, 395, 330, 605, 362)
    pen.oval(tones.dark, 470, 280, 530, 335)


def mug(pen: Pen, tones: Tones) -> None:
    pen.ring(tones.main, 52, 600, 380, 850, 690)
    pen.area(tones.main, (220, 300), (700, 300), (680, 760), (630, 800), (290, 800), (240, 760))
    pen.oval(tones.light, 220, 255, 700, 350)
    pen.oval((84, 54, 38), 248, 272, 672, 340)
    pen.slab(tones.light, 4, 228, 520, 692, 560)


def knife(pen: Pen, tones: Tones) -> None:
    pen.area(METAL, (60, 480), (600, 400), (620, 560), (300, 570), (130, 530))
    pen.area((226, 230, 234), (60, 482), (610, 490), (620, 560), (300, 570), (130, 530))
    pen.slab(tones.main, 34, 600, 410, 930, 510)
    for x in (670, 760, 850):
        pen.oval(METAL, x, 446, x + 26, 472)


def lamp(pen: Pen, tones: Tones) -> None:
    pen.oval(METAL, 330, 830, 670, 910)
    pen.line(METAL, 26, (500, 860), (500, 470))
    pen.area(tones.main, *mirrored((610, 130), (740, 490), (500, 500)))
    pen.oval((252, 226, 160), 262, 462, 738, 520)


def chair(pen: Pen, tones: Tones) -> None:
    for x in (260, 700):
        pen.line(WOOD, 32, (x + 20, 740), (x, 920))
    pen.slab(tones.main, 90, 250, 130, 750, 720)
    pen.slab(tones.dark, 60, 180, 430, 300, 780)
    pen.slab(tones.dark, 60, 700, 430, 820, 780)
    pen.slab(tones.light, 50, 270, 560, 730, 740)
    for x, y in ((400, 280), (500, 280), (600, 280), (450, 400), (550, 400)):
        pen.oval(tones.dark, x - 10, y - 10, x + 10, y + 10)


def cushion(pen: Pen, tones: Tones) -> None:
    pen.area(tones.main, (130, 190), (500, 250), (870, 180), (810, 500), (880, 850), (500, 780), (140, 860), (190, 510))
    for shift in (0, 130, 260):
        pen.line(tones.light, 24, (250 + shift, 260), (420 + shift, 500), (250 + shift, 760))


def plant(pen: Pen, tones: Tones) -> None:
    for x, y, lean in ((240, 260, 60), (350, 130, 40), (500, 80, 0), (650, 130, -40), (760, 260, -60), (180, 440, 80)):
        green = (LEAF[0] + lean // 3, LEAF[1] + lean // 2, LEAF[2])
        pen.area(green, (500, 660), (x - 70, y + 130), (x, y), (x + 80, y + 120), (510, 660))
        pen.line((126, 172, 112), 6, (503, 650), (x, y + 30))
    pen.area(tones.main, *mirrored((680, 620), (620, 900), (500, 905)))
    pen.slab(tones.light, 12, 305, 600, 695, 665)


# --- Sports, books, toys ---------------------------------------------------------------------


def tent(pen: Pen, tones: Tones) -> None:
    pen.area(tones.dark, (500, 220), (760, 330), (950, 800), (690, 820))
    pen.area(tones.main, (500, 220), (700, 820), (80, 820))
    pen.area(GLASS, (470, 400), (560, 820), (330, 820))
    pen.area(tones.light, (470, 400), (330, 820), (250, 820))
    pen.line(WHITE, 6, (500, 222), (60, 830))


def bottle(pen: Pen, tones: Tones) -> None:
    pen.slab(METAL, 20, 435, 90, 565, 230)
    pen.area(tones.main, *mirrored((555, 220), (640, 330), (650, 860), (620, 900), (500, 905)))
    pen.slab(tones.light, 4, 351, 560, 649, 700)
    pen.slab(tones.dark, 8, 435, 206, 565, 232)


def bicycle(pen: Pen, tones: Tones) -> None:
    for x in (70, 570):
        pen.ring(RUBBER, 26, x, 440, x + 360, 800)
        pen.ring(METAL, 8, x + 26, 466, x + 334, 774)
        pen.oval(METAL, x + 165, 605, x + 195, 635)
    rear, pedals, seat, head, front = (250, 620), (460, 640), (390, 350), (680, 350), (750, 620)
    for a, b in ((rear, pedals), (rear, seat), (pedals, seat), (seat, head), (pedals, head), (head, front)):
        pen.line(tones.main, 22, a, b)
    pen.line(tones.dark, 18, seat, (375, 290))
    pen.slab(RUBBER, 18, 310, 262, 450, 296)
    pen.line(RUBBER, 20, head, (665, 270), (760, 250))
    pen.oval(METAL, 425, 605, 495, 675)


def ball(pen: Pen, tones: Tones) -> None:
    pen.oval(WHITE, 160, 160, 840, 840)
    pen.area(tones.main, (500, 390), (610, 470), (568, 600), (432, 600), (390, 470))
    for patch in (
        ((420, 175), (580, 175), (545, 260), (455, 260)),
        ((815, 400), (838, 560), (745, 540), (730, 440)),
        ((185, 400), (162, 560), (255, 540), (270, 440)),
        ((700, 765), (600, 820), (600, 730), (670, 690)),
        ((300, 765), (400, 820), (400, 730), (330, 690)),
    ):
        pen.area(tones.main, *patch)
    joints = (
        (500, 390, 500, 260),
        (610, 470, 735, 450),
        (390, 470, 265, 450),
        (568, 600, 640, 705),
        (432, 600, 360, 705),
    )
    for x, y, to_x, to_y in joints:
        pen.line(tones.dark, 8, (x, y), (to_x, to_y))


def racket(pen: Pen, tones: Tones) -> None:
    for step in range(-4, 5):  # strings, as long as the oval frame is wide there
        reach = math.sqrt(1 - (step / 5) ** 2)
        pen.line(PAPER, 4, (500 + step * 46, 355 - 275 * reach), (500 + step * 46, 355 + 275 * reach))
        pen.line(PAPER, 4, (500 - 230 * reach, 355 + step * 55), (500 + 230 * reach, 355 + step * 55))
    pen.ring(tones.main, 40, 260, 70, 740, 640)
    pen.area(tones.main, (400, 590), (440, 570), (520, 740), (480, 740))
    pen.area(tones.main, (600, 590), (560, 570), (480, 740), (520, 740))
    pen.slab(RUBBER, 20, 472, 720, 528, 950)


def book(pen: Pen, tones: Tones) -> None:
    pen.area(PAPER, (720, 150), (770, 190), (770, 870), (720, 850))
    pen.area(tones.dark, (240, 850), (720, 850), (770, 880), (280, 880))
    pen.slab(tones.main, 14, 240, 120, 730, 860)
    pen.slab(tones.dark, 4, 240, 120, 280, 860)
    pen.slab(tones.light, 6, 340, 220, 670, 250)
    pen.slab(tones.light, 6, 390, 275, 620, 295)
    pen.oval(tones.light, 400, 430, 610, 640)
    pen.slab(tones.light, 4, 430, 770, 580, 785)


def box(pen: Pen, tones: Tones) -> None:
    pen.area(tones.dark, (740, 290), (880, 230), (880, 700), (740, 800))
    pen.area(tones.light, (140, 290), (300, 230), (880, 230), (740, 290))
    pen.slab(tones.main, 6, 140, 290, 740, 800)
    pen.slab(PAPER, 10, 190, 340, 690, 470)
    for x, colour in ((230, (196, 72, 60)), (360, (66, 122, 176)), (490, (218, 170, 62)), (610, (86, 142, 86))):
        pen.oval(colour, x, 540, x + 90, 630)
        pen.area(colour, (x + 45, 580), (x + 100, 740), (x - 10, 740))


def blocks(pen: Pen, tones: Tones) -> None:
    pen.slab(tones.main, 10, 160, 560, 400, 800)
    pen.slab(tones.light, 10, 420, 560, 660, 800)
    pen.slab(WOOD, 10, 680, 560, 860, 800)
    pen.slab(tones.dark, 10, 290, 310, 530, 550)
    pen.area((206, 82, 66), (550, 550), (790, 550), (670, 330))
    pen.oval((224, 178, 70), 340, 120, 520, 300)
