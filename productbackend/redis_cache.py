"""Django's cache in Redis, with one client a thread in place of a new one for each call.

Making redis-py's client object takes longer than the GET that it is made for.
"""

from typing import Any

from django.core.cache.backends import redis as django_redis


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
        super().__init__(server, params)
        self._class = LastingClient
