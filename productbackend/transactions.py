"""Transactions that are tried again when the database ended them for another's sake."""

import functools
import logging
import random
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from django.db import OperationalError, connection, transaction

logger = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

DEADLOCK, LOCK_WAIT = 1213, 1205
ATTEMPTS = 5


def retried(function: Callable[P, R]) -> Callable[P, R]:
    """Run `function` in a transaction; after a deadlock or a lock wait run it again from its start.

    Inside another transaction it is a savepoint, so that a caller who takes a refusal keeps nothing
    of it, and it is not tried again: what the outer one did before is gone after a deadlock, so
    only the outermost can begin anew. The error is raised after five attempts.
    """

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        if connection.in_atomic_block:
            with transaction.atomic():
                return function(*args, **kwargs)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with transaction.atomic():
                    return function(*args, **kwargs)
            except OperationalError as error:
                if attempt == ATTEMPTS or error.args[0] not in (DEADLOCK, LOCK_WAIT):
                    raise
                logger.warning("%s: attempt %d: %s", function.__qualname__, attempt, error)
                time.sleep(random.uniform(0.01, 0.05) * attempt)
        raise AssertionError("unreachable")

    return wrapper
