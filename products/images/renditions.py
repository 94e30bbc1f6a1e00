"""Renders pictures at other sizes and in other formats. Uses Pillow only: no rows, no file names.

Uploaded files are not trusted: the format is detected by content, the size is read from the header
before pixels are decoded, and all metadata is dropped.
"""

import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any, TypedDict

from PIL import Image, ImageCms

from products.images import decoding
from products.images.decoding import DECODER_ERRORS, EXTENSIONS, TRANSPOSE, InvalidPicture

__all__ = ["DECODER_ERRORS", "EXTENSIONS", "TRANSPOSE", "InvalidPicture"]
SAVE_OPTIONS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 85},
    "PNG": {},
    "WEBP": {"quality": 82, "method": 2},  # method 4 takes 2.5 times as long for 3 % fewer bytes
    "GIF": {},
    "AVIF": {"quality": 70, "speed": 7, "max_threads": 1},
}
# JPEG decodes faster at 1/2, 1/4 or 1/8: to this many times the largest rendition at least, for the
# quality of the resampling. Under 5/3, for photographs of 4,000 pixels to be decoded at 1/2 for 1,200.
DRAFT_GAP = 1.65
# The largest rendition has the most pixels: if it has more than half the width of what was decoded, BICUBIC saves a
# quarter of the time, and the SSIM is less by 0.001.
LANCZOS_FROM = 2.0
# If a picture is more than this many times too large, Pillow averages whole pixels before it resamples.
REDUCING_GAP = 2.0
SRGB = ImageCms.createProfile("sRGB")


class RenditionSpec(TypedDict):
    """A rendition in the settings: the box in pixels that it fits into, and formats in addition to the file's own."""

    box: tuple[int, int]
    formats: Sequence[str]


@dataclass(frozen=True)
class Header:
    """A file's header; `width` and `height` are those after orientation."""

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


def read_header(file: IO[bytes], *, max_pixels: int) -> Header:
    """Read the header without decoding pixels. Raises InvalidPicture."""
    with decoding.open_image(file, max_pixels=max_pixels, pixels=False) as picture:
        return _header(picture, picture.image.size)


def render(file: IO[bytes], *, plan: Mapping[str, RenditionSpec], max_pixels: int) -> Result:
    """Decode `file` once, at the smallest sufficient scale, and render everything in the plan.

    Raises InvalidPicture.
    """
    with decoding.open_image(file, max_pixels=max_pixels) as picture:
        full_size = picture.image.size
        header = _header(picture, full_size)
        scales = _scales(full_size, plan, picture.swaps_sides)
        largest = max(scales.values(), default=1.0)
        source = _resizable(picture.load(_scaled(full_size, largest * DRAFT_GAP, math.floor)))
        rendered: dict[str, Rendition] = {}
        for name, scale in sorted(scales.items(), key=lambda item: -item[1]):
            size = _scaled(full_size, scale, round)
            is_close = not rendered and source.width < LANCZOS_FROM * size[0]
            resampling = Image.Resampling.BICUBIC if is_close else Image.Resampling.LANCZOS
            source = source.resize(size, resampling, reducing_gap=REDUCING_GAP)
            if not rendered:  # the smaller ones are resized from the largest, which is in sRGB and oriented
                source = _to_srgb(source, picture.profile)
                if picture.orientation in TRANSPOSE:
                    source = source.transpose(TRANSPOSE[picture.orientation])
                    full_size = (header.width, header.height)
            source.info = {}  # metadata that some of Pillow's encoders would write
            others = {format: _encode(source, format) for format in plan[name]["formats"] if format != header.format}
            rendered[name] = Rendition(_encode(source, header.format), *source.size, others)
        return Result(header, rendered)


def _header(picture: decoding.Picture, size: tuple[int, int]) -> Header:
    width, height = size
    # Pillow calls a JPEG with several pictures, as many cameras write it, an MPO.
    format = "JPEG" if picture.image.format == "MPO" else str(picture.image.format)
    return Header(format, *((height, width) if picture.swaps_sides else (width, height)))


def fitted_size(size: tuple[int, int], box: tuple[int, int]) -> tuple[int, int]:
    """The size of a rendition that fits into `box`, of a picture of `size`."""
    return _scaled(size, _scale(size, box), round)


def _scales(size: tuple[int, int], plan: Mapping[str, RenditionSpec], swaps_sides: bool) -> dict[str, float]:
    """The scale of each rendition; a box applies to the oriented picture."""
    boxes = {name: wanted["box"] for name, wanted in plan.items()}
    return {name: _scale(size, box[::-1] if swaps_sides else box) for name, box in boxes.items()}


def _scale(size: tuple[int, int], box: tuple[int, int]) -> float:
    """The scale at which `size` fits into `box`, 1 at most."""
    return min(1.0, box[0] / size[0], box[1] / size[1])


def _scaled(size: tuple[int, int], scale: float, to_whole: Callable[[float], int]) -> tuple[int, int]:
    return max(1, to_whole(size[0] * scale)), max(1, to_whole(size[1] * scale))


def _resizable(image: Image.Image) -> Image.Image:
    """`image` in a mode that can be resampled: no palette, 8 bits per channel, with alpha if it has transparency."""
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


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """`image` converted to sRGB, in mode L, LA, RGB or RGBA. An unreadable profile is ignored."""
    alpha = image.getchannel("A") if image.mode in ("LA", "RGBA") else None
    colour = image.convert(image.mode[:-1]) if alpha else image
    grey = colour.mode == "L"
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if grey and source.profile.xcolor_space.strip() == "RGB":
                colour = colour.convert("RGB")
            colour = ImageCms.profileToProfile(colour, source, SRGB, outputMode="RGB") or colour
        except (ImageCms.PyCMSError, *DECODER_ERRORS):
            pass  # the profile is broken or of another colour space
    colour = colour.convert("L" if grey else "RGB")
    if alpha:
        colour.putalpha(alpha)
    return colour


def _encode(image: Image.Image, format: str) -> bytes:
    if format == "GIF" and image.mode in ("LA", "RGBA"):
        image = image.convert("RGBA")  # a GIF has no partial transparency
        image.putalpha(image.getchannel("A").point(lambda value: 255 if value >= 128 else 0))
    buffer = io.BytesIO()
    image.save(buffer, format, **SAVE_OPTIONS[format])
    return buffer.getvalue()
