"""Counters in Redis that are never evicted: those of throttles, and of the mails sent in a minute.

They are the fields of one hash without an expiry, since a server with `volatile-lru` evicts keys that have one, and
anybody can fill it with pages of the catalogue. A sorted set holds the expiry of each counter; every call deletes up
to 20 expired ones. Values are numbers as text: nothing is unpickled.
"""

import functools
import json
import time
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry
from redis.sentinel import Sentinel

COOLDOWN = 2.0  # seconds for which an unreachable server is not called

# KEYS: the hash, the sorted set. ARGV: the action, the counter, a value, its timeout in seconds or "".
SCRIPT = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local function drop(name)
  redis.call('ZREM', KEYS[2], name)
  redis.call('HDEL', KEYS[1], name)
end
for _, name in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, 20)) do drop(name) end
local name, value, seconds = ARGV[2], ARGV[3], ARGV[4]
local ends = redis.call('ZSCORE', KEYS[2], name)
if ends and tonumber(ends) <= now then drop(name) end
local function expire()
  if seconds == '' then redis.call('ZREM', KEYS[2], name) else redis.call('ZADD', KEYS[2], now + seconds, name) end
end
if ARGV[1] == 'count' then
  -- A period that ends later than a full one began while the clock was ahead.
  if ends and tonumber(ends) > now + seconds then drop(name) end
  if redis.call('HEXISTS', KEYS[1], name) == 0 then
    redis.call('HSET', KEYS[1], name, 0)
    expire()
  end
  return {redis.call('HINCRBY', KEYS[1], name, value), tostring(redis.call('ZSCORE', KEYS[2], name) - now)}
end
if ARGV[1] == 'get' then return redis.call('HGET', KEYS[1], name) end
local known = redis.call('HEXISTS', KEYS[1], name) == 1
if ARGV[1] == 'delete' then drop(name) return known end
if ARGV[1] == 'add' and known then return false end
redis.call('HSET', KEYS[1], name, value)
expire()
return true
"""


class RedisCounters(BaseCache):
    """A Django cache of numbers, at LOCATION or at the master that the Sentinels in OPTIONS["sentinels"] name."""

    unreachable_until = 0.0  # shared by all threads, each of which has an instance

    def __init__(self, location: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        options = params["OPTIONS"]
        self._keys = [f"{self.key_prefix}:values", f"{self.key_prefix}:ends"]
        self._client = client(location, tuple(options.get("sentinels", ())), options.get("master_name", ""))
        self._script = self._client.register_script(SCRIPT)

    def add(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return bool(self._run("add", key, version, value, timeout))

    def set(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        self._run("set", key, version, value, timeout)

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        found = self._run("get", key, version)
        try:
            value = None if found is None else json.loads(found)
        except ValueError:  # not written by this class
            return default
        return value if isinstance(value, int | float) else default

    def count(self, key: str, seconds: float, by: int = 1) -> tuple[int, float]:
        """Increment by `by`; return the value and the seconds until the period of the first increment ends."""
        counted, left = self._run("count", key, None, by, seconds)
        return int(counted), float(left)

    def delete(self, key: str, version: int | None = None) -> bool:
        return bool(self._run("delete", key, version))

    def clear(self) -> None:
        self._client.unlink(*self._keys)

    def _run(self, action: str, key: str, version: int | None, value: Any = 0, timeout: Any = None) -> Any:
        """Run the script. Raises ConnectionError immediately during the cooldown of an unreachable server."""
        if time.monotonic() < self.unreachable_until:
            raise RedisConnectionError("The server of the counters did not answer a moment ago.")
        seconds = self.default_timeout if timeout is DEFAULT_TIMEOUT else timeout
        name = self.make_key(key, version).removeprefix(f"{self.key_prefix}:")
        try:
            arguments = [action, name, json.dumps(value), "" if seconds is None else seconds]
            return self._script(keys=self._keys, args=arguments)
        except (RedisConnectionError, RedisTimeoutError):  # other errors concern this call only
            type(self).unreachable_until = time.monotonic() + COOLDOWN
            raise


@functools.cache
def client(url: str, sentinels: tuple[tuple[str, int], ...], master_name: str) -> Any:
    """Return a client of the server at `url` or, with Sentinels, of their master. All threads share it."""
    # Reconnect once if the server closed the connection; a timeout is not retried.
    retry = Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,))
    options: dict[str, Any] = {"socket_timeout": 1, "socket_connect_timeout": 1, "retry": retry}
    plain = Redis.from_url(url, **options)
    if not sentinels:
        return plain
    kwargs = plain.connection_pool.connection_kwargs
    login = {name: kwargs[name] for name in ("db", "password") if kwargs.get(name) is not None}
    return Sentinel(sentinels, **options).master_for(master_name, **options, **login)
