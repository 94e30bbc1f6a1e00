"""The Redis cache reads data only: a pickle that somebody wrote is not run."""

import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from productbackend.caches.redis_cache import RedisCache
from tests.caches.attack import Attack
from tests.redis_server import URL, own_keys


@pytest.fixture
def store() -> Iterator[RedisCache]:
    with own_keys() as prefix:
        yield RedisCache(URL, {"KEY_PREFIX": prefix})


def test_values_round_trip(store: RedisCache) -> None:
    values = {"int": -5, "float": 1.5, "text": "é\n", "none": None, "yes": True, "bytes": b"\x80\x00{", "list": [{}]}
    store.set_many(values, 60)
    found = store.get_many(values)
    assert found == {name: value for name, value in values.items() if value is not None}
    assert [type(value) for value in found.values()] == [int, float, str, bool, bytes, list]
    assert store.incr("int", 7) == 2
    assert store.get_many([]) == {}
    with pytest.raises(TypeError):
        store.set("object", object())


def test_a_pickle_is_not_run(store: RedisCache, tmp_path: Path) -> None:
    marker = tmp_path / "has-run"
    for written in (pickle.dumps(Attack(str(marker))), pickle.dumps(Attack(str(marker)), protocol=0), b"", b"{", b"1x"):
        with redis.Redis.from_url(URL) as client:
            client.set(store.make_key("key"), written)
        assert (store.get("key"), store.get("key", 7), store.get_many(["key"])) == (None, 7, {})
    assert not marker.exists()


def test_delete_if_equal(store: RedisCache) -> None:
    store.add("lock", 2**61, 60)
    assert not store.delete_if_equal("lock", 5)
    assert store.get("lock") == 2**61
    assert store.delete_if_equal("lock", 2**61)
    assert store.get("lock") is None
