"""Passwords are kept by Argon2, and many sign-ins at once take no more memory than two."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher, check_password, make_password

from accounts import hashers

pytestmark = pytest.mark.real_passwords


def test_passwords_are_kept_by_argon2() -> None:
    kept = make_password("correct horse battery")
    assert kept.startswith("argon2$argon2id$")
    assert check_password("correct horse battery", kept)
    assert not check_password("wrong horse battery", kept)


@pytest.mark.parametrize("room", [hashers.AT_ONCE, 8])
def test_few_are_hashed_at_once(room: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With room for eight, the control, there are more."""
    inside, most, lock = 0, 0, threading.Lock()

    def slow(self: Any, *args: str) -> bool:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        time.sleep(0.05)
        with lock:
            inside -= 1
        return True

    monkeypatch.setattr(Argon2PasswordHasher, "verify", slow)
    monkeypatch.setattr(hashers.BoundedArgon2PasswordHasher, "room", threading.BoundedSemaphore(room))
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(lambda _: hashers.BoundedArgon2PasswordHasher().verify("a", "b"), range(8)))
    assert (most <= hashers.AT_ONCE) == (room == hashers.AT_ONCE)
