"""When a payment is looked at again."""

from datetime import timedelta

import pytest
from django.utils import timezone

from payments import schedule
from payments.models import Payment
from tests.payments.books import Books
from tests.payments.paying import pending_order, started

pytestmark = pytest.mark.django_db

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.mark.parametrize(
    ("age", "wait"),
    [(MINUTE, MINUTE), (30 * MINUTE, 5 * MINUTE), (5 * HOUR, HOUR), (50 * HOUR, 6 * HOUR)],
)
def test_an_open_payment_is_asked_about_less_and_less_often(age: timedelta, wait: timedelta) -> None:
    now = timezone.now()
    payment = Payment(created_at=now - age)
    assert schedule.next_check(payment, is_paid=False, now=now) == now + wait


def test_a_requested_cancellation_is_tried_every_minute() -> None:
    now = timezone.now()
    payment = Payment(created_at=now - 50 * HOUR, cancel_requested_at=now)
    assert schedule.next_check(payment, is_paid=False, now=now) == now + MINUTE


@pytest.mark.parametrize(("closed_for", "is_asked"), [(HOUR, True), (23 * HOUR, True), (24 * HOUR, False)])
def test_a_closed_payment_is_asked_about_for_a_day(closed_for: timedelta, is_asked: bool) -> None:
    now = timezone.now()
    for status in ("failed", "cancelled", "succeeded"):
        payment = Payment(status=status, created_at=now - 50 * HOUR, updated_at=now - closed_for)
        assert (schedule.next_check(payment, is_paid=False, now=now) is not None) == is_asked
        assert (schedule.next_try(payment, now) is not None) == is_asked
        assert schedule.next_check(payment, is_paid=True, now=now) is None


def test_open_payments_of_the_order_alone_get_their_cancellation_requested_once(books: Books) -> None:
    order, other = pending_order(), pending_order(username="otto")
    payment, closed, others = started(books, order), started(books, order), started(books, other)
    Payment.objects.filter(pk=closed.pk).update(status="failed")
    schedule.request_cancel(order.pk)
    payment.refresh_from_db()
    first = payment.cancel_requested_at
    schedule.request_cancel(order.pk)
    for row in (payment, closed, others):
        row.refresh_from_db()
    assert first is not None
    assert (payment.cancel_requested_at, payment.due_at) == (first, first)
    assert (closed.cancel_requested_at, others.cancel_requested_at) == (None, None)


def test_a_postponed_payment_is_due_later(books: Books) -> None:
    payment = started(books, pending_order())
    schedule.postpone(payment.pk)
    assert not Payment.objects.filter(schedule.due(timezone.now()), pk=payment.pk).exists()
    assert Payment.objects.filter(schedule.due(timezone.now() + schedule.RETRY), pk=payment.pk).exists()
