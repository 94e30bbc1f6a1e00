"""Pictures that decoders interpret differently, with the pixels that browsers show.

`tests/browser/test_pictures.py` verifies the pixels in Chromium, `test_odd_pictures.py` in the service.
"""

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageCms

from products.images import renditions
from products.images.png import SIGNATURE, chunk
from tests.products.pictures import encode, photograph

SIDE = 16
RED = (200, 30, 30)
FOLDER = Path(__file__).with_name("faults")
Pixels = dict[tuple[int, int], tuple[int, ...]]


@dataclass(frozen=True)
class Odd:
    """A picture and its expected `pixels`, RGB or RGBA. `like_chromium`: all other pixels equal Chromium's too."""

    data: bytes
    extension: str
    pixels: Pixels
    like_chromium: bool = True


def png(kind: int, depth: int, row: bytes, *before: bytes, after: tuple[bytes, ...] = (), side: int = SIDE) -> bytes:
    """A square PNG of `side` equal rows; `before` and `after` are chunks around the pixels."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, depth, kind, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress((b"\0" + row) * side))
    return b"".join([SIGNATURE, header, *before, pixels, *after, chunk(b"IEND", b"")])


def red(*before: bytes, after: tuple[bytes, ...] = ()) -> bytes:
    return png(2, 8, bytes(RED) * SIDE, *before, after=after)


def with_wrong_checksum(part: bytes) -> bytes:
    """`part` with a wrong checksum."""
    return part[:-1] + bytes([part[-1] ^ 1])


def cicp(primaries: int, transfer: int, matrix: int = 0, is_full: int = 1) -> bytes:
    return chunk(b"cICP", bytes([primaries, transfer, matrix, is_full]))


def gama(value: int) -> bytes:
    return chunk(b"gAMA", struct.pack(">I", value))


def chrm(*points: float) -> bytes:
    return chunk(b"cHRM", b"".join(struct.pack(">I", round(point * 100_000)) for point in points))


def profile(more: int = 0) -> bytes:
    """An sRGB profile with red and green exchanged, padded by `more` bytes."""
    data = bytearray(ImageCms.ImageCmsProfile(renditions.SRGB).tobytes())
    r, g = data.index(b"rXYZ"), data.index(b"gXYZ")
    data[r : r + 4], data[g : g + 4] = b"gXYZ", b"rXYZ"
    data[:4] = struct.pack(">I", len(data) + more)
    return bytes(data) + bytes(more)


def iccp(data: bytes) -> bytes:
    return chunk(b"iCCP", b"x\0\0" + zlib.compress(data))


def grey(depth: int) -> bytes:
    """A grey PNG whose pixels increase by one step of its depth each; the third step is transparent."""
    steps = [n & ((1 << depth) - 1) for n in range(SIDE)]
    if depth == 16:
        row = b"".join(struct.pack(">H", 0x8000 + n) for n in steps)
    else:
        row = int("".join(f"{n:0{depth}b}" for n in steps), 2).to_bytes(SIDE * depth // 8, "big")
    key = {1: 1, 16: 0x8002}.get(depth, 2)
    return png(0, depth, row, chunk(b"tRNS", struct.pack(">H", key)))


def avif_with_codes(primaries: int, transfer: int) -> bytes:
    data = bytearray(encode(Image.new("RGB", (SIDE, SIDE), RED), "AVIF", quality=100, subsampling="4:4:4"))
    at = data.index(b"nclx") + 4
    data[at : at + 4] = struct.pack(">HH", primaries, transfer)
    return bytes(data)


def gif(frame: tuple[int, int, int, int], *, transparent: int | None = None, background: int = 0) -> bytes:
    """A canvas of 16 by 16 whose palette begins with green, and one red frame: left, top, width, height."""
    palette = bytes((0, 255, 0, 255, 0, 0, 0, 0, 255, 255, 255, 0))
    image = Image.new("P", frame[2:], 1)
    image.putpalette(palette)
    for x, index in enumerate((2, 0, 3)):  # use each colour, or Pillow would omit it
        image.putpixel((x, 0), index)
    alone = encode(image, "GIF")
    descriptor = alone.rindex(b"\x2c\0\0\0\0")
    local = 3 * (2 << (alone[descriptor + 9] & 7)) if alone[descriptor + 9] & 0x80 else 0
    control = b"" if transparent is None else b"\x21\xf9\x04\x01\x0a\0" + bytes([transparent, 0])
    head = b"GIF89a" + struct.pack("<HHBBB", SIDE, SIDE, 0x81, background, 0) + palette
    return head + control + b"\x2c" + struct.pack("<HHHH", *frame) + b"\0" + alone[descriptor + 10 + local :]


def exif(orientation: int) -> Any:
    found = Image.Exif()
    found[0x0112] = orientation
    return found


XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><r:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></r:RDF></x:xmpmeta>'  # noqa: E501
D65, P3 = (0.3127, 0.329), (0.68, 0.32, 0.265, 0.69, 0.15, 0.06)
TEXT = b"name\0\0" + zlib.compress(bytes(8_000_000))
WIDE = Image.new("RGB", (SIDE * 2, SIDE), RED)
CLEAR = (0, 0, 0, 0)


def from_file(name: str, pixels: Pixels, **more: Any) -> Odd:
    return Odd((FOLDER / name).read_bytes(), name.rpartition(".")[2], pixels, **more)


def reds(data: bytes, *colour: int) -> Odd:
    return Odd(data, "png", {(5, 5): colour or RED})


ODD = {
    # Recorded files.
    "text of 2 MB": from_file("ztxt_big.png", {(100, 150): RED}),
    "grey of 1 bit": from_file("g1_trns.png", {(0, 0): CLEAR}),
    "nclx of Display P3": from_file("p3_nclx.avif", {(200, 100): (220, 0, 6)}),
    "XMP's orientation": from_file("xmp6.jpg", {(200, 100): RED}),
    "a small first frame": from_file("offset.gif", {(0, 0): CLEAR}),
    "a wrong checksum of text": from_file("badcrc_text.png", {(200, 100): RED}),
    "no end": from_file("no_eoi.jpg", {(200, 100): RED}, like_chromium=False),  # Chromium omits the last rows
    # Metadata.
    **{f"8 MB of {kind.decode()}": reds(red(chunk(kind, TEXT))) for kind in (b"zTXt", b"tEXt")},
    "8 MB of iTXt": reds(red(chunk(b"iTXt", b"name\0\1\0\0\0" + TEXT[6:]))),
    "8 MB of text after the pixels": reds(red(after=(chunk(b"zTXt", TEXT),))),
    "a profile of 2 MB": reds(red(iccp(profile(2_000_000))), 30, 200, 30),
    "a time with a wrong checksum": reds(red(with_wrong_checksum(chunk(b"tIME", bytes(7))))),
    "gamma with a wrong checksum": reds(red(with_wrong_checksum(gama(100_000)))),
    "transparency with a wrong checksum": Odd(
        png(0, 8, bytes(range(SIDE)), with_wrong_checksum(chunk(b"tRNS", b"\0\2"))), "png", {(2, 2): (2, 2, 2, 255)}
    ),
    "a size that is too short": reds(red(chunk(b"pHYs", b"\0"))),
    "an end with a wrong checksum": reds(red()[:-1] + b"\0"),
    # Transparency.
    "grey of 2 bits": Odd(grey(2), "png", {(1, 3): (85, 85, 85, 255), (2, 3): CLEAR}),
    "grey of 4 bits": Odd(grey(4), "png", {(1, 3): (17, 17, 17, 255), (2, 3): CLEAR, (15, 3): (255,) * 4}),
    "grey of 8 bits": Odd(grey(8), "png", {(1, 3): (1, 1, 1, 255), (2, 3): CLEAR}),
    "grey of 16 bits": Odd(grey(16), "png", {(1, 3): (128, 128, 128, 255), (2, 3): CLEAR}),
    "RGB of 8 bits": Odd(
        png(2, 8, bytes(RED) * 8 + b"\1\2\3" * 8, chunk(b"tRNS", b"\0\1\0\2\0\3")), "png",
        {(2, 2): (*RED, 255), (12, 2): CLEAR},
    ),
    "RGB of 16 bits": Odd(
        png(2, 16, b"\x80\1\x10\0\x20\0" * 8 + b"\x80\1\x10\0\x20\1" * 8, chunk(b"tRNS", b"\x80\1\x10\0\x20\1")),
        "png", {(2, 2): (128, 16, 32, 255), (12, 2): CLEAR},
    ),
    "a palette": Odd(
        png(3, 2, b"\x1b" * 4, chunk(b"PLTE", bytes(RED) * 4), chunk(b"tRNS", b"\0\x80")), "png",
        {(0, 0): CLEAR, (1, 0): (*RED, 128), (2, 0): (*RED, 255)},
    ),
    # Colours.
    "Display P3": reds(red(cicp(12, 13)), 218, 0, 6),
    "BT.2020": reds(red(cicp(9, 1)), 246, 0, 0),
    "linear": reds(red(cicp(1, 8)), 229, 96, 96),
    "unspecified code points": reds(red(cicp(2, 2))),
    "code points of a narrow range": reds(red(cicp(12, 13, 0, 0))),
    "code points before a profile": reds(red(cicp(12, 13), iccp(profile())), 218, 0, 6),
    "a profile before sRGB": reds(red(iccp(profile()), chunk(b"sRGB", b"\0")), 30, 200, 30),
    "a profile before gamma": reds(red(iccp(profile()), gama(100_000)), 30, 200, 30),
    "sRGB before gamma": reds(red(chunk(b"sRGB", b"\0"), gama(100_000), chrm(*D65, *P3))),
    "gamma": reds(red(gama(100_000)), 229, 96, 96),
    "gamma of sRGB": reds(red(gama(45_455))),
    "gamma of nothing": reds(red(gama(0))),
    "gamma and primaries": reds(red(gama(45_455), chrm(*D65, *P3)), 220, 0, 0),
    "primaries alone": reds(red(chrm(*D65, *P3))),
    "primaries that span no colour space": reds(red(gama(45_455), chrm(*[0.0] * 8))),
    "grey with gamma": Odd(png(0, 8, b"\x54" * SIDE, gama(100_000)), "png", {(2, 2): (155, 155, 155)}),
    "grey and alpha with gamma": Odd(
        png(4, 8, b"\x54\xff" * SIDE, gama(100_000)), "png", {(2, 2): (155, 155, 155, 255)}
    ),
    "a palette with gamma": Odd(
        png(3, 8, bytes(SIDE), gama(100_000), chunk(b"PLTE", bytes(RED))), "png", {(2, 2): (229, 96, 96)}
    ),
    "AVIF in Display P3": Odd(avif_with_codes(12, 13), "avif", {(2, 2): (218, 0, 6)}),
    "AVIF in BT.2020": Odd(avif_with_codes(9, 1), "avif", {(2, 2): (249, 0, 9)}),
    "AVIF in BT.709": Odd(avif_with_codes(1, 1), "avif", {(2, 2): RED}),
    "AVIF, linear": Odd(avif_with_codes(1, 8), "avif", {(2, 2): (229, 96, 96)}),
    # Orientation.
    "XMP's orientation in a PNG": Odd(
        red(chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP)), "png", {(5, 5): RED}
    ),
    **{f"XMP's orientation in {f}": Odd(encode(WIDE, f, xmp=XMP, quality=100), e, {(30, 5): RED})
       for f, e in (("WEBP", "webp"), ("AVIF", "avif"))},
    "EXIF's orientation in AVIF": Odd(encode(WIDE, "AVIF", exif=exif(6), quality=100), "avif", {(5, 30): RED}),
    "EXIF's orientation in PNG": Odd(encode(WIDE, "PNG", exif=exif(6)), "png", {(5, 30): RED}),
    # Frames.
    "a GIF's frame": Odd(gif((4, 4, 8, 8)), "gif", {(0, 0): CLEAR, (4, 4): (0, 0, 255, 255), (6, 6): (255, 0, 0, 255)}),
    "a frame with transparency": Odd(
        gif((4, 4, 8, 8), transparent=1), "gif", {(0, 0): CLEAR, (4, 4): (0, 0, 255, 255), (6, 6): CLEAR}
    ),
    "a frame on a background": Odd(gif((4, 4, 8, 8), background=3), "gif", {(0, 0): CLEAR, (6, 6): (255, 0, 0, 255)}),
    "a frame on a transparent background": Odd(gif((4, 4, 8, 8), transparent=0), "gif", {(0, 0): CLEAR}),
    "a frame over the edge": Odd(gif((12, 12, 8, 8)), "gif", {(0, 0): CLEAR, (18, 18): (255, 0, 0, 255)}),
    "a whole frame": Odd(gif((0, 0, 16, 16)), "gif", {(1, 1): (255, 0, 0)}),
    "an APNG with a separate default image": Odd(
        encode(Image.new("RGB", (SIDE, SIDE), (0, 200, 0)), "PNG", save_all=True, default_image=True,
                append_images=[WIDE.crop((0, 0, SIDE, SIDE)), Image.new("RGB", (SIDE, SIDE))], duration=10**5),
        "png", {(5, 5): RED},
    ),
    # The end of a JPEG.
    "junk after the end": Odd(encode(photograph(60, 40)) + b"junk" * 99, "jpg", {}),
}  # fmt: skip
