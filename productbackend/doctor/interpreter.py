"""Checks the Python interpreter."""

import platform
import sys
import time
import unicodedata

from productbackend.doctor.findings import Findings, good, warn

MARKS = "\u0315\u0300"
SHORT, TIMES = 500, 4  # pairs of marks: the longer text takes some 16 ms if the time is quadratic
QUADRATIC = 9  # ratio of the times: 4 if the time is linear, 16 if it is quadratic


def seconds(pairs: int) -> float:
    """The time to normalize a run of combining marks: the minimum of five, since other processes run too."""
    text = "a" + MARKS * pairs
    taken = []
    for _ in range(5):
        began = time.thread_time()
        unicodedata.normalize("NFC", text)
        taken.append(time.thread_time() - began)
    return min(taken)


def unicode() -> Findings:
    """Whether normalizing combining marks takes quadratic time."""
    short, long = seconds(SHORT), seconds(SHORT * TIMES)
    if long > QUADRATIC * short:
        series = f"{sys.version_info.major}.{sys.version_info.minor}"
        yield warn(
            f"Python {platform.python_version()} takes {long * 1000:.0f} ms to normalize {2 * SHORT * TIMES} combining "
            f"marks, quadratic in their number; the service bounds text, but other code may not: install the "
            f"latest patch release of Python {series}, or your distribution's security update"
        )
    else:
        yield good(f"{platform.python_version()} normalizes Unicode in linear time")
