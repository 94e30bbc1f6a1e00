"""Passwords are hashed with Argon2 in a bounded pool."""

import os
import threading
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher, check_password, make_password
from django.test.client import MULTIPART_CONTENT

from accounts import hashers
from productbackend.errors import DomainError
from tests.concurrently import run_concurrently

pytestmark = pytest.mark.real_passwords


def test_passwords_are_hashed_with_argon2() -> None:
    encoded = make_password("correct horse battery")
    assert encoded.startswith("argon2$argon2id$")
    assert check_password("correct horse battery", encoded)
    assert not check_password("wrong horse battery", encoded)


@pytest.mark.parametrize("concurrency", [hashers.CONCURRENCY, 8])
def test_few_hashes_run_concurrently(concurrency: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: a pool of eight runs more."""
    running, most, lock = 0, 0, threading.Lock()

    def slow(self: Any, *args: str) -> bool:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.05)
        with lock:
            running -= 1
        return True

    monkeypatch.setattr(Argon2PasswordHasher, "verify", slow)
    monkeypatch.setattr(hashers, "pool", hashers.HashingPool(concurrency, queue_max=8))
    verify = partial(hashers.BoundedArgon2PasswordHasher().verify, "a", "b")
    assert all(run_concurrently([verify] * 8, connects=False))
    assert (most <= hashers.CONCURRENCY) == (concurrency == hashers.CONCURRENCY)


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> Iterator[hashers.HashingPool]:
    """A pool with one thread, which is busy, and without a queue."""
    pool, ended = hashers.HashingPool(1, queue_max=0), threading.Event()
    monkeypatch.setattr(hashers, "pool", pool)
    hashing = threading.Thread(target=pool.run, args=(ended.wait,))
    hashing.start()
    while not pool.is_full:
        time.sleep(0.001)
    yield pool
    ended.set()
    hashing.join()


def test_a_full_pool_rejects_immediately(full: hashers.HashingPool) -> None:
    began = time.monotonic()
    with pytest.raises(DomainError) as refused:
        make_password("correct horse battery")
    assert refused.value.code == "unavailable"
    assert time.monotonic() - began < 0.9  # a caller in the queue waits a second


def test_a_queued_caller_times_out_and_leaves_the_queue(
    full: hashers.HashingPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashers, "WAIT_TIMEOUT", 0.05)
    full.capacity = 2
    for _ in range(3):
        with pytest.raises(DomainError):
            make_password("correct horse battery")
    assert full.pending == 1


def test_a_running_hash_is_not_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashers, "WAIT_TIMEOUT", 0.01)
    assert hashers.HashingPool(1).run(lambda: threading.Event().wait(0.1)) is False


def test_hashing_threads_have_low_priority() -> None:
    niceness = hashers.HashingPool(1).run(lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
    assert niceness == hashers.NICENESS
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) < niceness


@pytest.mark.django_db
@pytest.mark.parametrize("early", [True, False])
@pytest.mark.parametrize("path", ["/token/", "/admin/login/"])
def test_signing_in_with_a_full_pool_is_a_503_with_retry_after(
    full: hashers.HashingPool, client: Any, path: str, early: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rejected by the middleware, or later by the pool."""
    if not early:
        monkeypatch.setattr("accounts.middleware.HASHING_PATHS", set())
    response = client.post(
        path,
        {"username": "carla", "password": "wrong"},
        content_type="application/json" if path == "/token/" else MULTIPART_CONTENT,
    )
    assert response.status_code == 503, response.content
    assert response["Content-Type"] == "application/problem+json"
    assert int(response["Retry-After"]) > 0
    assert "passwords" in response.json()["detail"]
