"""Progressive JPEGs of few bytes and thousands of scans, each of which has a decoder go over all pixels once more."""

import struct

from PIL import Image

from tests.products.pictures import encoded

START_OF_SCAN, END = b"\xff\xda", b"\xff\xd9"
REST = b"\xff\xfe" + struct.pack(">H", 65535) + bytes(65533)  # a comment that decoders pass over


def scan_bomb(side: int, scans: int, *, rest_every: int = 0) -> bytes:
    """A grey picture whose last scan stands there so many times.

    With a comment of 64 KB after so many of them a decoder comes back to its caller now and then.
    """
    picture = encoded(Image.new("L", (side, side), 90), progressive=True, quality=50)
    start = picture.rindex(START_OF_SCAN)
    head, scan = picture[:start], picture[start : -len(END)]
    if not rest_every:
        return head + scan * scans + END
    return head + (scan * rest_every + REST) * (scans // rest_every) + END
