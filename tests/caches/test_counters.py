"""Counters are not evicted by other keys: see productbackend/caches/counters.py."""

import pickle
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import redis
import time_machine
from django.conf import settings
from django.core.cache.backends.base import BaseCache

from productbackend.caches.file_cache import FileCounters
from productbackend.caches.redis_counters import RedisCounters
from tests.concurrently import run_concurrently
from tests.redis_server import URL, own_keys


@pytest.fixture(params=["files", "redis"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BaseCache]:
    if request.param == "files":
        yield FileCounters(str(tmp_path), {})
        return
    with own_keys() as prefix:
        yield RedisCounters(URL, {"OPTIONS": {}, "KEY_PREFIX": prefix})


def test_increments_keep_the_expiry(store: BaseCache) -> None:
    assert store.add("a", 0, 0.3)
    assert not store.add("a", 7, 100)
    assert store.get("a") == 0
    assert store.add("other", 1.5, None)
    assert store.get("other") == 1.5
    time.sleep(0.35)
    assert store.get("a") is None
    assert store.add("a", 5, 60)
    assert store.delete("a")
    assert store.get("a", "none") == "none"
    store.set("b", 2, 60)
    store.clear()
    assert store.get("b") is None


def test_redis_evicts_no_counter_and_loads_no_pickle() -> None:
    with own_keys() as prefix, redis.Redis.from_url(URL) as client:
        store = RedisCounters(URL, {"OPTIONS": {}, "KEY_PREFIX": prefix})
        store.add("a", 0, 0.01)
        store.add("b", 3, 60)
        for key in (f"{prefix}:values", f"{prefix}:ends"):  # volatile-lru evicts keys that have an expiry
            assert client.ttl(key) == -1
        time.sleep(0.02)
        store.set("b", 4, 60)
        # The next call deletes what has expired.
        assert client.hgetall(f"{prefix}:values") == {b"1:b": b"4"}
        client.hset(f"{prefix}:values", "1:b", pickle.dumps({"a": 1}))
        assert store.get("b") is None


def test_an_unreachable_server_is_not_called_during_the_cooldown(monkeypatch: Any) -> None:
    store = RedisCounters("redis://127.0.0.1:1/0", {"OPTIONS": {}, "KEY_PREFIX": "test"})
    monkeypatch.setattr(RedisCounters, "unreachable_until", 0.0)
    for _ in range(2):
        with pytest.raises(redis.ConnectionError) as raised:
            store.count("a", 60)
    assert "a moment ago" in str(raised.value)


def test_on_disk_only_expired_counters_are_deleted(tmp_path: Path) -> None:
    store = FileCounters(str(tmp_path), {"OPTIONS": {"MAX_ENTRIES": 5}})
    with time_machine.travel(0, tick=False) as clock:
        for number in range(40):
            store.set(f"short-{number}", 1, 10)
            store.set(f"long-{number}", 1, 100)
        store.delete_expired()
        assert len(list(tmp_path.glob("*.djcache"))) == 80
        clock.shift(11)
        store.delete_expired()
    assert len(list(tmp_path.glob("*.djcache"))) == 40


def test_counters_are_on_the_queues_server() -> None:
    assert settings.CACHES["counters"] != settings.CACHES["default"]
    assert "catalogue" not in str(settings.CACHES["counters"])


def test_a_period_begins_with_the_first_increment(store: Any) -> None:
    assert store.count("a", 60) == (1, pytest.approx(60, abs=1))
    assert store.count("a", 60, 2)[0] == 3
    assert store.count("b", 0.3)[0] == 1
    counted, left = store.count("b", 0.3)
    assert counted == 2
    assert 0 < left < 0.3
    time.sleep(0.35)
    assert store.count("b", 60) == (1, pytest.approx(60, abs=1))


def test_concurrent_increments_are_all_counted(store: Any) -> None:
    outcomes = run_concurrently([partial(store.count, "a", 60)] * 40, connects=False)
    assert sorted(counted for counted, _ in outcomes) == list(range(1, 41))


def test_a_period_that_ends_too_late_is_discarded(store: Any) -> None:
    """A period that began while the clock was ahead is discarded."""
    store.count("a", 86_400)
    store.count("a", 86_400)
    assert store.count("a", 60) == (1, pytest.approx(60, abs=1))
    assert store.count("a", 60)[0] == 2
