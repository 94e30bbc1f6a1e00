"""The sums of the ledger."""

from decimal import Decimal

import pytest
from django.utils import timezone

from payments import ledger
from payments.models import MoneyMovement, Payment, Refund
from payments.providers.base import Money
from tests.payments.books import Books
from tests.payments.paying import pending_order, started

pytestmark = pytest.mark.django_db

Kind = MoneyMovement.Kind


def add(payment: Payment, kind: Kind, amount: str, reference: str) -> bool:
    return ledger.add(payment=payment, kind=kind, money=Money(reference, Decimal(amount), timezone.now()))


def test_a_movement_is_added_once(books: Books) -> None:
    order = pending_order()
    payment = started(books, order)
    assert [add(payment, Kind.CAPTURE, "19.90", "cap"), add(payment, Kind.CAPTURE, "19.90", "cap")] == [True, False]
    [movement] = MoneyMovement.objects.all()
    assert (movement.order, movement.provider, movement.currency) == (order, "books", order.currency)


def test_the_balance_of_a_payment_and_of_its_order(books: Books) -> None:
    order = pending_order()
    payment, other = started(books, order), started(books, order)
    add(payment, Kind.CAPTURE, "19.90", "cap")
    add(payment, Kind.REFUND, "2.00", "ref")
    add(payment, Kind.CHARGEBACK, "5.00", "cb")
    add(payment, Kind.CHARGEBACK_REVERSAL, "1.00", "cbr")
    for status in Refund.Status:
        Refund.objects.create(payment=payment, order=order, amount=Decimal("3.00"), status=status)
    add(other, Kind.CAPTURE, "10.00", "cap 2")
    balance = ledger.payment_balance(payment.pk)
    assert (balance.captured, balance.refunded, balance.charged_back) == (Decimal("19.90"), Decimal(2), Decimal(4))
    assert (balance.kept, balance.refunds_pending, balance.refundable) == (
        Decimal("13.90"),
        Decimal(3),
        Decimal("10.90"),
    )
    assert ledger.order_balance(order.pk).kept == Decimal("23.90")
    assert ledger.order_balance(order.pk + 1).kept == Decimal(0)


def test_nothing_less_than_nothing_is_refundable(books: Books) -> None:
    payment = started(books, pending_order())
    add(payment, Kind.CAPTURE, "19.90", "cap")
    add(payment, Kind.REFUND, "19.90", "ref")
    add(payment, Kind.CHARGEBACK, "19.90", "cb")
    balance = ledger.payment_balance(payment.pk)
    assert (balance.kept, balance.refundable) == (Decimal("-19.90"), Decimal(0))


def test_a_reference_of_another_movement_is_an_error(books: Books, caplog: pytest.LogCaptureFixture) -> None:
    order = pending_order()
    payment, other = started(books, order), started(books, order)
    assert add(payment, Kind.CAPTURE, "19.90", "cap")
    for kind, amount, of in (
        (Kind.CAPTURE, "9.90", payment),
        (Kind.REFUND, "19.90", payment),
        (Kind.CAPTURE, "19.90", other),
    ):
        caplog.clear()
        assert not add(of, kind, amount, "cap")
        assert "another movement" in caplog.text
    assert MoneyMovement.objects.count() == 1
