"""The Redis server of this machine, for tests that also run without one."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import redis

# Not one of the databases that `tests/services/run.py` takes, which are emptied.
URL = "redis://127.0.0.1:6379/0"


def is_redis_reachable(url: str = URL, password: str = "") -> bool:
    try:
        with redis.Redis.from_url(url, password=password or None, socket_connect_timeout=3) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


@contextmanager
def own_keys() -> Iterator[str]:
    """Yield a prefix of keys, and delete them afterwards. Skips the test if no server answers."""
    if not is_redis_reachable():
        pytest.skip(f"no Redis answers at {URL}")
    prefix = f"test-{uuid.uuid4().hex}"
    yield prefix
    with redis.Redis.from_url(URL) as client:
        for key in client.scan_iter(f"{prefix}*"):
            client.delete(key)
