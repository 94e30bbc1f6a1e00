"""Batches of tasks: a sweep has one batch in the queue at a time, however many beats run.

The last task of a batch is the sweep itself, which ends the batch and queues the next one. So the queue stays short
with slow workers, where sweeps would queue the same rows again and again, and fast workers do not wait.
"""

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from celery import Task
from django.core.cache import cache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

TTL = 60  # seconds after which the tasks of a batch expire, and what is due is queued again


@dataclass(frozen=True)
class Batch:
    """The batch of one sweep; `key` is that of the cache entry that says that it is in the queue."""

    key: str

    def queue(self, sweep: Task, due: Callable[[], Iterable[tuple[Task, int]]], *, ends_batch: bool) -> None:
        """Queue the tasks that are `due`, each with the id of its row, unless a batch is in the queue already.

        `ends_batch` says that the `sweep` is the last task of the batch.
        """
        if not self._acquire(ends_batch):
            return
        tasks = list(due())
        for task, pk in tasks:
            task.apply_async((pk,), expires=TTL)
        if tasks:
            sweep.apply_async((True,), expires=TTL)
        else:
            self._release()

    def _acquire(self, ends_batch: bool) -> bool:
        if ends_batch:
            self._release()
        now = time.time()
        try:
            if cache.add(self.key, now, TTL):
                return True
            # The file cache expires entries by the clock, which may have been ahead when the entry was written.
            queued_at = cache.get(self.key)
            if isinstance(queued_at, float) and abs(now - queued_at) > 2 * TTL:
                cache.set(self.key, now, TTL)
                return True
            return False
        except (RedisError, OSError) as error:
            logger.warning("Tasks may be queued twice while the cache is unreachable: %s", error)
            return True

    def _release(self) -> None:
        try:
            cache.delete(self.key)
        except (RedisError, OSError) as error:
            logger.warning("The next batch of %s waits for %d seconds: %s", self.key, TTL, error)
