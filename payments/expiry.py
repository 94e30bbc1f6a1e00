"""Expiring orders that were not paid in time.

Their open attempts are cancelled at the providers first, outside of any transaction, and settled by the answers: an
order whose money has come meanwhile is paid. The others expire in a transaction that puts their stock back. Where a
provider does not answer the order waits, for a day: after that its stock goes back, and late money is late money.
"""

import logging
import time
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from orders import lifecycle
from orders.models import Order
from payments import asking, schedule
from payments.asking import Outcome
from payments.deciding import decide
from payments.models import Payment
from productbackend.database.transactions import atomic_with_retry

logger = logging.getLogger(__name__)

Status = Order.Status

PATIENCE = timedelta(days=1)  # for a provider that does not answer
BATCH = 100
TIME_LIMIT = 40.0  # seconds of one sweep; the rest waits for the next one


def sweep() -> int:
    """Expire the orders whose time is over, oldest first, within the time limit; return how many.

    An error of one order is logged, and the last one raised after all orders, so that the task has failed.
    """
    expired, failed = 0, None
    silent: set[str] = set()  # the methods whose providers have not answered in this sweep
    for order_id in _all_over(time.monotonic() + TIME_LIMIT):
        try:
            expired += expire(order_id, silent)
        except Exception as error:  # whatever is wrong with one order, the stock of the others goes back
            logger.exception("Order %d was not expired", order_id)
            failed = error
    if failed is not None:
        raise failed
    return expired


def expire(order_id: int, silent: set[str] | None = None) -> bool:
    """Cancel the order's open attempts and expire it, if it still is pending then; return whether it expired.

    Providers of the methods in `silent` are not asked; that of one that does not answer is added.
    """
    silent = set() if silent is None else silent
    for payment in _request_cancels(order_id):
        if payment.method in silent and payment.reference is not None:
            schedule.postpone(payment.pk)
        elif asking.ask_now(payment.pk) == Outcome.SILENT:
            silent.add(payment.method)
    return _expire(order_id)


def _all_over(deadline: float) -> Iterator[int]:
    """The ids of the orders whose time is over, each once, until the deadline."""
    seen: set[int] = set()
    while batch := list(_over(timezone.now()).exclude(pk__in=seen).values_list("pk", flat=True)[:BATCH]):
        for order_id in batch:
            if time.monotonic() > deadline:
                return
            yield order_id
        seen.update(batch)


def _over(now: datetime) -> QuerySet[Order]:
    """The pending orders whose time is over, without those whose attempt waits for its next cancellation."""
    waiting = Payment.objects.filter(
        order=OuterRef("pk"), status=Payment.Status.PENDING, cancel_requested_at__isnull=False, due_at__isnull=False
    ).exclude(schedule.due(now))
    rows = Order.objects.filter(status=Status.PENDING, expires_at__lte=now)
    return rows.exclude(Exists(waiting), expires_at__gt=now - PATIENCE).order_by("expires_at", "pk")


@atomic_with_retry
def _request_cancels(order_id: int) -> list[Payment]:
    """Ask for the cancellation of the open attempts of an order whose time is over, and return them."""
    if not _is_over(lifecycle.locked_order(order_id)):
        return []
    schedule.request_cancel(order_id)
    return list(Payment.objects.filter(order=order_id, status=Payment.Status.PENDING).order_by("pk"))


@atomic_with_retry
def _expire(order_id: int) -> bool:
    order = lifecycle.locked_order(order_id)
    if not _is_over(order):
        return False
    if Payment.objects.filter(order=order, status=Payment.Status.PENDING).exists():
        if order.expires_at is None or order.expires_at > timezone.now() - PATIENCE:
            return False
        logger.error("Order %s expires with an attempt that could not be cancelled in a day", order.number)
    lifecycle.expire(order)
    decide(order)
    return True


def _is_over(order: Order) -> bool:
    return order.status == Status.PENDING and order.expires_at is not None and order.expires_at <= timezone.now()
