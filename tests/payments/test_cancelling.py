"""Cancelling an order refunds its money and cancels its open payments."""

from decimal import Decimal
from typing import Any

import pytest

from orders import lifecycle
from orders.models import Order
from payments import refunds, sending
from payments.ledger import order_balance
from payments.marking import mark_paid
from payments.models import Refund
from payments.refunds import RefundRequest
from tests import factories
from tests.payments.books import Books
from tests.payments.paying import TOTAL, paid_order, pending_order, settle_by, started

pytestmark = pytest.mark.django_db


def staff() -> Any:
    return factories.user("stella", is_staff=True, is_superuser=True)


def test_a_paid_order_is_refunded_in_full_once(books: Books) -> None:
    order, payment = paid_order(books)
    for _ in range(2):
        lifecycle.cancel(order_id=order.pk, user=order.user)
    refund = Refund.objects.get()
    assert (refund.amount, refund.cause, refund.user) == (TOTAL, f"cancelled:{payment.pk}", order.user)
    sending.send(refund.pk)
    settle_by(books, payment)
    assert Order.objects.get().refunded == TOTAL
    assert books.balance() == order_balance(order.pk).kept == 0
    assert Refund.objects.count() == 1


def test_what_was_refunded_before_is_not_refunded_again(books: Books) -> None:
    order, _ = paid_order(books)
    refunds.create(RefundRequest(order.pk, staff(), amount=Decimal("9.90")))
    lifecycle.cancel(order_id=order.pk, user=None)
    assert sorted(Refund.objects.values_list("amount", flat=True)) == [Decimal("9.90"), Decimal("10.00")]


def test_failed_refunds_are_in_those_of_the_cancellation(books: Books) -> None:
    order, _ = paid_order(books)
    failed, _ = refunds.create(RefundRequest(order.pk, staff(), amount=Decimal("9.90")))
    Refund.objects.update(status="failed")
    lifecycle.cancel(order_id=order.pk, user=None)
    failed.refresh_from_db()
    assert failed.resolved_at is not None
    assert Refund.objects.get(status="pending").amount == TOTAL


def test_what_staff_put_aside_is_not_refunded(books: Books) -> None:
    """The customer got it in another way. Staff who ask for it can still refund it."""
    order, payment = paid_order(books)
    failed, _ = refunds.create(RefundRequest(order.pk, staff(), amount=Decimal("9.90")))
    Refund.objects.update(status="failed")
    sending.put_aside(refund_id=failed.pk, user=factories.account("stella"))
    lifecycle.cancel(order_id=order.pk, user=None)
    [refund] = Refund.objects.filter(status="pending")
    assert refund.amount == Decimal("10.00")
    sending.send(refund.pk)
    settle_by(books, payment)  # the provider is asked again, and has the rest of the money
    assert Refund.objects.count() == 2
    assert order_balance(order.pk).kept == refunds.refundable(order.pk) == Decimal("9.90")


def test_a_failed_refund_of_a_cancellation_that_is_put_aside_stays_so(books: Books) -> None:
    order, payment = paid_order(books)
    lifecycle.cancel(order_id=order.pk, user=None)
    failed = Refund.objects.get()
    Refund.objects.update(status="failed")
    staff()
    sending.put_aside(refund_id=failed.pk, user=factories.account("stella"))
    settle_by(books, payment)
    assert Refund.objects.get() == failed


def test_what_was_charged_back_is_not_refunded(books: Books) -> None:
    order, payment = paid_order(books)
    books.charge_back(payment.reference or "")
    settle_by(books, payment)
    lifecycle.cancel(order_id=order.pk, user=None)
    assert not Refund.objects.exists()


def test_a_pending_order_has_its_attempt_cancelled(books: Books) -> None:
    attempt = started(books, pending_order())
    lifecycle.cancel(order_id=attempt.order_id, user=None)
    attempt.refresh_from_db()
    assert attempt.cancel_requested_at is not None
    assert not Refund.objects.exists()


@pytest.mark.parametrize("by", ["customer", "staff", "staff who bought it"])
def test_a_bank_transfer_goes_back_as_staff_send_it(books: Books, by: str) -> None:
    """Staff who cancel state that they send the money; after a customer's cancellation it waits for them."""
    order, user = pending_order(), staff()
    mark_paid(order_id=order.pk, amount=TOTAL, reference="", user=user)
    if by == "staff who bought it":
        Order.objects.update(user=user)
    lifecycle.cancel(order_id=order.pk, user=order.user if by == "customer" else user)
    waiting = 0 if by == "staff" else 1
    assert Refund.objects.filter(due_at=None).count() == waiting
    for refund_id in sending.due():
        sending.send(refund_id)
    assert Refund.objects.filter(status="pending").count() == waiting
