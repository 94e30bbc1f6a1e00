"""Redis: the cache, which may lose anything, and the queue, which may not."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from celery import current_app
from django.core.cache import cache
from kombu.exceptions import OperationalError as BrokerError
from redis import Redis, RedisError

from productbackend.doctor.findings import Findings, bad, brief, good, warn

OLDEST = 7  # that was tested
FULL = 0.9  # of maxmemory


def cache_client() -> Redis | None:
    """The cache's own client; None where the cache is files."""
    inner: Any = getattr(cache, "_cache", None)
    return inner.get_client(write=True) if hasattr(inner, "get_client") else None


@contextmanager
def broker_client() -> Iterator[Redis | None]:
    """The queue's own client; None where the queue is files."""
    with current_app.connection_for_write(connect_timeout=1) as connection:
        if connection.transport.driver_type != "redis":
            yield None
            return
        connection.ensure_connection(max_retries=1, interval_start=0, timeout=1)
        channel: Any = connection.default_channel
        yield channel.client


def stored() -> Findings:
    """Something is kept in the cache and read again."""
    client = cache_client()
    if client is None:
        yield warn("files in DATA_DIR, for one machine: set REDIS_HOST for a shop")
        return
    try:
        cache.set("doctor", "well", 10)
        kept = cache.get("doctor")
        cache.delete("doctor")
        yield from _describe(client) if kept == "well" else [bad("what was written cannot be read")]
    except (RedisError, OSError) as error:
        yield bad(f"{brief(error)}: see Redis's log, and REDIS_*")


def queue() -> Findings:
    try:
        with broker_client() as client:
            if client is None:
                yield warn("files in DATA_DIR, for one machine: set REDIS_HOST for a shop")
            else:
                yield from _describe(client)
    except (RedisError, BrokerError, OSError) as error:
        yield bad(f"{brief(error)}: see Redis's log, and REDIS_*")


def eviction() -> Findings:
    """Whether a full server would drop what is queued."""
    with broker_client() as client:
        if client is None:
            return
        memory = client.info("memory")
    policy, most, used = memory["maxmemory_policy"], memory["maxmemory"], memory["used_memory"]
    if policy.startswith("allkeys"):
        yield bad(f"{policy} drops what is queued once the server is full: maxmemory-policy volatile-lru")
    elif most and used > FULL * most:
        yield bad(
            f"{used / 1e6:.0f} of {most / 1e6:.0f} MB are used, and {policy} soon refuses what is queued: "
            "raise maxmemory"
        )
    elif not most:
        yield warn(f"{policy}, and no maxmemory: the cache may grow until the machine is full")
    else:
        yield good(f"{policy} at {most / 1e6:.0f} MB, of which {used / 1e6:.0f} are used")


def persistence() -> Findings:
    with broker_client() as client:
        if client is None:
            return
        state = client.info("persistence")
    if "ok" not in state["rdb_last_bgsave_status"] or "ok" not in state.get("aof_last_write_status", "ok"):
        yield bad("it could not write to its disk, and may refuse what is queued: see its log, and make room")
    elif state["aof_enabled"]:
        yield good("appendonly: what is queued outlives a restart")
    else:
        yield warn("what is queued is lost with a restart, until the sweeps bring it back: appendonly yes")


def _describe(client: Redis) -> Findings:
    server, role = client.info("server"), client.info("replication")["role"]
    pool: Any = client.connection_pool
    options = pool.connection_kwargs
    # Of several, the one that the Sentinels call the master.
    host, port = (
        pool.get_master_address() if hasattr(pool, "get_master_address") else (options["host"], options["port"])
    )
    words = f"Redis {server['redis_version']} at {host}:{port}/{options['db']}"
    if role != "master":
        yield bad(f"{words} is a replica, which takes no writes: name the server that it follows")
    elif int(server["redis_version"].partition(".")[0]) < OLDEST:
        yield warn(f"{words} is older than any that was tested: {OLDEST}.0 or later")
    else:
        yield good(words)
