"""What workers do about mail."""

import logging

from celery import shared_task
from django.core.cache import cache
from redis.exceptions import RedisError

from outbox import sending

logger = logging.getLogger(__name__)

BATCH_IS_OUT = "outbox:batch-is-out"
BATCH_LIFE = 60  # seconds after which what no worker took up of a batch is dropped, and queued again


@shared_task(time_limit=25)  # below the claim's LEASE
def send(mail_id: int) -> None:
    sending.send(mail_id)


@shared_task
def sweep(ends_batch: bool = False) -> None:
    """Queue what is due and lies there: its nudge was lost, its time has come, or its worker died.

    One batch is out at a time, however many beats there are, and the next sweep stands at its end: the queue
    stays short where workers are slow, and they need not wait where they are quick.
    """
    if not _may_queue(ends_batch):
        return
    for mail_id in (batch := sending.due()):
        send.apply_async((mail_id,), expires=BATCH_LIFE)
    if batch:
        sweep.apply_async((True,), expires=BATCH_LIFE)
    else:
        _take_in_batch()


def _may_queue(ends_batch: bool) -> bool:
    if ends_batch:
        _take_in_batch()
    try:
        return bool(cache.add(BATCH_IS_OUT, 1, BATCH_LIFE))
    except (RedisError, OSError) as error:
        logger.warning("Mail may be queued twice while the cache is away: %s", error)
        return True


def _take_in_batch() -> None:
    try:
        cache.delete(BATCH_IS_OUT)
    except (RedisError, OSError) as error:
        logger.warning("The next batch of mail waits for %d seconds: %s", BATCH_LIFE, error)
