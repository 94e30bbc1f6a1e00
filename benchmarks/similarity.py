"""SSIM as Wang et al. defined it in 2004: a Gaussian window of 11 pixels, the mean over the channels."""

import io
from typing import Any

import numpy
from PIL import Image

WINDOW = numpy.exp(-(numpy.arange(-5, 6) ** 2) / (2 * 1.5**2))
WINDOW /= WINDOW.sum()
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def ssim(one: Image.Image, other: Image.Image) -> float:
    """From -1 to 1, which means equal. Both pictures have the same size."""
    x, y = (numpy.asarray(image.convert("RGB"), dtype=numpy.float64) for image in (one, other))
    mean_x, mean_y = _blurred(x), _blurred(y)
    variance_x = _blurred(x * x) - mean_x**2
    variance_y = _blurred(y * y) - mean_y**2
    covariance = _blurred(x * y) - mean_x * mean_y
    likeness = ((2 * mean_x * mean_y + C1) * (2 * covariance + C2)) / (
        (mean_x**2 + mean_y**2 + C1) * (variance_x + variance_y + C2)
    )
    return float(likeness.mean())


def _blurred(values: Any) -> Any:
    """The weighted means under the window, where it fits completely."""
    for axis in (0, 1):
        views = numpy.lib.stride_tricks.sliding_window_view(values, len(WINDOW), axis=axis)
        values = views @ WINDOW
    return values


def encode(image: Image.Image, quality: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def decode(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))
