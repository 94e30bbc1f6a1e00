"""Changes of a table while a long transaction uses it."""

import time
from collections.abc import Iterator
from contextlib import nullcontext
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction

from productbackend.database import migrating
from tests.concurrently import run_concurrently

HELD = 5.0  # seconds


@pytest.fixture
def table() -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE test_migrating (id INT PRIMARY KEY)")
    yield "test_migrating"
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE test_migrating")


def hold(table: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table}")
        time.sleep(HELD)


def alter(table: str, waits: Any) -> None:
    time.sleep(0.5)
    with waits(connection), connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} ADD COLUMN number INT")


def read(table: str) -> float:
    """How long one of the statements that come after the change waits at most, in seconds."""
    longest, until = 0.0, time.monotonic() + HELD + 1
    while time.monotonic() < until:
        began = time.monotonic()
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT id FROM {table}")
        longest = max(longest, time.monotonic() - began)
        time.sleep(0.05)
    return longest


@pytest.mark.parametrize("is_patient", [False, True], ids=["as it is", "control"])
def test_a_change_of_a_table_waits_for_others_and_they_hardly_for_it(
    table: str, monkeypatch: pytest.MonkeyPatch, is_patient: bool
) -> None:
    monkeypatch.setattr(migrating, "WAIT", 1)
    waits = nullcontext if is_patient else migrating.short_waits
    calls: list[Any] = [partial(hold, table), partial(alter, table, waits), partial(read, table)]
    held, altered, longest = run_concurrently(calls)
    assert (held, altered) == (None, None)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT number FROM {table}")
    assert (longest > HELD - 1) is is_patient, longest


def test_the_limit_is_as_before_afterwards() -> None:
    def limit() -> Any:
        with connection.cursor() as cursor:
            cursor.execute("SELECT @@lock_wait_timeout")
            return cursor.fetchone()[0]

    before = limit()
    with migrating.short_waits(connection):
        assert limit() == migrating.WAIT
    assert limit() == before > migrating.WAIT
