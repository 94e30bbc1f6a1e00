"""Small progressive JPEGs with thousands of scans, each of which makes a decoder process all pixels again."""

import struct

from PIL import Image

from tests.products.pictures import encode

START_OF_SCAN, END = b"\xff\xda", b"\xff\xd9"
COMMENT = b"\xff\xfe" + struct.pack(">H", 65535) + bytes(65533)  # ignored by decoders


def scan_bomb(side: int, scans: int, *, comment_every: int = 0) -> bytes:
    """A grey picture whose last scan is repeated `scans` times.

    With a comment of 64 KB after every `comment_every` scans the decoder returns to its caller periodically.
    """
    picture = encode(Image.new("L", (side, side), 90), progressive=True, quality=50)
    start = picture.rindex(START_OF_SCAN)
    head, scan = picture[:start], picture[start : -len(END)]
    if not comment_every:
        return head + scan * scans + END
    return head + (scan * comment_every + COMMENT) * (scans // comment_every) + END
