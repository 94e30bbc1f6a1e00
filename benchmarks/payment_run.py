"""One run of benchmarks.payment_faults, and the faults that come from outside of the provider.

Processes are killed, the database is restarted, and the time to pay orders ends.
"""

import argparse
import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import TYPE_CHECKING

from benchmarks import shop
from benchmarks.background import Processes
from benchmarks.mailbox import Mailbox
from benchmarks.paying_customers import Seen

if TYPE_CHECKING:
    from tests.services.servers import Database

RESTARTS = 2


@dataclass
class Run:
    """What runs, what was done to it, and what its customers saw."""

    options: argparse.Namespace
    web: shop.Web
    background: Processes
    mailbox: Mailbox
    own_database: "Database | None" = None
    seen: Seen = field(default_factory=Seen)
    kills: Counter[str] = field(default_factory=Counter)
    outages: list[tuple[float, float]] = field(default_factory=list)  # of the database: from when to when
    finished: int = 0  # customers
    waits: Counter[str] = field(default_factory=Counter)  # afterwards, for what: looks once a second
    done: threading.Event = field(default_factory=threading.Event)

    def missing(self) -> list[str]:
        """The faults without which a run shows nothing, and that have not happened yet."""
        happened = {
            "a web process is killed": bool(self.kills),
            "a worker is killed": bool(self.background.kills),
            "the database is restarted": self.own_database is None or len(self.outages) >= RESTARTS,
        }
        return [fault for fault, has_happened in happened.items() if not has_happened]

    def wait_for_faults(self, seconds: float) -> None:
        """Wait until each kind of fault has happened, at most so long."""
        until = time.monotonic() + seconds
        while self.missing() and time.monotonic() < until:
            time.sleep(0.1)


def kill(run: Run) -> None:
    """Kill in turn a web process and a worker, or only its pool process, until all customers are done.

    The first two are killed soon, so that a short run has both.
    """
    web_is_next, waits = True, chain([1.0, 1.0], repeat(run.options.kill_every))
    while not run.done.wait(next(waits)):
        if web_is_next and (pids := run.web.workers()):
            with suppress(ProcessLookupError):  # it has just ended by itself
                os.kill(random.choice(pids), signal.SIGKILL)
                run.kills["web process"] += 1
        elif not web_is_next:
            run.background.restart_ended()
            run.background.kill_one()
        web_is_next = not web_is_next


def restart(run: Run) -> None:
    """Restart the database after equal shares of the customers."""
    for number in range(1, RESTARTS + 1):
        while run.own_database is not None and run.finished < run.options.orders * number // (RESTARTS + 1):
            if run.done.wait(0.1):
                return
        if run.own_database is not None:
            began = time.monotonic()
            run.own_database.kill()
            run.own_database.start()
            run.outages.append((began, time.monotonic()))


def move_clock(run: Run) -> None:
    """Let the time to pay be over for the orders of customers who leave, until all customers are done."""
    from django.db import DatabaseError, connection

    from benchmarks import payment_books

    while not run.done.wait(0.3):
        print_progress(f"{run.finished} of {run.options.orders} customers")
        numbers = run.seen.take_overdue()
        try:
            payment_books.expire(numbers)
        except DatabaseError:  # it restarts
            connection.close()
            for number in numbers:
                run.seen.let_expire(number)
    connection.close()


def print_progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
