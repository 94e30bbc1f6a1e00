"""Django's Redis cache without pickles, and without the overhead that takes longer than Redis itself.

Whoever can write to Redis must not be able to run code here: a value is JSON or prefixed bytes, and anything else
counts as missing.

Creating a redis-py client takes longer than a GET, so one client serves all calls. Django's check of each key for
characters that memcached refuses takes a quarter of the time of reading twenty keys, so it is skipped.
"""

from collections.abc import Iterable
from typing import Any

from django.core.cache.backends import redis as django_redis

from productbackend.caches import encoding

# Atomic: a value that another process sets meanwhile is not deleted.
DELETE_IF_EQUAL = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


class Client(django_redis.RedisCacheClient):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._clients: dict[bool, Any] = {}  # one for reading and one for writing, of the same server

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        if write not in self._clients:
            self._clients[write] = super().get_client(key, write=write)
        return self._clients[write]

    def get(self, key: Any, default: Any) -> Any:
        found = encoding.loads(self.get_client(key).get(key))
        return default if found is None else found

    def get_many(self, keys: Iterable[Any]) -> dict[Any, Any]:
        keys = list(keys)
        if not keys:
            return {}  # MGET without a key is an error
        values = map(encoding.loads, self.get_client().mget(keys))
        return {key: value for key, value in zip(keys, values, strict=True) if value is not None}

    def delete_if_equal(self, key: Any, value: Any) -> bool:
        return bool(self.get_client(key, write=True).eval(DELETE_IF_EQUAL, 1, key, encoding.dumps(value)))


class RedisCache(django_redis.RedisCache):
    def __init__(self, server: str, params: dict[str, Any]) -> None:
        options = {"serializer": encoding, **params.get("OPTIONS", {})}
        super().__init__(server, {**params, "OPTIONS": options})
        self._class = Client

    def validate_key(self, key: str) -> None:
        """Accept any key, as Redis does."""

    def delete_if_equal(self, key: str, value: Any) -> bool:
        """Delete `key` if it has this value; return whether it was deleted."""
        return bool(self.client.delete_if_equal(self.make_and_validate_key(key), value))

    @property
    def client(self) -> Any:
        return self._cache
