"""Settling refunds that fail after they were done, and those that were refused and made nevertheless."""

from decimal import Decimal

import pytest
from django.utils import timezone

from orders import lifecycle
from orders.mails import REFUNDED
from orders.models import Order
from outbox.models import Mail
from payments import sending, verifying
from payments.ledger import order_balance
from payments.models import MoneyMovement, Refund
from payments.providers.base import RefundState
from payments.settling import settle
from payments.watching import failed_refunds
from tests import factories
from tests.payments.books import Books
from tests.payments.paying import TOTAL, paid_order, settle_by
from tests.payments.shop import send_refunds

pytestmark = pytest.mark.django_db


def movements() -> list[tuple[str, Decimal]]:
    return list(MoneyMovement.objects.values_list("kind", "amount"))


def test_the_money_of_a_refund_that_fails_after_it_was_done_is_back(books: Books) -> None:
    order, payment = paid_order(books)
    reference = payment.reference or ""
    done = books.refund_outside(reference, Decimal("5.00"))
    old = books.rows[reference]
    settle_by(books, payment)
    books.return_refunds(reference)
    for snapshot in (books.rows[reference], old, books.rows[reference]):  # an old one comes late
        settle(payment_id=payment.pk, snapshot=snapshot)
    refund = Refund.objects.get()
    assert (refund.status, refund.error, refund.due_at, refund.resolved_at) == (
        *("failed", "The account is closed."),
        *(None, None),
    )
    assert movements() == [("capture", TOTAL), ("refund", Decimal("5.00")), ("refund_reversal", Decimal("5.00"))]
    assert [row.reference for row in refund.movements.all()] == [done.reference, f"{done.reference}:failed"]
    balance = order_balance(order.pk)
    assert (balance.refunded, balance.kept, balance.refundable) == (Decimal("0.00"), TOTAL, TOTAL)
    assert Order.objects.get(pk=order.pk).refunded == Decimal("0.00")
    assert Order.objects.get(pk=order.pk).status == "paid"
    assert Mail.objects.filter(kind=REFUNDED).count() == 1
    assert failed_refunds() == 1
    assert [*verifying.comparisons()] == [verifying.Comparison(order.pk, order.number, [])]


@pytest.mark.parametrize("automatic", [True, False])
def test_a_refund_that_came_back_is_sent_again_by_staff_alone(books: Books, automatic: bool) -> None:
    """Also if the order is cancelled: the bank has just sent the money back."""
    order, payment = paid_order(books)
    reference = payment.reference or ""
    if automatic:
        lifecycle.cancel(order_id=order.pk, user=None)
    else:
        Refund.objects.create(payment=payment, order=order, amount=TOTAL, due_at=timezone.now())
    send_refunds(books)
    if not automatic:
        lifecycle.cancel(order_id=order.pk, user=None)
    books.return_refunds(reference)
    for _ in range(2):
        settle_by(books, payment)
    failed = Refund.objects.get()
    assert (failed.status, order_balance(order.pk).kept) == ("failed", TOTAL)
    assert all(found.is_correct for found in verifying.comparisons())
    again = sending.send_again(refund_id=failed.pk, user=factories.user("stella"))
    send_refunds(books)
    again.refresh_from_db()
    assert (again.status, order_balance(order.pk).kept, failed_refunds()) == ("done", Decimal("0.00"), 0)
    assert Order.objects.get(pk=order.pk).refunded == TOTAL
    assert Mail.objects.filter(kind=REFUNDED).count() == 2  # the money went out twice
    assert all(found.is_correct for found in verifying.comparisons())


def test_a_refund_that_failed_in_the_books_is_never_done_again(books: Books) -> None:
    _, payment = paid_order(books)
    reference = payment.reference or ""
    books.refund_outside(reference, TOTAL, state=RefundState.PENDING)
    settle_by(books, payment)
    old = books.finish_refunds(reference)
    books.return_refunds(reference)
    settle_by(books, payment)
    settle(payment_id=payment.pk, snapshot=old)
    assert Refund.objects.get().status == "failed"
    assert movements() == [("capture", TOTAL)]


@pytest.mark.parametrize("state", [RefundState.PENDING, RefundState.DONE])
def test_a_refused_refund_that_the_provider_has_nevertheless_is_as_it_says(books: Books, state: RefundState) -> None:
    order, payment = paid_order(books)
    refund = Refund.objects.create(payment=payment, order=order, amount=TOTAL, status="failed", error="refused")
    books.refund_outside(payment.reference or "", TOTAL, key=refund.key, state=state)
    for _ in range(2):
        settle_by(books, payment)
    refund.refresh_from_db()
    assert (refund.status, refund.due_at is not None) == (state, state == RefundState.PENDING)
    books.finish_refunds(payment.reference or "")
    settle_by(books, payment)
    refund.refresh_from_db()
    assert (refund.status, refund.error, order_balance(order.pk).refunded) == ("done", "", TOTAL)
