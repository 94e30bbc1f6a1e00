"""Transactions that are retried after a deadlock, within a time limit; and large querysets in slices."""

import functools
import logging
import random
import time
from collections.abc import Callable, Iterator
from typing import Any, ParamSpec, TypeVar

from django.db import OperationalError, connection, transaction
from django.db.models import QuerySet

from productbackend.errors import DomainError

logger = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

DEADLOCK = 1213
ATTEMPTS = 5
# Seconds for all attempts together: well under the proxy's `proxy_read_timeout`. A write that takes longer is rolled
# back, so that nothing is committed after the client has got an error.
TIME_LIMIT = 30.0
SLICE = 1_000


def atomic_with_retry(function: Callable[P, R]) -> Callable[P, R]:
    """Run `function` in a transaction; after a deadlock roll back and run it again from its start.

    Only the outermost transaction is retried: inside another one it is a savepoint, since a deadlock
    rolls back the outer transaction. A lock wait timeout is not retried: `innodb_lock_wait_timeout`
    already bounds the wait. Raises the database's error after `ATTEMPTS`, and DomainError
    `unavailable` if `TIME_LIMIT` is exceeded before the commit.
    """

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        if connection.in_atomic_block:
            with transaction.atomic():
                return function(*args, **kwargs)
        deadline = time.monotonic() + TIME_LIMIT
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with transaction.atomic():
                    result = function(*args, **kwargs)
                    if time.monotonic() > deadline:
                        raise DomainError("unavailable", f"The database took more than {TIME_LIMIT:.0f} seconds.")
                    return result
            except OperationalError as error:
                is_last = attempt == ATTEMPTS or time.monotonic() > deadline
                if is_last or error.args[0] != DEADLOCK:
                    raise
                logger.warning("%s: attempt %d: %s", function.__qualname__, attempt, error)
                time.sleep(random.uniform(0.01, 0.05) * attempt)
        raise AssertionError("unreachable")

    return wrapper


def in_slices(rows: QuerySet[Any], size: int = SLICE) -> Iterator[QuerySet[Any]]:
    """Yield `rows` in slices of `size`, ordered by primary key: no statement locks many rows."""
    last = None
    while True:
        remaining = rows if last is None else rows.filter(pk__gt=last)
        keys = list(remaining.order_by("pk").values_list("pk", flat=True)[:size])
        if not keys:
            return
        yield rows.model._default_manager.filter(pk__in=keys)  # its queryset may record what is written
        last = keys[-1]
