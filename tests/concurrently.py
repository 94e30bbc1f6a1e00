"""Runs calls concurrently, each in a thread with its own database connection."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from django.db import Error, connection, connections

from productbackend.errors import DomainError

Call = Callable[[], Any]


def outcome(call: Call) -> Any:
    """The return value of the call, or the DomainError or database error that it raised."""
    try:
        return call()
    except (DomainError, Error) as error:
        return error
    finally:
        connections.close_all()


def run_concurrently(calls: Sequence[Call], *, connects: bool = True) -> list[Any]:
    """The outcomes of the calls, which start concurrently, each with an open connection if `connects`."""
    barrier = threading.Barrier(len(calls))
    connecting = threading.Lock()  # 200 concurrent connection attempts exceed the server's backlog

    def run(call: Call) -> Any:
        if connects:
            with connecting:
                connect()
        barrier.wait(timeout=60)
        return outcome(call)

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


@contextmanager
def concurrent_rounds(size: int) -> Iterator[Callable[[Sequence[Call]], list[Any]]]:
    """Yield a function that runs `size` calls concurrently, as `run_concurrently`, for many rounds.

    The threads and their connections stay for the next round, which starts them in a fraction of the time.
    """
    barrier = threading.Barrier(size)

    def run(call: Call) -> Any:
        barrier.wait(timeout=60)  # so that each thread has one of the calls
        try:
            return call()
        except (DomainError, Error) as error:
            return error

    def of_one_round(calls: Sequence[Call]) -> list[Any]:
        assert len(calls) == size
        return list(pool.map(run, calls))

    with ThreadPoolExecutor(size) as pool:
        of_one_round([connect] * size)
        try:
            yield of_one_round
        finally:
            of_one_round([connections.close_all] * size)


def connect() -> None:
    connection.ensure_connection()
    _wait_long_for_locks()


def _wait_long_for_locks() -> None:
    """200 transactions wait for one lock on a busy machine: the test is not about their duration."""
    if connection.vendor == "mysql":
        with connection.cursor() as cursor:
            cursor.execute("SET SESSION innodb_lock_wait_timeout = 60")
