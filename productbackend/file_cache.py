"""The cache on disk, for a machine without Redis: Django's, which also counts."""

import pickle
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.filebased import FileBasedCache
from django.core.files import locks

CULL_EVERY = 50  # writes


class CountingFileCache(FileBasedCache):
    """`add` and `incr` are atomic between threads and processes, and `incr` keeps the entry's end.

    Django's own read, add and write with nothing between, and give an entry that was counted up
    the default timeout.
    """

    def add(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        with self._locked(key, version):
            return super().add(key, value, timeout, version)

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        with self._locked(key, version):
            value = self.get(key, version=version)
            if value is None:
                raise ValueError(f"Key {key!r} not found")
            self.set(key, value + delta, self._seconds_left(key, version), version)
            return value + delta

    def _cull(self) -> None:
        """Look for too many entries now and then: it lists the whole folder, and every `set` calls it."""
        if random.randrange(CULL_EVERY) == 0:
            super()._cull()  # type: ignore[misc]

    def _seconds_left(self, key: str, version: int | None) -> float | None:
        with open(self._path(key, version), "rb") as file:
            expiry = pickle.load(file)  # noqa: S301 (a file of the cache, which Django reads so too)
        return None if expiry is None else max(expiry - time.time(), 0)

    @contextmanager
    def _locked(self, key: str, version: int | None) -> Iterator[None]:
        path = self._path(key, version)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # A few lock files for all keys: they are never deleted, for another may hold them.
        with open(path.with_name(f"{path.name[:2]}.lock"), "wb") as file:
            locks.lock(file, locks.LOCK_EX)
            yield

    def _path(self, key: str, version: int | None) -> Path:
        return Path(self._key_to_file(key, version))  # type: ignore[attr-defined]
