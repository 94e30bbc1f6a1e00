"""Lets several cases share rows that take long to create."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.cache import cache
from django.db import transaction


@contextmanager
def rolled_back() -> Iterator[None]:
    """Undo what the block writes to the database and to the cache."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
    cache.clear()
