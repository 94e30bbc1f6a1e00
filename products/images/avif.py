"""The colour space in an AVIF's `colr` box, given as H.273 code points, which Pillow ignores."""

from collections.abc import Iterator

from products.images import colours

# Browsers treat the transfer functions of video as sRGB's in a picture; Chromium does.
VIDEO = {1, 2, 6, 13, 14, 15}
BOXES_MAX = 1000  # a picture has a few dozen
UNSPECIFIED, BT709, SRGB = 2, 1, 13


def profile(data: bytes) -> bytes | None:
    """The ICC profile for the file's code points; None for sRGB and for a file without them."""
    codes = _nclx(data)
    if codes is None:
        return None
    primaries, transfer = codes
    return colours.profile_from_codes(
        BT709 if primaries == UNSPECIFIED else primaries, SRGB if transfer in VIDEO else transfer
    )


def _nclx(data: bytes) -> tuple[int, int] | None:
    """The code points of primaries and transfer of the primary item; its thumbnail may have others."""
    meta = _first_box(data, b"meta")[4:]
    properties = _first_box(meta, b"iprp")
    boxes = list(_boxes(_first_box(properties, b"ipco")))
    associated = _properties_of(_first_box(properties, b"ipma"), _primary_item(_first_box(meta, b"pitm")))
    for index in associated:
        kind, body = boxes[index - 1] if 0 < index <= len(boxes) else (b"", b"")
        if kind == b"colr" and body[:4] == b"nclx" and len(body) >= 10:
            return int.from_bytes(body[4:6], "big"), int.from_bytes(body[6:8], "big")
    return None


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    for _ in range(BOXES_MAX):
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        start = at + 8
        if size == 1:
            size, start = int.from_bytes(data[at + 8 : at + 16], "big"), at + 16
        end = at + size if size else len(data)
        if len(kind) < 4 or end < start:
            return
        yield kind, data[start:end]
        at = end


def _first_box(data: bytes, wanted: bytes) -> bytes:
    return next((body for kind, body in _boxes(data) if kind == wanted), b"")


def _primary_item(box: bytes) -> int:
    """The id of the primary item."""
    return int.from_bytes(box[4:6] if box[:1] == b"\0" else box[4:8], "big")


def _properties_of(box: bytes, item: int) -> list[int]:
    """The indexes of the properties that are associated with an item."""
    id_size, number_size = (4 if box[:1] > b"\0" else 2), (2 if box[3:4] > b"\0" and box[3] & 1 else 1)
    at = 8
    for _ in range(min(int.from_bytes(box[4:8], "big"), BOXES_MAX)):
        found, count = int.from_bytes(box[at : at + id_size], "big"), int.from_bytes(box[at + id_size :][:1], "big")
        at += id_size + 1
        numbers = [box[at + n * number_size : at + (n + 1) * number_size] for n in range(count)]
        if found == item:
            essential = 1 << (8 * number_size - 1)  # the flag bit, which is not part of the index
            return [int.from_bytes(number, "big") & ~essential for number in numbers]
        at += count * number_size
    return []
