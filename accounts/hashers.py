"""Password hashing: Argon2 in a bounded pool of threads."""

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from django.contrib.auth.hashers import Argon2PasswordHasher

from productbackend.errors import DomainError

T = TypeVar("T")

CONCURRENCY = 2  # per process: a third thread would wait for a core anyway, and take another 100 MB
QUEUE_MAX = 2  # waiting request threads: each of them serves nothing else meanwhile
WAIT_TIMEOUT = 1.0  # seconds
NICENESS = 19  # a hash runs eight threads for 0.1 s: all other requests have priority


class HashingPool:
    """A bounded pool of low-priority threads that hash. It rejects callers when it is full.

    If all callers waited, sign-ins would occupy every request thread, and the catalogue could not be read.
    """

    def __init__(self, concurrency: int = CONCURRENCY, queue_max: int = QUEUE_MAX) -> None:
        self.capacity, self.pending, self.lock = concurrency + queue_max, 0, threading.Lock()
        # The executor starts its threads with the first work, so after Gunicorn has forked.
        self.threads = ThreadPoolExecutor(concurrency, "hash", initializer=_lower_priority)

    @property
    def is_full(self) -> bool:
        return self.pending >= self.capacity

    def run(self, work: Callable[[], T]) -> T:
        """Return the result of `work`. Raises unavailable if the pool is full, or `work` does not start in a second."""
        with self.lock:
            if self.is_full:
                raise pool_full_error()
            self.pending += 1
        try:
            future = self.threads.submit(work)
            try:
                return future.result(timeout=WAIT_TIMEOUT)
            except TimeoutError:
                if future.cancel():  # not started
                    raise pool_full_error() from None
                return future.result()
        finally:
            with self.lock:
                self.pending -= 1


def _lower_priority() -> None:
    with suppress(OSError, AttributeError):  # a platform without thread priorities
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


def pool_full_error() -> DomainError:
    return DomainError("unavailable", "Too many passwords are being checked: try again in a few seconds.")


pool = HashingPool()


class BoundedArgon2PasswordHasher(Argon2PasswordHasher):
    """Argon2 in the pool: each hash takes 100 MB, and a web process has many threads.

    Without the bound, one sign-in per thread made a process grow to a gigabyte.
    """

    def encode(self, password: str, salt: str) -> str:
        return pool.run(lambda: Argon2PasswordHasher.encode(self, password, salt))

    def verify(self, password: str, encoded: str) -> bool:
        return pool.run(lambda: Argon2PasswordHasher.verify(self, password, encoded))
