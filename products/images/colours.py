"""ICC profiles for colour spaces that a file gives as code points, rendered as browsers render them.

The code points of primaries and transfer functions are those of ITU-T H.273, which PNG's cICP and AVIF's nclx share.
"""

import math
import struct
from collections.abc import Callable, Sequence
from functools import cache

Point = tuple[float, float]
Primaries = tuple[Point, Point, Point, Point]  # white, red, green, blue
Matrix = list[list[float]]

D50 = (0.9642, 1.0, 0.8249)
D65, C = (0.3127, 0.329), (0.31, 0.316)
BT709: Primaries = (D65, (0.64, 0.33), (0.3, 0.6), (0.15, 0.06))
PRIMARIES: dict[int, Primaries] = {
    1: BT709,
    4: (C, (0.67, 0.33), (0.21, 0.71), (0.14, 0.08)),
    5: (D65, (0.64, 0.33), (0.29, 0.6), (0.15, 0.06)),
    6: (D65, (0.63, 0.34), (0.31, 0.595), (0.155, 0.07)),
    7: (D65, (0.63, 0.34), (0.31, 0.595), (0.155, 0.07)),
    8: (C, (0.681, 0.319), (0.243, 0.692), (0.145, 0.049)),
    9: (D65, (0.708, 0.292), (0.17, 0.797), (0.131, 0.046)),  # BT.2020
    10: ((1 / 3, 1 / 3), (1.0, 0.0), (0.0, 1.0), (0.0, 0.0)),
    11: ((0.314, 0.351), (0.68, 0.32), (0.265, 0.69), (0.15, 0.06)),
    12: (D65, (0.68, 0.32), (0.265, 0.69), (0.15, 0.06)),  # Display P3
    22: (D65, (0.63, 0.34), (0.295, 0.605), (0.155, 0.077)),
}
BRADFORD = [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
# Tone mapping of HDR pictures: white is half of the output range, and the other half is for up to 1,000 nits, by the
# logarithm of the ratio to white. Measured in Chromium, which does not document it.
WHITE, PEAK = 203.0, 1000.0
KNEE = [(0.0, 0.5), (0.212, 0.565), (0.533, 0.645), (0.851, 0.716), (1.168, 0.784), (1.482, 0.847), (1.795, 0.905)]
KNEE += [(2.107, 0.965), (math.log2(PEAK / WHITE), 1.0)]


def gamma(exponent: float) -> Callable[[float], float]:
    return lambda value: value**exponent


def _srgb(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def _smpte240(value: float) -> float:
    return value / 4 if value < 0.0912 else ((value + 0.1115) / 1.1115) ** (1 / 0.45)


def _smpte428(value: float) -> float:
    return value**2.6 * 52.37 / 48


def _pq(value: float) -> float:
    power = value ** (32 / 2523)
    return _tone_mapped(10_000 * (max(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)) ** (16384 / 2610))


def _hlg(value: float) -> float:
    scene = value**2 / 3 if value <= 0.5 else (math.exp((value - 0.55991073) / 0.17883277) + 0.28466892) / 12
    return _tone_mapped(PEAK * scene**1.2)


def _tone_mapped(nits: float) -> float:
    if nits <= WHITE:
        return nits / WHITE / 2
    stops = min(math.log2(nits / WHITE), KNEE[-1][0])
    after = next(index for index, (at, _) in enumerate(KNEE) if stops <= at and index)
    (x0, y0), (x1, y1) = KNEE[after - 1], KNEE[after]
    return y0 + (y1 - y0) * (stops - x0) / (x1 - x0)


VIDEO = gamma(2.4)  # the display's transfer function, not the camera's
TRANSFERS: dict[int, Callable[[float], float]] = {
    1: VIDEO,
    4: gamma(2.2),
    5: gamma(2.8),
    6: VIDEO,
    7: _smpte240,
    8: gamma(1),
    11: VIDEO,
    13: _srgb,
    14: VIDEO,
    15: VIDEO,
    16: _pq,
    17: _smpte428,
    18: _hlg,
}


@cache
def profile_from_codes(primaries: int, transfer: int) -> bytes | None:
    """The profile for H.273 code points; None for sRGB, which needs none, and for unspecified or unknown ones."""
    if primaries not in PRIMARIES or transfer not in TRANSFERS or (primaries, transfer) == (1, 13):
        return None
    return profile(PRIMARIES[primaries], TRANSFERS[transfer])


def profile(primaries: Primaries, transfer: Callable[[float], float]) -> bytes | None:
    """An ICC display profile with these primaries; None if they span no colour space."""
    try:
        peak = transfer(1.0)  # can be above 1, which a curve cannot express
        columns = [[part * peak for part in column] for column in zip(*_to_d50(primaries), strict=True)]
        curve = b"".join(struct.pack(">H", round(65535 * transfer(value / 255) / peak)) for value in range(256))
        tags = {name: _xyz(column) for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns, strict=True)}
    except (ArithmeticError, struct.error):
        return None
    tags |= {b"wtpt": _xyz(D50)}
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), b"curv\0\0\0\0" + struct.pack(">I", 256) + curve)
    table, body, at = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    for name, tag in tags.items():
        table += name + struct.pack(">II", at + len(body), len(tag))
        body += tag
    header = struct.pack(
        ">II4s4s4s16s4s24xI3i48x", at + len(body), 0, b"\4\x30\0\0", b"mntr", b"RGB ", b"XYZ ".ljust(16, b"\0"),
        b"acsp", 0, *(round(part * 65536) for part in D50),
    )  # fmt: skip
    return header + table + body


def _xyz(values: Sequence[float]) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in values))


def _to_d50(primaries: Primaries) -> Matrix:
    """The matrix from linear RGB to XYZ, adapted to D50 by Bradford's method."""
    (white_x, white_y), *colours = primaries
    white = (white_x / white_y, 1.0, (1 - white_x - white_y) / white_y)
    columns = [[x, y, 1 - x - y] for x, y in colours]
    spans = [list(row) for row in zip(*columns, strict=True)]
    amounts = _multiply(_inverse(spans), [[part] for part in white])
    to_xyz = [[value * amounts[n][0] for n, value in enumerate(row)] for row in spans]
    seen, wanted = (_multiply(BRADFORD, [[part] for part in point]) for point in (white, D50))
    scale = [[wanted[n][0] / seen[n][0] if n == m else 0.0 for m in range(3)] for n in range(3)]
    return _multiply(_inverse(BRADFORD), _multiply(scale, _multiply(BRADFORD, to_xyz)))


def _multiply(a: Matrix, b: Matrix) -> Matrix:
    return [[sum(x * y for x, y in zip(row, column, strict=True)) for column in zip(*b, strict=True)] for row in a]


def _inverse(m: Matrix) -> Matrix:
    """The inverse, by cofactors. Raises ZeroDivisionError."""

    def cofactor(row: int, column: int) -> float:
        a, b = [n for n in range(3) if n != row]
        c, d = [n for n in range(3) if n != column]
        return (m[a][c] * m[b][d] - m[a][d] * m[b][c]) * (-1) ** (row + column)

    determinant = sum(m[0][n] * cofactor(0, n) for n in range(3))
    return [[cofactor(column, row) / determinant for column in range(3)] for row in range(3)]
