"""Kills a process at a line of a call, by SIGKILL: no handler of the code runs, and the database loses a connection."""

import os
import pickle
import signal
from collections.abc import Callable
from itertools import count
from typing import Any

from django.db import connections

from tests.payments.books import Books

SECONDS = 60  # within which the line is reached


class Reports:
    """What the process that is killed writes before: the books are another company's, and outlive it."""

    def __init__(self) -> None:
        self.write: Callable[[], None] = lambda: None


REPORTS = Reports()


def kill(*args: Any, **kwargs: Any) -> None:
    """In place of a call: kill this process."""
    REPORTS.write()
    os.kill(os.getpid(), signal.SIGKILL)


def kill_after(function: Any) -> Any:
    """A call after whose effect this process is killed."""

    def wrapper(*args: Any, **kwargs: Any) -> None:
        function(*args, **kwargs)
        kill()

    return wrapper


def require_killed(call: Callable[[], Any], books: Books) -> None:
    """Run the call in a process of its own, which must be killed in it; the books then have what it did to them.

    The test must commit what the process reads: it is one with `transaction=True`.
    """
    connections.close_all()  # a connection is of one process
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(SECONDS)
        REPORTS.write = lambda: _report(books, writer)
        try:
            call()
        finally:  # it was not killed
            os._exit(1)
    os.close(writer)
    with open(reader, "rb") as pipe:
        report = pipe.read()
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "the call ended before the line at which it is killed"
    assert os.WTERMSIG(status) == signal.SIGKILL
    books.rows, books.changed, books.calls, books.faults, following = pickle.loads(report)  # noqa: S301  # it is our own
    books.numbers = count(following)


def _report(books: Books, writer: int) -> None:
    state = (books.rows, books.changed, books.calls, books.faults, next(books.numbers))
    with open(writer, "wb") as pipe:
        pickle.dump(state, pipe)
