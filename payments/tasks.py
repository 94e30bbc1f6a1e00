"""Celery tasks of payments."""

import logging
from itertools import chain

from celery import shared_task
from kombu.exceptions import KombuError

from payments import anonymization, asking, events, expiry, reconciling, sending, verifying
from payments.providers.base import ProviderUnavailable
from productbackend.workers import batches
from productbackend.workers.batches import Batch

logger = logging.getLogger(__name__)

SWEEP_EXPIRES = batches.TTL  # seconds: a later sweep does what has waited so long
BATCH, REFUNDS = Batch("payments:batch-is-out"), Batch("payments:refund-batch-is-out")
SOON = 60  # seconds: later looks are left to the sweep
RECONCILE_SECONDS = 540  # below the broker's visibility timeout


@shared_task(time_limit=25)  # below the claim's LEASE
def ask(payment_id: int) -> None:
    asking.ask_now(payment_id)


@shared_task(time_limit=25)
def process_event(event_id: int) -> None:
    """Look at an event; one that has come too early is looked at again soon, without waiting for the sweep."""
    delay = events.process(event_id)
    if delay is not None and delay.total_seconds() < SOON:
        try:
            process_event.apply_async((event_id,), countdown=delay.total_seconds())
        except (KombuError, OSError) as error:
            logger.warning("The queue is unreachable; the sweep finds event %d: %s", event_id, error)


@shared_task(expires=SWEEP_EXPIRES)
def sweep(ends_batch: bool = False) -> None:
    """Queue in batches what is due: events, and payments to ask about, also those whose task or worker was lost."""
    BATCH.queue(
        sweep,
        lambda: chain(
            ((process_event, event_id) for event_id in events.due()),
            ((ask, payment_id) for payment_id in asking.due()),
        ),
        ends_batch=ends_batch,
    )


@shared_task
def delete_old_events() -> None:
    events.delete_old()


@shared_task(expires=SWEEP_EXPIRES)
def expire_orders() -> None:
    expiry.sweep()


@shared_task(expires=SWEEP_EXPIRES)
def check_payments() -> None:
    verifying.check_next_slice()


@shared_task(time_limit=RECONCILE_SECONDS)
def reconcile() -> None:
    """Compare with the providers' books. A provider that does not answer makes it fail, so that TasksFailing fires."""
    _, silent = reconciling.reconcile_all()
    if silent:
        raise ProviderUnavailable(f"The books of {', '.join(silent)} were not compared.")


@shared_task(time_limit=25)  # below the claim's LEASE
def send_refund(refund_id: int) -> None:
    sending.send(refund_id)


@shared_task(expires=SWEEP_EXPIRES)
def sweep_refunds(ends_batch: bool = False) -> None:
    """Queue due refunds in batches: retries, and those whose task was lost or whose worker was killed."""
    REFUNDS.queue(
        sweep_refunds, lambda: ((send_refund, refund_id) for refund_id in sending.due()), ends_batch=ends_batch
    )


@shared_task
def anonymize_payments() -> None:
    anonymization.anonymize_closed()
    anonymization.anonymize_old()
