"""Waits for other processes."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_for(what: Callable[[], T], *, seconds: float, every: float = 0.1, name: str = "") -> T:
    """Call `what` until it returns a true value; return it. Raises AssertionError after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        if answer := what():
            return answer
        assert time.monotonic() < end, f"{name or what} did not come true within {seconds} seconds"
        time.sleep(every)
