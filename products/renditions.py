"""Pictures in, renditions out: pure Pillow, no rows and no names.

Nothing of a file is believed but what its decoder finds: the format is told by content, the size
is read from the header before a pixel is decoded, and all metadata is dropped.
"""

import io
import math
import struct
import warnings
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, TypedDict

from PIL import AvifImagePlugin, ExifTags, Image, ImageCms

# Pillow's name -> the extension of our files.
EXTENSIONS = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp", "GIF": "gif", "AVIF": "avif"}
SAVE_OPTIONS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 85},
    "PNG": {},
    "WEBP": {"quality": 82, "method": 2},  # 4 takes 2.5 times as long for 3 % fewer bytes
    "GIF": {},
    "AVIF": {"quality": 70, "speed": 7, "max_threads": 1},
}
# JPEG decodes at 1/2, 1/4 or 1/8 for less: to this many times the largest rendition at least, so
# that the filter has something to work with. Just under 2, or a side of 3,999 pixels would miss 1/4.
DRAFT_GAP = 1.9
# Where it is more than twice this, whole pixels are averaged first, which the filter then needs not do.
REDUCING_GAP = 2.0
SRGB = ImageCms.createProfile("sRGB")
TRANSPOSE = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# What Pillow's decoders raise for a broken file.
BROKEN = (
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
BOMB = (Image.DecompressionBombError, Image.DecompressionBombWarning)

warnings.simplefilter("error", Image.DecompressionBombWarning)
AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # the workers are one process a core already


class BadPicture(Exception):
    """The file is no picture that we take. `code` is a word for programs, the text a sentence for people."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


class Wanted(TypedDict):
    """A rendition as the settings want it: the box of pixels that it fits in, and formats beside the file's own."""

    box: tuple[int, int]
    formats: Sequence[str]


@dataclass(frozen=True)
class Header:
    """What a file says of itself; `width` and `height` are as oriented."""

    format: str
    width: int
    height: int


@dataclass(frozen=True)
class Rendition:
    """`data` is in the file's own format; `others` holds the same pixels by format."""

    data: bytes
    width: int
    height: int
    others: dict[str, bytes]


@dataclass(frozen=True)
class Result:
    header: Header
    renditions: dict[str, Rendition]


def inspect(file: IO[bytes], *, max_pixels: int) -> Header:
    """Read the header, decode nothing. Raises BadPicture."""
    with _opened(file, max_pixels) as image:
        return _header(image, _orientation(image))


def make(file: IO[bytes], *, plan: Mapping[str, Wanted], max_pixels: int) -> Result:
    """Decode `file` once, at the smallest scale that serves, and make all that the plan names.

    Raises BadPicture.
    """
    with _opened(file, max_pixels) as image:
        full_size = image.size
        orientation = _orientation(image)
        swapped = orientation >= 5
        scales = _scales(full_size, plan, swapped)
        largest = max(scales.values(), default=1.0)
        image.draft(None, _scaled(full_size, largest * DRAFT_GAP, math.floor))
        image.load()
        if image.format == "PNG":  # its EXIF may stand behind the pixels
            found = _orientation(image)
            if (found >= 5) != swapped:
                scales = _scales(full_size, plan, found >= 5)
            orientation = found
        header = _header(image, orientation, full_size)
        made: dict[str, Rendition] = {}
        source: Image.Image = _resizable(image)
        profile = image.info.get("icc_profile")
        for name, scale in sorted(scales.items(), key=lambda item: -item[1]):
            source = source.resize(
                _scaled(full_size, scale, round), Image.Resampling.LANCZOS, reducing_gap=REDUCING_GAP
            )
            if not made:  # the smaller ones are made from the largest, which is in sRGB and upright
                source = _to_srgb(source, profile)
                if orientation in TRANSPOSE:
                    source = source.transpose(TRANSPOSE[orientation])
                    full_size = (header.width, header.height)
            source.info = {}  # where Pillow keeps metadata that some of its encoders would write
            others = {format: _encoded(source, format) for format in plan[name]["formats"] if format != header.format}
            made[name] = Rendition(_encoded(source, header.format), *source.size, others)
        return Result(header, made)


@contextmanager
def _opened(file: IO[bytes], max_pixels: int) -> Iterator[Image.Image]:
    """The picture in `file`, its size checked; whatever its decoder raises becomes a BadPicture."""
    Image.MAX_IMAGE_PIXELS = max_pixels
    try:
        file.seek(0)
        with Image.open(file, formats=list(EXTENSIONS)) as image:
            if image.width * image.height > max_pixels:
                raise Image.DecompressionBombError
            yield image
    except BOMB:
        raise BadPicture("too-many-pixels", f"The picture has more than {max_pixels:,} pixels.") from None
    except Image.UnidentifiedImageError:
        raise BadPicture("unknown-format", "The file is not a JPEG, PNG, WebP, GIF or AVIF picture.") from None
    except MemoryError:
        raise BadPicture("too-much-memory", "The picture takes too much memory. Save it smaller.") from None
    except BROKEN:
        raise BadPicture("broken", "The picture is damaged or incomplete. Save it anew and upload it again.") from None


def _header(image: Image.Image, orientation: int, size: tuple[int, int] | None = None) -> Header:
    width, height = size or image.size
    # A JPEG with more pictures in it, as many cameras write, is an MPO to Pillow.
    format = "JPEG" if image.format == "MPO" else str(image.format)
    return Header(format, *((height, width) if orientation >= 5 else (width, height)))


def _orientation(image: Image.Image) -> int:
    """EXIF's, 1 to 8; 1 where there is none or it cannot be read."""
    if image.format == "PNG" and "exif" not in image.info and getattr(image, "tile", None):
        return 1  # Pillow would decode the pixels to look behind them
    try:
        value = image.getexif().get(ExifTags.Base.Orientation, 1)
    except BROKEN:
        return 1
    return value if value in TRANSPOSE else 1


def fitted(size: tuple[int, int], box: tuple[int, int]) -> tuple[int, int]:
    """The size of the rendition of a picture of `size` that is to fit into `box`."""
    return _scaled(size, _scale(size, box), round)


def _scales(size: tuple[int, int], plan: Mapping[str, Wanted], is_turned: bool) -> dict[str, float]:
    """How much smaller than `size` each rendition is; a box is for the picture as it is seen."""
    boxes = {name: wanted["box"] for name, wanted in plan.items()}
    return {name: _scale(size, box[::-1] if is_turned else box) for name, box in boxes.items()}


def _scale(size: tuple[int, int], box: tuple[int, int]) -> float:
    """What makes `size` fit into `box`; never enlarging."""
    return min(1.0, box[0] / size[0], box[1] / size[1])


def _scaled(size: tuple[int, int], scale: float, to_whole: Any) -> tuple[int, int]:
    return max(1, to_whole(size[0] * scale)), max(1, to_whole(size[1] * scale))


def _resizable(image: Image.Image) -> Image.Image:
    """`image` in a mode that a filter can work on: no palette, 8 bits a channel, alpha where there is any."""
    has_alpha = "transparency" in image.info
    if image.mode.startswith("I;16"):
        return image.point(lambda value: value * (1 / 256)).convert("L")
    if image.mode in ("1", "I", "F"):
        return image.convert("L")
    if image.mode == "L" and has_alpha:
        return image.convert("LA")
    if image.mode in ("P", "PA", "RGB") and (has_alpha or image.mode == "PA"):
        return image.convert("RGBA")
    return image if image.mode in ("L", "LA", "RGB", "RGBA", "CMYK") else image.convert("RGB")


def _to_srgb(image: Image.Image, profile: Any) -> Image.Image:
    """`image` in sRGB, by its profile where that can be read; in L, LA, RGB or RGBA."""
    alpha = image.getchannel("A") if image.mode in ("LA", "RGBA") else None
    colour = image.convert(image.mode[:-1]) if alpha else image
    grey = colour.mode == "L"
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            colour = ImageCms.profileToProfile(colour, source, SRGB, outputMode="RGB") or colour
        except (ImageCms.PyCMSError, *BROKEN):
            pass  # a profile that is broken or of another colour space says nothing
    colour = colour.convert("L" if grey else "RGB")
    if alpha:
        colour.putalpha(alpha)
    return colour


def _encoded(image: Image.Image, format: str) -> bytes:
    if format == "GIF" and image.mode in ("LA", "RGBA"):
        image = image.convert("RGBA")  # a pixel of a GIF is seen through or is not
        image.putalpha(image.getchannel("A").point(lambda value: 255 if value >= 128 else 0))
    buffer = io.BytesIO()
    image.save(buffer, format, **SAVE_OPTIONS[format])
    return buffer.getvalue()
