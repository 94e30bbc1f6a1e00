"""Celery tasks of the outbox."""

from collections.abc import Sequence

from celery import shared_task

from outbox import retention, sending
from outbox.dispatching import Waiting
from productbackend.workers.batches import Batch

BATCH = Batch("outbox:batch-is-out")


@shared_task(time_limit=25)  # below the claim's LEASE
def send(mail_id: int, others: Sequence[Waiting] = ()) -> None:
    sending.send_all(mail_id, others)


@shared_task
def forget_recipients() -> None:
    retention.anonymize_recipients()


@shared_task
def sweep(ends_batch: bool = False) -> None:
    """Queue due mails in batches: retries, and mails whose task was lost or whose worker was killed."""
    BATCH.queue(sweep, lambda: ((send, mail_id) for mail_id in sending.due()), ends_batch=ends_batch)
