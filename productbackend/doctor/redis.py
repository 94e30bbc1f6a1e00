"""Checks Redis: the cache, which may lose keys, and the broker, which must not."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from celery import current_app
from django.core.cache import cache
from kombu.exceptions import OperationalError as BrokerError
from redis import Redis, RedisError

from productbackend.doctor.findings import Findings, bad, brief, good, warn

OLDEST_TESTED = 7
NEARLY_FULL = 0.9  # of maxmemory


def cache_client() -> Redis | None:
    """The client of the cache; None if the cache is on files."""
    client: Any = getattr(cache, "client", None)
    return client.get_client(write=True) if client else None


@contextmanager
def broker_client() -> Iterator[Redis | None]:
    """The client of the broker; None if the broker is on files."""
    with current_app.connection_for_write(connect_timeout=1) as connection:
        if connection.transport.driver_type != "redis":
            yield None
            return
        connection.ensure_connection(max_retries=1, interval_start=0, timeout=1)
        channel: Any = connection.default_channel
        yield channel.client


def writable() -> Findings:
    """Set a key in the cache and get it."""
    client = cache_client()
    if client is None:
        yield warn("files in DATA_DIR, for one machine: set REDIS_HOST for a shop")
        return
    try:
        cache.set("doctor", "well", 10)
        found = cache.get("doctor")
        cache.delete("doctor")
        yield from _describe(client) if found == "well" else [bad("a value was set but cannot be read")]
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
    """Whether a full server would evict queued tasks."""
    with broker_client() as client:
        if client is None:
            return
        memory = client.info("memory")
    policy, most, used = memory["maxmemory_policy"], memory["maxmemory"], memory["used_memory"]
    if policy.startswith("allkeys"):
        yield bad(f"{policy} evicts queued tasks when the server is full: maxmemory-policy volatile-lru")
    elif most and used > NEARLY_FULL * most:
        yield bad(
            f"{used / 1e6:.0f} of {most / 1e6:.0f} MB are used, and {policy} will soon refuse new tasks: "
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
        yield bad("it could not write to its disk, and may refuse new tasks: see its log, and free disk space")
    elif state["aof_enabled"]:
        yield good("appendonly: queued tasks survive a restart")
    else:
        yield warn("a restart loses queued tasks until the sweeps enqueue them again: appendonly yes")


def _describe(client: Redis) -> Findings:
    server, role = client.info("server"), client.info("replication")["role"]
    pool: Any = client.connection_pool
    options = pool.connection_kwargs
    # With Sentinels, the current master.
    host, port = (
        pool.get_master_address() if hasattr(pool, "get_master_address") else (options["host"], options["port"])
    )
    text = f"Redis {server['redis_version']} at {host}:{port}/{options['db']}"
    if role != "master":
        yield bad(f"{text} is a read-only replica: set its primary instead")
    elif int(server["redis_version"].partition(".")[0]) < OLDEST_TESTED:
        yield warn(f"{text} is older than the tested versions: use {OLDEST_TESTED}.0 or later")
    else:
        yield good(text)
