"""Django's cache in Redis, without what takes it longer than Redis itself does.

Making redis-py's client object takes longer than the GET that it is made for, so one serves all calls. To look at
each character of each key, for what memcached would not take, and to learn by an exception that a pickle is no number,
are together half of the work of reading twenty.
"""

import pickle
from typing import Any

from django.core.cache.backends import redis as django_redis

PICKLED = b"\x80"  # how each of Django's pickles begins, and no number that Redis counts


class Serializer(django_redis.RedisSerializer):
    def loads(self, data: Any) -> Any:
        """Without asking first, by an exception, whether a pickle is a number."""
        return pickle.loads(data) if data[:1] == PICKLED else super().loads(data)  # noqa: S301 - as Django does


class LastingClient(django_redis.RedisCacheClient):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._clients: dict[bool, Any] = {}  # there is one server: for reading and for writing

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        if write not in self._clients:
            self._clients[write] = super().get_client(key, write=write)
        return self._clients[write]


class RedisCache(django_redis.RedisCache):
    def __init__(self, server: str, params: dict[str, Any]) -> None:
        options = {"serializer": Serializer, **params.get("OPTIONS", {})}
        super().__init__(server, {**params, "OPTIONS": options})
        self._class = LastingClient

    def validate_key(self, key: str) -> None:
        """Redis takes any."""
