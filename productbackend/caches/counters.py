"""Counters that all processes share: the requests of throttles, and the mails sent in a minute.

They have a cache of their own, which evicts no key before it expires; see CACHES["counters"].
"""

import hashlib

from django.core.cache import caches
from django.utils.connection import ConnectionProxy
from redis.exceptions import RedisError

counters = ConnectionProxy(caches, "counters")
CONNECTION_ERRORS = (RedisError, OSError)  # what a call raises if the cache is unreachable
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_rate(rate: str) -> tuple[int, int]:
    """Parse a rate such as `30/min` into a limit and a period in seconds."""
    allowed, _, unit = rate.partition("/")
    return int(allowed), SECONDS[unit[0]]


def count(name: str, period: int, by: int = 1) -> tuple[int, float]:
    """Increment `name` by `by`; return its value in the current period and the seconds until that period ends.

    A period begins with its first increment. Raises one of CONNECTION_ERRORS.
    """
    counted: tuple[int, float] = counters.count(counter_key(name), period, by)
    return counted


def counter_key(name: str) -> str:
    """The cache key of a counter: a digest, so that its length is fixed and it reveals no address or name."""
    return f"throttle:{hashlib.sha256(name.encode(errors='surrogatepass')).hexdigest()}"
