"""Opens and decodes pictures with Pillow, corrected where Pillow and browsers differ."""

import io
import re
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

from PIL import AvifImagePlugin, ExifTags, Image, ImageChops

from products.images import avif, png

# Pillow's name -> the extension of our files.
EXTENSIONS = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp", "GIF": "gif", "AVIF": "avif"}
TRANSPOSE = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
XMP = ("xmp", "XML:com.adobe.xmp")
END_OF_JPEG = b"\xff\xd9"
# Data that no encoder would write for the remainder of a picture, without markers.
NOISE = bytes(range(1, 255)) * 16
MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")  # those that end a scan
START_OF_FRAME = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
START_OF_SCAN = 0xDA

# What Pillow's decoders raise for a broken file.
DECODER_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
BOMB_ERRORS = (Image.DecompressionBombError, Image.DecompressionBombWarning)

warnings.simplefilter("error", Image.DecompressionBombWarning)
AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # there is one worker process per core already


class InvalidPicture(Exception):
    """The file is not a supported, intact picture. `code` is for programs, the message for people."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


@dataclass
class Picture:
    """A picture whose header was read. `image` has its size and its format; `load` decodes it."""

    image: Image.Image
    file: IO[bytes]  # the source of `image`
    orientation: int  # EXIF's, 1 to 8
    profile: bytes | None  # ICC; None for sRGB
    png: png.Png | None

    @property
    def swaps_sides(self) -> bool:
        """Whether the orientation exchanges width and height."""
        return self.orientation >= 5

    def load(self, size: tuple[int, int]) -> Image.Image:
        """Decode the picture, at `size` or larger if its format can be decoded at a smaller scale."""
        if self.image.format in ("JPEG", "MPO"):
            return self._load_jpeg(size)
        tiles = getattr(self.image, "tile", []) if self.image.format == "GIF" else []
        extents = tiles[0].extents if tiles else None
        self.image.load()
        if extents and extents != (0, 0, *self.image.size):
            canvas = Image.new("RGBA", self.image.size)
            canvas.paste(self.image.convert("RGBA").crop(extents), extents[:2])
            return canvas
        return png.with_transparency(self.image, self.png) if self.png else self.image

    def _load_jpeg(self, size: tuple[int, int]) -> Image.Image:
        self.image.draft(None, size)
        try:
            self.image.load()
        except OSError:
            # Accept a file that lacks the end marker alone: then data before the marker makes no difference.
            self.file.seek(0)
            data = self.file.read()
            image, other = (decode_jpeg(data + end, size) for end in (END_OF_JPEG, NOISE + END_OF_JPEG))
            if ImageChops.difference(image, other).getbbox() or not _has_all_scans(data):
                raise
            return image
        return self.image


def decode_jpeg(data: bytes, size: tuple[int, int]) -> Image.Image:
    image = Image.open(io.BytesIO(data), formats=["JPEG"])
    image.draft(None, size)
    image.load()
    return image


def _has_all_scans(data: bytes) -> bool:
    """Whether the scans contain all bits of each coefficient of each colour; a progressive JPEG has several scans."""
    missing: set[tuple[int, int]] = set()
    at = 2
    while found := MARKER.search(data, at):
        at, kind = found.end(), data[found.end() - 1]
        body = data[at + 2 : at + int.from_bytes(data[at : at + 2], "big")]
        if kind in START_OF_FRAME:
            missing |= {(component, n) for component in body[6::3] for n in range(64)}
        elif kind == START_OF_SCAN and len(body) >= 4:
            first, last, bits = body[-3:]
            if bits & 15 == 0:
                missing -= {(component, n) for component in body[1:-3:2] for n in range(first, last + 1)}
        at += 2 + len(body)
    return not missing


@contextmanager
def open_image(file: IO[bytes], *, max_pixels: int, pixels: bool = True) -> Iterator[Picture]:
    """Open the picture in `file` and check its size. If `pixels` is false, only the header can be read.

    Raises InvalidPicture, also for whatever the decoder raises.
    """
    Image.MAX_IMAGE_PIXELS = max_pixels
    try:
        read = png.read(file, pixels=pixels) if png.is_png(file) else None
        source = read.file if read else file
        source.seek(0)
        with Image.open(source, formats=list(EXTENSIONS)) as image:
            if image.width * image.height > max_pixels:
                raise Image.DecompressionBombError
            profile = read.profile if read else image.info.get("icc_profile")
            if image.format == "AVIF" and not profile:
                source.seek(0)
                profile = avif.profile(source.read())
            yield Picture(image, source, _orientation(image), profile, read)
    except BOMB_ERRORS:
        raise InvalidPicture("too-many-pixels", f"The picture has more than {max_pixels:,} pixels.") from None
    except png.DecompressionBomb:
        raise InvalidPicture(
            "too-much-text", "The file has too much metadata. Save the picture again without it."
        ) from None
    except Image.UnidentifiedImageError:
        raise InvalidPicture("unknown-format", "The file is not a JPEG, PNG, WebP, GIF or AVIF picture.") from None
    except MemoryError:
        raise InvalidPicture("too-much-memory", "The picture needs too much memory. Save it smaller.") from None
    except DECODER_ERRORS:
        raise InvalidPicture("broken", "The picture is damaged or incomplete. Save and upload it again.") from None


def _orientation(image: Image.Image) -> int:
    """EXIF's orientation, 1 to 8; 1 if there is none or it cannot be read. XMP's is ignored, as browsers do."""
    for name in XMP:
        image.info.pop(name, None)
    if image.format == "PNG" and "exif" not in image.info:
        return 1  # Pillow would decode the pixels to search for EXIF data after them
    try:
        value = image.getexif().get(ExifTags.Base.Orientation, 1)
    except DECODER_ERRORS:
        return 1
    return value if value in TRANSPOSE else 1
