"""Reads a PNG as browsers do: reduces it to its pixels and colours, for Pillow to decode.

Pillow rejects a file for a wrong checksum in metadata and for long text, ignores colour spaces that are given without
a profile, and compares the transparent colour with 8-bit pixels, whatever the bit depth.
"""

import io
import struct
import zlib
from dataclasses import dataclass, field
from typing import IO

from PIL import Image, ImageChops, PngImagePlugin

from products.images import colours

SIGNATURE = b"\x89PNG\r\n\x1a\n"
METADATA = {b"tRNS", b"eXIf", b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"acTL", b"fcTL"}
COMPRESSED_TEXT = {b"zTXt", b"iTXt"}
CHUNK_MAX = 8_000_000  # bytes of a metadata chunk; longer ones are skipped
# Bytes of a decompressed profile, and of all decompressed text: more is a decompression bomb.
PROFILE_MAX = 8_000_000
TEXT_MAX = 64_000_000
TEXT_STEP = 65_536  # bytes that are decompressed per step
SRGB_GAMMA = 45_455
HAS_TRANSPARENT_COLOUR = (0, 2)  # colour types: grey and RGB


class DecompressionBomb(Exception):
    """Text or a profile decompresses to more than its limit."""


@dataclass
class Png:
    """The reduced file for Pillow, and the metadata that Pillow gets wrong."""

    file: IO[bytes]
    profile: bytes | None
    transparent_colour: tuple[int, ...] | None  # of `depth` bits per channel
    depth: int


@dataclass
class _State:
    """What was read of a file so far."""

    header: bytes = b""
    chunks: list[bytes] = field(default_factory=list)  # those that Pillow needs
    pixels: list[bytes] = field(default_factory=list)
    known: dict[bytes, bytes] = field(default_factory=dict)  # metadata, by kind; the first chunk of each
    text: int = 0
    frames: int = 0  # that have begun
    is_shown: bool = True  # whether `pixels` are those of the first frame that is shown


def is_png(file: IO[bytes]) -> bool:
    file.seek(0)
    return file.read(len(SIGNATURE)) == SIGNATURE


def read(file: IO[bytes], *, pixels: bool) -> Png:
    """Read a PNG, with or without its `pixels`. Raises DecompressionBomb."""
    state = _State()
    file.seek(len(SIGNATURE))
    while _read_chunk(file, state, pixels=pixels):
        pass
    known, depth, kind = state.known, state.header[16:17], state.header[17:18]
    before = [chunk(b"eXIf", known[b"eXIf"])] if b"eXIf" in known else []
    colour = None
    if b"tRNS" in known:
        if kind and kind[0] in HAS_TRANSPARENT_COLOUR:
            colour = _transparent_colour(known[b"tRNS"], 3 if kind[0] else 1)
        else:
            before.append(chunk(b"tRNS", known[b"tRNS"]))
    # A palette precedes its transparency.
    palette = [part for part in state.chunks if part[4:8] == b"PLTE"]
    others = [part for part in state.chunks if part[4:8] != b"PLTE"]
    body = [SIGNATURE, state.header, *palette, *before, *state.pixels, *others]
    return Png(io.BytesIO(b"".join(body)), _profile(known), colour, depth[0] if depth else 8)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _read_chunk(file: IO[bytes], state: _State, *, pixels: bool) -> bool:
    """Read the next chunk. Returns whether another can follow."""
    start = file.read(8)
    length, kind = int.from_bytes(start[:4], "big"), start[4:]
    if len(kind) < 4 or not kind.isalpha():
        state.chunks.append(start + file.read())  # not a PNG chunk; Pillow raises the error
        return False
    if kind == b"IDAT" or (kind == b"fdAT" and not state.is_shown and state.frames == 1):
        _read_pixels(file, state, start, length, pixels=pixels)
    elif kind in METADATA and length <= CHUNK_MAX:
        data, checksum = file.read(length), file.read(4)
        if checksum == struct.pack(">I", zlib.crc32(kind + data)):
            _record_chunk(state, kind, data)
    elif kind in COMPRESSED_TEXT and length <= CHUNK_MAX:
        _count_text(state, kind, file.read(length))
        file.seek(4, io.SEEK_CUR)
    elif kind[:1].islower():
        file.seek(length + 4, io.SEEK_CUR)
    else:
        whole = start + file.read(length + 4)
        if kind == b"IHDR" and not state.header:
            state.header = whole
        else:
            state.chunks.append(whole)
    return kind != b"IEND"


def _read_pixels(file: IO[bytes], state: _State, start: bytes, length: int, *, pixels: bool) -> None:
    if not pixels:
        file.seek(length + 4, io.SEEK_CUR)
        state.pixels = state.pixels or [start]  # Pillow reads the header alone
    elif start[4:] == b"IDAT":
        if b"acTL" in state.known and not state.frames:
            state.is_shown = False  # the default image, for readers that do not support animation
        state.pixels += [start, file.read(length + 4)]
    else:
        data = file.read(length)
        file.seek(4, io.SEEK_CUR)
        state.pixels.append(chunk(b"IDAT", data[4:]))


def _record_chunk(state: _State, kind: bytes, data: bytes) -> None:
    if kind == b"fcTL":
        state.frames += 1
        if not state.is_shown and state.frames == 1:
            if data[4:20] == state.header[8:16] + bytes(8):
                state.pixels = []
            else:
                state.is_shown = True  # a first frame of another size, which the specification forbids
    elif kind == b"eXIf" or not state.pixels:
        state.known.setdefault(kind, data)


def _count_text(state: _State, kind: bytes, data: bytes) -> None:
    """Decompress text and add up its length. Raises DecompressionBomb above TEXT_MAX."""
    _, _, rest = data.partition(b"\0")
    if kind == b"iTXt":
        if rest[:1] != b"\1":
            return
        rest = rest[2:].partition(b"\0")[2].partition(b"\0")[2]
    else:
        rest = rest[1:]
    decompressor = zlib.decompressobj()
    try:
        while rest:
            state.text += len(decompressor.decompress(rest, TEXT_STEP))
            rest = decompressor.unconsumed_tail
            if state.text > TEXT_MAX:
                raise DecompressionBomb
    except zlib.error:
        return


def _transparent_colour(data: bytes, channels: int) -> tuple[int, ...] | None:
    return struct.unpack(f">{channels}H", data) if len(data) == 2 * channels else None


def _profile(known: dict[bytes, bytes]) -> bytes | None:
    """The ICC profile, from the chunk that has precedence by the specification."""
    codes = known.get(b"cICP", b"")
    # RGB, full range.
    if len(codes) == 4 and codes[2:] == b"\0\1" and codes[0] in colours.PRIMARIES:
        return colours.profile_from_codes(codes[0], codes[1])
    if b"iCCP" in known:
        return _decompressed_profile(known[b"iCCP"])
    if b"sRGB" in known or len(known.get(b"gAMA", b"")) != 4:
        return None
    gamma = int.from_bytes(known[b"gAMA"], "big")
    primaries = _primaries(known.get(b"cHRM", b""))
    if not gamma or (gamma == SRGB_GAMMA and not primaries):
        return None
    return colours.profile(primaries or colours.BT709, colours.gamma(100_000 / gamma))


def _primaries(data: bytes) -> colours.Primaries | None:
    if len(data) != 32:
        return None
    white, red, green, blue = ((x / 100_000, y / 100_000) for x, y in struct.iter_unpack(">2I", data))
    return white, red, green, blue


def _decompressed_profile(data: bytes) -> bytes | None:
    decompressor = zlib.decompressobj()
    try:
        profile = decompressor.decompress(data.partition(b"\0")[2][1:], PROFILE_MAX + 1)
    except zlib.error:
        return None
    if len(profile) > PROFILE_MAX:
        raise DecompressionBomb
    return profile if decompressor.eof else None


def with_transparency(image: Image.Image, png: Png) -> Image.Image:
    """The loaded `image`, with alpha 0 where a pixel has the transparent colour."""
    if png.transparent_colour is None:
        return image
    if image.mode == "I;16":
        table = [255] * 65536
        table[png.transparent_colour[0]] = 0
        alpha = image.convert("I").point(table, "L")
        image = image.point(lambda value: value * (1 / 256)).convert("L")
    elif png.depth == 16:
        alpha = _differs_from(_low_bytes(png), [part & 255 for part in png.transparent_colour])
        alpha = ImageChops.lighter(alpha, _differs_from(image, [part >> 8 for part in png.transparent_colour]))
    else:
        maximum = (1 << png.depth) - 1
        image = image.convert("L") if image.mode == "1" else image
        alpha = _differs_from(image, [(part & maximum) * 255 // maximum for part in png.transparent_colour])
    image.putalpha(alpha)
    return image


def _differs_from(image: Image.Image, colour: list[int]) -> Image.Image:
    """A mask: 0 where the pixel has `colour`, else 255."""
    alpha = None
    for band, value in zip(image.split(), colour, strict=True):
        other = band.point([0 if level == value else 255 for level in range(256)])
        alpha = ImageChops.lighter(alpha, other) if alpha else other
    assert alpha is not None
    return alpha


def _low_bytes(png: Png) -> Image.Image:
    """The lower bytes of an image with 16 bits per channel; Pillow reads the upper bytes."""
    png.file.seek(0)
    image = PngImagePlugin.PngImageFile(png.file)
    image.tile = [tile._replace(args="RGB;16L") for tile in image.tile]
    image.load()
    return image
