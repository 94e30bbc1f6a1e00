"""The cache on disk reads data only, so that a pickle that somebody wrote is not run; it seldom lists its folder."""

import pickle
import zlib
from pathlib import Path

import pytest

from productbackend.caches import file_cache
from productbackend.caches.file_cache import FileCache, FileCounters
from tests.caches.attack import Attack


def test_no_pickle_is_read_from_a_file(tmp_path: Path) -> None:
    store = FileCache(str(tmp_path), {})
    store.set("key", 1)
    [path] = tmp_path.glob("*.djcache")
    marker = tmp_path / "has-run"
    attack = pickle.dumps(Attack(str(marker)))
    expiry = pickle.dumps(None)
    for content in (attack, expiry + zlib.compress(attack), b"null\n" + zlib.compress(attack), b"null\n" + attack):
        path.write_bytes(content)
        assert (store.get("key"), store.get("key", 7), store.get_many(["key"])) == (None, 7, {})
        with pytest.raises(ValueError, match="not found"):
            store.incr("key")
        store.delete("key")
        assert store.add("key", 1)
    assert not marker.exists()
    with pytest.raises(TypeError):
        store.set("key", object())


def test_the_file_cache_culls_seldom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FileCache(str(tmp_path), {"OPTIONS": {"MAX_ENTRIES": 3}})
    monkeypatch.setattr(file_cache.random, "randrange", lambda stop: 1)
    for number in range(20):
        store.set(str(number), number)
    assert len(list(tmp_path.glob("*.djcache"))) == 20
    monkeypatch.setattr(file_cache.random, "randrange", lambda stop: 0)
    store.set("20", 20)
    assert len(list(tmp_path.glob("*.djcache"))) < 20


def test_the_folder_is_created_again(tmp_path: Path) -> None:
    store, counters = FileCache(str(tmp_path / "cache"), {}), FileCounters(str(tmp_path / "counters"), {})
    for folder in tmp_path.iterdir():
        folder.rmdir()
    store.set("key", 1)
    assert (store.get("key"), counters.count("key", 60)[0]) == (1, 1)
    for folder in tmp_path.iterdir():
        assert folder.stat().st_mode & 0o077 == 0
        assert all(path.stat().st_mode & 0o077 == 0 for path in folder.iterdir())


def test_a_write_that_fails_leaves_the_former_value_and_no_file(tmp_path: Path) -> None:
    store = FileCache(str(tmp_path), {})
    store.set("key", 1)
    with pytest.raises(TypeError):
        store.set("key", object())
    assert store.get("key") == 1
    assert len(list(tmp_path.iterdir())) == 1
