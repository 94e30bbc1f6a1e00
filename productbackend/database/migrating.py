"""Changes of tables while the service is in use."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper

from productbackend.database.error_codes import LOCKED

logger = logging.getLogger(__name__)

# Seconds for the lock of a table. While a change waits for it, every other statement on the table waits behind it.
WAIT = 2
PAUSE = 1.0  # seconds between two attempts
TIME_LIMIT = 600.0  # seconds for all attempts of one statement


@contextmanager
def short_waits(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Let each statement wait briefly for a table, and try it again: what got no lock has changed nothing.

    A long transaction then delays the migration, and not the requests. MySQL's own limit for a table's lock is a year.
    """
    if connection.vendor != "mysql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT @@lock_wait_timeout")
        [before] = cursor.fetchone()
        _set_wait(cursor, WAIT)
    try:
        with connection.execute_wrapper(_again_after_locks):
            yield
    finally:
        with connection.cursor() as cursor:
            _set_wait(cursor, before)


def _set_wait(cursor: Any, seconds: int) -> None:
    cursor.execute("SET SESSION lock_wait_timeout = %s", [seconds])


def _again_after_locks(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    until = time.monotonic() + TIME_LIMIT
    while True:
        try:
            return execute(sql, params, many, context)
        except OperationalError as error:
            # In a transaction the statements before it may be rolled back too.
            is_final = context["connection"].in_atomic_block or time.monotonic() > until
            if is_final or error.args[0] not in LOCKED:
                raise
            logger.warning("It is tried again, as others use the table: %s (%s)", sql[:200], error)
            time.sleep(PAUSE)
