"""Routes reads of some apps to a replica of the database while it is caught up with the primary.

Before a view reads, the GTIDs that the primary has committed are compared with the replica's; see
docs/adr/0008-read-replica.md. If the replica is behind or unreachable, the primary is read.
"""

import functools
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, TypeVar

from django.conf import settings
from django.db import Error, InterfaceError, OperationalError, connection, connections

from productbackend.api.read_limit import bounded_reads
from productbackend.caches.circuit_breaker import CircuitBreaker
from productbackend.database.error_codes import LOST

View = TypeVar("View", bound=Callable[..., Any])

REPLICA = "replica"  # its name in DATABASES
APPS: set[str] = set()  # the apps that are read from the replica; they add themselves in `ready()`
WAIT = 0.05  # seconds that a read waits for the replica to catch up
# The committed GTIDs of the primary, empty if it has none; and the wait for them on the replica, which returns 0
# when they are applied.
MYSQL = (
    "SELECT IF(@@GLOBAL.gtid_mode = 'ON', @@GLOBAL.gtid_executed, '')",
    "SELECT WAIT_FOR_EXECUTED_GTID_SET(%s, %s)",
)
MARIADB = ("SELECT @@GLOBAL.gtid_binlog_pos", "SELECT MASTER_GTID_WAIT(%s, %s)")

_is_used: ContextVar[bool] = ContextVar("replica_is_used", default=False)


class Router:
    """Routes reads of APPS to the replica inside a view that `reading` wraps."""

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        return REPLICA if _is_used.get() and model._meta.app_label in APPS else None

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        return False if db == REPLICA else None


breaker = CircuitBreaker("Everything is read from the primary database")


def reading(view: View) -> View:
    """Decorate a view that only reads: limit its statements, and use the replica if it is caught up."""

    @functools.wraps(view)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        with bounded_reads():
            return read(*args, **kwargs)

    def read(*args: Any, **kwargs: Any) -> Any:
        if not is_caught_up():
            return view(*args, **kwargs)
        before = _is_used.set(True)
        try:
            return view(*args, **kwargs)
        except Error as error:
            if not _is_lost(error):
                raise  # an error of the view or of the primary
            _mark_unreachable(error)  # the replica was lost during the view: run it again on the primary
        finally:
            _is_used.reset(before)
        return view(*args, **kwargs)

    return wrapper  # type: ignore[return-value]


def is_caught_up() -> bool:
    # The replica does not have the uncommitted writes of an open transaction.
    if REPLICA not in settings.DATABASES or connection.in_atomic_block or breaker.is_open():
        return False
    committed, arrival = MARIADB if getattr(connection, "mysql_is_mariadb", False) else MYSQL
    with connection.cursor() as cursor:
        cursor.execute(committed)
        [[transactions]] = cursor.fetchall()
    if not transactions:
        breaker.trip("the primary has no GTIDs, so it is unknown whether the replica is caught up")
        return False
    try:
        with connections[REPLICA].cursor() as cursor:
            cursor.execute(arrival, [transactions, WAIT])
            [[state]] = cursor.fetchall()
    except Error as error:
        _mark_unreachable(error)
        return False
    if state != 0:
        breaker.trip("the replica is behind")
        return False
    breaker.reset()
    return True


def _is_lost(error: Error) -> bool:
    """Whether the error is a lost connection, and the replica's connection is unusable."""
    if not isinstance(error, InterfaceError | OperationalError):
        return False
    if isinstance(error, OperationalError) and (error.args or [None])[0] not in LOST:
        return False
    replica = connections[REPLICA]
    return replica.connection is None or not replica.is_usable()


def _mark_unreachable(error: Error) -> None:
    breaker.trip(f"the replica is unreachable: {error}")
    connections[REPLICA].close()
