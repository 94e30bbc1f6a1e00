"""Limits the time of SQL statements of reads whose filters and orderings the client combines.

MySQL and MariaDB accept the limit in the statement, without another round trip; SQLite calls a progress handler.
A statement that takes longer raises OperationalError, which becomes a 503.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from django.db import connections

SECONDS_MAX = 3.0
STEPS = 50_000  # of SQLite's virtual machine between two checks of the clock: a few milliseconds


@contextmanager
def bounded_reads(seconds: float | None = None) -> Iterator[None]:
    """Limit every SELECT of this thread, in all databases, to `seconds`, or to SECONDS_MAX."""
    limit = SECONDS_MAX if seconds is None else seconds
    with ExitStack() as stack:
        for connection in connections.all():
            stack.enter_context(connection.execute_wrapper(partial(_execute, limit)))
            if connection.vendor == "sqlite":
                stack.callback(_remove_progress_handler, connection)
        yield


def _execute(
    seconds: float, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    connection = context["connection"]
    if connection.vendor == "sqlite":
        end = time.monotonic() + seconds
        connection.connection.set_progress_handler(lambda: time.monotonic() > end, STEPS)
    elif "mysql_server_data" in vars(connection):  # the kind of server is known; Django loads it after connecting
        sql = with_time_limit(sql, connection.mysql_is_mariadb, seconds)
    return execute(sql, params, many, context)


def with_time_limit(sql: str, is_mariadb: bool, seconds: float = SECONDS_MAX) -> str:
    head, select, tail = sql.partition("SELECT ")
    if not select or head.strip("("):  # a UNION begins with brackets
        return sql
    if is_mariadb:
        return f"SET STATEMENT max_statement_time={seconds} FOR {sql}"
    return f"{head}SELECT /*+ MAX_EXECUTION_TIME({int(seconds * 1000)}) */ {tail}"


def _remove_progress_handler(connection: Any) -> None:
    if connection.connection is not None:
        connection.connection.set_progress_handler(None, 0)
