"""The sweeps queue what is due in batches, one of each sweep at a time."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.utils import timezone

from payments import refunds, tasks
from payments.models import Payment, ProviderEvent, Refund
from payments.refunds import RefundRequest
from productbackend.celery import app
from tests import factories
from tests.payments.books import Books
from tests.payments.paying import TOTAL, paid_order, pending_order, started

pytestmark = pytest.mark.django_db

TASKS = (tasks.process_event, tasks.ask, tasks.send_refund, tasks.sweep, tasks.sweep_refunds)


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """The queued tasks; no worker runs."""
    queued: list[tuple[Any, ...]] = []
    for task in TASKS:

        def apply_async(args: tuple[Any, ...], expires: int, name: str = task.name) -> None:
            queued.append((name.rpartition(".")[2], *args))

        monkeypatch.setattr(task, "apply_async", apply_async)
    return queued


@pytest.fixture
def eager_worker() -> Iterator[None]:
    """Run each task when it is queued."""
    app.conf.task_always_eager = True
    yield
    app.conf.task_always_eager = False


def due_payment(books: Books) -> Payment:
    payment = started(books, pending_order())
    Payment.objects.filter(pk=payment.pk).update(due_at=timezone.now())
    return payment


def test_one_batch_of_payments_and_events_is_queued_at_a_time(books: Books, queue: list[tuple[Any, ...]]) -> None:
    payment = due_payment(books)
    event = ProviderEvent.objects.create(
        provider="books", event_id="ev_1", reference=payment.reference or "", due_at=timezone.now()
    )
    for _ in range(4):  # two beats, twice each
        tasks.sweep()
    batch = [("process_event", event.pk), ("ask", payment.pk), ("sweep", True)]
    assert queue == batch
    tasks.sweep(True)
    assert queue == batch * 2  # no worker had run the first batch


def test_one_batch_of_refunds_is_queued_at_a_time(books: Books, queue: list[tuple[Any, ...]]) -> None:
    order, _ = paid_order(books)
    refund, _ = refunds.create(RefundRequest(order.pk, factories.user("stella"), amount=TOTAL))
    for _ in range(4):
        tasks.sweep_refunds()
    batch = [("send_refund", refund.pk), ("sweep_refunds", True)]
    assert queue == batch
    tasks.sweep_refunds(True)
    assert queue == batch * 2


@pytest.mark.usefixtures("eager_worker")
def test_a_batch_ends_when_nothing_is_due(books: Books) -> None:
    order, _ = paid_order(books)
    refund, _ = refunds.create(RefundRequest(order.pk, factories.user("stella"), amount=TOTAL))
    open_payment = started(books, pending_order(username="dora"))
    Payment.objects.filter(pk=open_payment.pk).update(due_at=timezone.now())
    tasks.sweep()
    tasks.sweep_refunds()
    refund.refresh_from_db()
    open_payment.refresh_from_db()
    assert refund.status == Refund.Status.DONE
    assert open_payment.due_at is not None
    assert open_payment.due_at > timezone.now()
    assert books.calls.count("fetch") == 2  # once for the refund


@pytest.mark.usefixtures("eager_worker")
def test_a_snapshot_that_cannot_be_settled_is_not_asked_for_again_immediately(books: Books) -> None:
    payment = due_payment(books)
    reference = payment.reference or ""
    books.rows[reference] = replace(books.rows[reference], key="another")
    tasks.sweep()
    payment.refresh_from_db()
    assert books.calls.count("fetch") == 1
    assert payment.due_at is not None
    assert payment.due_at > timezone.now()


def test_what_cannot_be_asked_about_is_not_queued(books: Books, queue: list[tuple[Any, ...]]) -> None:
    """An attempt that the provider refused to start has no reference."""
    Payment.objects.create(
        order=pending_order(), method="books", status="failed", amount=TOTAL, currency="EUR", due_at=timezone.now()
    )
    tasks.sweep()
    assert queue == []
