"""Reads the catalogue from a replica of the database, where it has all that the primary has.

Before a view reads, the primary says what it has committed so far, and the replica whether that has arrived;
see docs/adr/0008-read-replica.md. Where it has not, or where the replica does not answer, the primary is read.
"""

import functools
import logging
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, TypeVar

from django.conf import settings
from django.db import Error, connection, connections

logger = logging.getLogger(__name__)

View = TypeVar("View", bound=Callable[..., Any])

REPLICA = "replica"  # its name in DATABASES
APP = "products"
WAIT = 0.05  # seconds that a read waits for what the replica has not applied yet
REST = 2.0  # seconds that reads leave a replica alone which is behind, or does not answer
LOG_EVERY = 60.0
# What the primary has committed by now, empty where its transactions are not numbered; and the wait for it,
# which gives 0 when all of it has arrived.
MYSQL = (
    "SELECT IF(@@GLOBAL.gtid_mode = 'ON', @@GLOBAL.gtid_executed, '')",
    "SELECT WAIT_FOR_EXECUTED_GTID_SET(%s, %s)",
)
MARIADB = ("SELECT @@GLOBAL.gtid_binlog_pos", "SELECT MASTER_GTID_WAIT(%s, %s)")

_is_used: ContextVar[bool] = ContextVar("replica_is_used", default=False)


class Router:
    """Sends what a view reads of the catalogue to the replica while `reading` says so, and nothing else."""

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        return REPLICA if _is_used.get() and model._meta.app_label == APP else None

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        return False if db == REPLICA else None


class Rest:
    """Until when this process leaves the replica alone."""

    def __init__(self) -> None:
        self.until = 0.0
        self.is_over = True  # the last look found the replica good
        self.logged_at = -LOG_EVERY

    def is_on(self) -> bool:
        """Whether to leave the replica alone. After a rest one look is taken, and no other beside it."""
        now = time.monotonic()
        if now < self.until:
            return True
        if not self.is_over:
            self.until = now + REST
        return False

    def begin(self, reason: object) -> None:
        now = time.monotonic()
        self.until, self.is_over = now + REST, False
        if now - self.logged_at >= LOG_EVERY:
            self.logged_at = now
            logger.warning("The catalogue is read from the primary database: %s", reason)

    def end(self) -> None:
        self.until, self.is_over = 0.0, True


rest = Rest()


def reading(view: View) -> View:
    """A view that only reads the catalogue; from the replica, where there is one and it may be read."""

    @functools.wraps(view)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if not _is_good():
            return view(*args, **kwargs)
        before = _is_used.set(True)
        try:
            return view(*args, **kwargs)
        except Error as error:  # it went away in the middle: the view reads again, from the primary
            _leave(error)
        finally:
            _is_used.reset(before)
        return view(*args, **kwargs)

    return wrapper  # type: ignore[return-value]


def _is_good() -> bool:
    # What a transaction of our own has written is not committed, and so on no replica.
    if REPLICA not in settings.DATABASES or connection.in_atomic_block or rest.is_on():
        return False
    committed, arrival = MARIADB if getattr(connection, "mysql_is_mariadb", False) else MYSQL
    with connection.cursor() as cursor:
        cursor.execute(committed)
        [[transactions]] = cursor.fetchall()
    if not transactions:
        rest.begin("its transactions have no numbers (GTIDs) by which to know whether the replica has them")
        return False
    try:
        with connections[REPLICA].cursor() as cursor:
            cursor.execute(arrival, [transactions, WAIT])
            [[state]] = cursor.fetchall()
    except Error as error:
        _leave(error)
        return False
    if state != 0:
        rest.begin("the replica is behind")
        return False
    rest.end()
    return True


def _leave(error: Error) -> None:
    rest.begin(f"the replica does not answer: {error}")
    connections[REPLICA].close()
