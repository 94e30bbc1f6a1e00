"""The file cache for a machine without Redis: Django's, with an atomic `add` and without pickles.

A file holds the time of its expiry on the first line, then the compressed value.
"""

import os
import random
import secrets
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.filebased import FileBasedCache
from django.core.files import locks

from productbackend.caches import encoding

CULL_EVERY = 50  # writes
DELETE_EXPIRED_EVERY = 500
BUFFER = 8_192  # bytes; if it is given, Python does not ask the system whether a file is a terminal
EXPIRY_LINE_MAX = 40  # bytes of the expiry and the end of its line


class FileCache(FileBasedCache):
    """Django's file cache; `add` is atomic between threads and processes, since Django's reads and writes unlocked."""

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        found = None
        with suppress(FileNotFoundError, zlib.error), open(self._path(key, version), "rb") as file:
            if not self._is_expired(file):
                found = encoding.loads(zlib.decompress(file.read()))
        return default if found is None else found

    def set(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        self._store(self._path(key, version), value, timeout)

    def _store(self, path: Path, value: Any, timeout: Any) -> None:
        """Write the file of a key, with fewer system calls than Django's `set`."""
        self._cull()
        unfinished = f"{path}.{secrets.token_hex(8)}"
        try:
            with self._open(unfinished, "xb") as file:
                self._write_content(file, timeout, value)
            os.replace(unfinished, path)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(unfinished)
            raise

    def _open(self, path: Path | str, mode: str) -> IO[bytes]:
        """Open a file for writing. The folder is created if it is missing: it can be deleted at any time."""
        try:
            return open(path, mode, BUFFER, opener=_private)
        except FileNotFoundError:
            self._createdir()  # type: ignore[attr-defined]
            return open(path, mode, BUFFER, opener=_private)

    def touch(self, key: str, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        with self._locked(key, version):
            value = self.get(key, version=version)
            if value is not None:
                self.set(key, value, timeout, version)
            return value is not None

    def delete_if_equal(self, key: str, value: Any) -> bool:
        """Delete `key` if it has this value; return whether it was deleted."""
        with self._locked(key, None):
            return bool(self.get(key) == value and self.delete(key))

    def add(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        with self._locked(key, version):
            return super().add(key, value, timeout, version)

    def _cull(self) -> None:
        """Cull on one write in 50: every `set` calls this, and it lists the whole folder."""
        if random.randrange(CULL_EVERY) == 0:
            super()._cull()  # type: ignore[misc]

    def _write_content(self, file: Any, timeout: Any, value: Any) -> None:
        content = zlib.compress(encoding.dumps(value), level=1)
        file.write(encoding.dumps(self.get_backend_timeout(timeout)) + b"\n" + content)

    def _is_expired(self, file: Any) -> bool:
        expiry = _read_expiry(file)
        if expiry is None or expiry >= time.time():
            return False
        Path(file.name).unlink(missing_ok=True)
        return True

    @contextmanager
    def _locked(self, key: str, version: int | None) -> Iterator[Path]:
        """Lock the file of a key, and return its path."""
        path = self._path(key, version)
        with self._open(_lock_path(path), "wb") as file:
            locks.lock(file, locks.LOCK_EX)
            yield path

    def _path(self, key: str, version: int | None) -> Path:
        return Path(self._key_to_file(key, version))  # type: ignore[attr-defined]


class FileCounters(FileCache):
    """Counters on disk. Expired ones are deleted on one write in 500; no counter is culled before it expires."""

    def count(self, key: str, seconds: float, by: int = 1) -> tuple[int, float]:
        """Increment by `by`; return the value and the seconds until the period of the first increment ends."""
        with self._locked(key, None) as path:
            value, expiry = _read(path)
            left = expiry - time.time() if isinstance(value, int) and expiry is not None else -1
            if not 0 <= left <= seconds:  # no period yet, or one that ended, or that began while the clock was ahead
                value, left = 0, seconds
            self._store(path, value + by, left)
            return value + by, left

    def _cull(self) -> None:
        if random.randrange(DELETE_EXPIRED_EVERY) == 0:
            self.delete_expired()

    def delete_expired(self) -> None:
        """Delete the files of expired counters, except those whose lock another process or this call holds."""
        for path in Path(self._dir).glob(f"*{self.cache_suffix}"):  # type: ignore[attr-defined]
            with open(_lock_path(path), "wb") as file, suppress(FileNotFoundError):
                if locks.lock(file, locks.LOCK_EX | locks.LOCK_NB):
                    expiry = _expiry(path)
                    if expiry is not None and expiry < time.time():
                        path.unlink()


def _lock_path(path: Path) -> Path:
    """The lock file of a key. Keys share a few lock files, which are never deleted, since a process may hold one."""
    return path.with_name(f"{path.name[:2]}.lock")


def _private(path: str, flags: int) -> int:
    """Open a file that no other user of the machine may read."""
    return os.open(path, flags, 0o600)


def _read(path: Path) -> tuple[Any, float | None]:
    """Read the value and the expiry of a key's file, expired or not; the value is None if there is none."""
    with suppress(FileNotFoundError, zlib.error), open(path, "rb", BUFFER) as file:
        expiry = _read_expiry(file)
        return encoding.loads(zlib.decompress(file.read())), expiry
    return None, None


def _expiry(path: Path) -> float | None:
    with open(path, "rb") as file:
        return _read_expiry(file)


def _read_expiry(file: Any) -> float | None:
    """Read the expiry from a file that was just opened: None if it never expires, 0 if the file is invalid."""
    line = file.readline(EXPIRY_LINE_MAX)
    expiry = encoding.loads(line[:-1])
    return expiry if line == b"null\n" or isinstance(expiry, int | float) else 0.0
