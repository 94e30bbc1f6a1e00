"""Settling: twice is once, in any order, and the sums of the ledger decide."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from orders import lifecycle
from orders.mails import PAID, REFUNDED
from orders.models import Order
from outbox.models import Mail
from payments.models import MoneyMovement, Payment, Refund, new_key
from payments.providers.base import RefundState, Snapshot, State
from payments.settling import settle
from productbackend.errors import DomainError
from tests import factories
from tests.examples import examples
from tests.payments.books import Books
from tests.payments.paying import TOTAL, paid_order, pending_order, settle_by, started
from tests.stock import quantity

pytestmark = pytest.mark.django_db

Status = Order.Status


def status(order: Order) -> str:
    return Order.objects.values_list("status", flat=True).get(pk=order.pk)


def movements() -> list[tuple[str, Decimal]]:
    return list(MoneyMovement.objects.values_list("kind", "amount"))


def test_money_pays_the_order_once(books: Books) -> None:
    order = pending_order()
    payment = started(books, order)
    books.pay(payment.reference or "")
    for _ in range(3):
        assert settle_by(books, payment).status == "succeeded"
    stored = Order.objects.get(pk=order.pk)
    assert (stored.status, stored.expires_at, stored.paid_at is None) == (Status.PAID, None, False)
    assert movements() == [("capture", TOTAL)]
    assert Mail.objects.filter(kind=PAID).count() == 1
    payment.refresh_from_db()
    assert (payment.open_key, payment.client_secret, payment.due_at) == (None, "", None)


def test_a_state_without_money_pays_nothing(books: Books) -> None:
    order = pending_order()
    payment = started(books, order)
    claimed = replace(books.rows[payment.reference or ""], state=State.SUCCEEDED)
    settled = settle(payment_id=payment.pk, snapshot=claimed)
    assert (settled.status, status(order)) == ("succeeded", Status.PENDING)
    assert settled.due_at is not None  # it is asked about again


@pytest.mark.parametrize("happens", [Books.fail, Books.cancel, Books.pay])
def test_an_older_snapshot_moves_no_status_back(books: Books, happens: Callable[[Books, str], object]) -> None:
    payment = started(books, pending_order())
    older = books.rows[payment.reference or ""]
    happens(books, payment.reference or "")
    reached = settle_by(books, payment).status
    assert reached != "pending"
    assert settle(payment_id=payment.pk, snapshot=older).status == reached


@pytest.mark.parametrize("change", [{"key": "another"}, {"currency": "JPY"}, {"reference": "another"}])
def test_a_snapshot_of_another_payment_changes_nothing(books: Books, change: Any, caplog: Any) -> None:
    order = pending_order()
    payment = started(books, order)
    paid = books.pay(payment.reference or "")
    settle(payment_id=payment.pk, snapshot=replace(paid, **change))
    assert (status(order), movements()) == (Status.PENDING, [])
    assert next(iter(change)) in caplog.text


def test_a_partial_capture_pays_nothing_until_the_rest_comes(books: Books) -> None:
    order = pending_order()
    payment = started(books, order)
    books.pay(payment.reference or "", Decimal("9.90"))
    settle_by(books, payment)
    assert status(order) == Status.PENDING
    books.pay(payment.reference or "", Decimal("10.00"))
    settle_by(books, payment)
    assert status(order) == Status.PAID
    assert not Refund.objects.exists()


def test_a_partial_capture_of_an_order_that_expires_goes_back(books: Books) -> None:
    order = pending_order()
    payment = started(books, order)
    books.pay(payment.reference or "", Decimal("9.90"))
    settle_by(books, payment)
    with transaction.atomic():
        lifecycle.expire(lifecycle.locked_order(order.pk))
    for _ in range(2):
        settle_by(books, payment)
    refund = Refund.objects.get()
    assert (refund.amount, refund.cause) == (Decimal("9.90"), f"late:{payment.pk}")
    assert status(order) == Status.EXPIRED


def expired(order: Order) -> None:
    with transaction.atomic():
        lifecycle.expire(lifecycle.locked_order(order.pk))


def test_late_money_takes_the_stock_again(books: Books) -> None:
    product = factories.product(quantity=1)
    order = pending_order(product)
    payment = started(books, order)
    expired(order)
    assert quantity(product) == 1
    books.cancel(payment.reference or "")
    books.pay(payment.reference or "")
    settle_by(books, payment)
    assert (status(order), quantity(product)) == (Status.PAID, 0)
    assert not Refund.objects.exists()


def test_late_money_for_goods_that_are_gone_goes_back_once(books: Books) -> None:
    product = factories.product(quantity=1)
    order = pending_order(product)
    payment = started(books, order)
    expired(order)
    other = pending_order(product)
    books.pay(payment.reference or "")
    for _ in range(3):
        settle_by(books, payment)
    assert (status(order), status(other), quantity(product)) == (Status.EXPIRED, Status.PENDING, 0)
    refund = Refund.objects.get()
    assert (refund.amount, refund.cause, refund.status) == (TOTAL, f"late:{payment.pk}", "pending")
    # The goods are back, and the money is on its way: the order stays expired.
    lifecycle.cancel(order_id=other.pk, user=None)
    settle_by(books, payment)
    assert status(order) == Status.EXPIRED


def test_more_money_after_an_automatic_refund_goes_back_too(books: Books) -> None:
    order = pending_order()
    payment = started(books, order)
    expired(order)
    books.pay(payment.reference or "", Decimal("5.00"))
    settle_by(books, payment)
    books.pay(payment.reference or "", Decimal("14.90"))
    settle_by(books, payment)
    settle_by(books, payment)
    assert sorted(Refund.objects.values_list("amount", flat=True)) == [Decimal("5.00"), Decimal("14.90")]
    assert status(order) == Status.EXPIRED


def test_money_for_a_cancelled_order_goes_back_once(books: Books) -> None:
    product = factories.product(quantity=1)
    order = pending_order(product)
    payment = started(books, order)
    lifecycle.cancel(order_id=order.pk, user=None)
    books.pay(payment.reference or "")
    for _ in range(2):
        settle_by(books, payment)
    assert [(row.amount, row.cause) for row in Refund.objects.all()] == [(TOTAL, f"cancelled:{payment.pk}")]
    assert (status(order), quantity(product)) == (Status.CANCELLED, 1)


def test_a_failed_automatic_refund_is_not_made_again_by_itself(books: Books) -> None:
    order = pending_order()
    payment = started(books, order)
    lifecycle.cancel(order_id=order.pk, user=None)
    books.pay(payment.reference or "")
    settle_by(books, payment)
    refund = Refund.objects.get()
    books.refund_outside(payment.reference or "", TOTAL, key=refund.key, state=RefundState.PENDING)
    settle_by(books, payment)
    books.finish_refunds(payment.reference or "", RefundState.FAILED, "The account is closed.")
    for _ in range(2):
        settle_by(books, payment)
    refund.refresh_from_db()
    assert (refund.status, refund.error, refund.due_at) == ("failed", "The account is closed.", None)
    assert Refund.objects.count() == 1
    assert not MoneyMovement.objects.filter(kind="refund").exists()


@pytest.mark.parametrize("fulfilled", [False, True])
def test_a_second_payment_goes_back_in_full_once(books: Books, fulfilled: bool) -> None:
    order, first = paid_order(books)
    if fulfilled:
        lifecycle.fulfil(order_id=order.pk, user=factories.user("stella"))
    second = started(books, order)
    books.pay(second.reference or "")
    for payment in (second, first, second):
        settle_by(books, payment)
    assert [(row.payment, row.amount, row.cause) for row in Refund.objects.all()] == [
        (second, TOTAL, f"second:{second.pk}")
    ]


def test_what_one_payment_captured_too_much_goes_back(books: Books) -> None:
    _, payment = paid_order(books)
    for captured in range(2):
        books.pay(payment.reference or "")
        settle_by(books, payment)
        settle_by(books, payment)
        assert [row.amount for row in Refund.objects.all()] == [TOTAL] * (captured + 1)


def test_other_attempts_are_cancelled_once_the_order_is_paid(books: Books) -> None:
    order = pending_order()
    first, second = started(books, order), started(books, order)
    books.pay(first.reference or "")
    settle_by(books, first)
    second.refresh_from_db()
    assert second.status == "pending"
    assert second.cancel_requested_at is not None
    assert second.due_at is not None
    assert second.due_at <= timezone.now()


def test_a_chargeback_refunds_nothing(books: Books) -> None:
    order, payment = paid_order(books)
    books.charge_back(payment.reference or "")
    settle_by(books, payment)
    lifecycle.cancel(order_id=order.pk, user=None)
    settle_by(books, payment)
    assert not Refund.objects.exists()
    books.reverse_chargeback(payment.reference or "")
    settle_by(books, payment)
    assert Refund.objects.get().amount == TOTAL  # kept again, for a cancelled order


def test_a_refund_at_the_providers_site_becomes_a_row(books: Books) -> None:
    order, payment = paid_order(books)
    books.refund_outside(payment.reference or "", Decimal("5.00"))
    for _ in range(2):
        settle_by(books, payment)
    refund = Refund.objects.get()
    assert (refund.status, refund.amount, refund.due_at) == ("done", Decimal("5.00"), None)
    assert Order.objects.get(pk=order.pk).refunded == Decimal("5.00")
    assert Mail.objects.filter(kind=REFUNDED).count() == 1


def test_our_refund_is_found_by_its_key(books: Books) -> None:
    order, payment = paid_order(books)
    refund = Refund.objects.create(payment=payment, order=order, amount=TOTAL, due_at=timezone.now())
    books.refund(payment.reference or "", amount=TOTAL, key=refund.key)
    for _ in range(2):
        settle_by(books, payment)
    refund.refresh_from_db()
    assert (Refund.objects.count(), refund.status, refund.due_at) == (1, "done", None)
    assert refund.movements.get().amount == TOTAL
    assert Mail.objects.filter(kind=REFUNDED).count() == 1


def test_a_key_of_another_payments_refund_is_not_ours(books: Books) -> None:
    order, payment = paid_order(books)
    other = started(books, order)
    refund = Refund.objects.create(payment=other, order=order, amount=TOTAL)
    books.refund_outside(payment.reference or "", TOTAL, key=refund.key)
    settle_by(books, payment)
    refund.refresh_from_db()
    assert refund.status == "pending"
    assert payment.refunds.get().status == "done"


def test_cancelled_is_asked_about_for_a_day(books: Books, time_machine: Any) -> None:
    time_machine.move_to(timezone.now())
    payment = started(books, pending_order())
    books.cancel(payment.reference or "")
    assert settle_by(books, payment).due_at is not None
    time_machine.shift(23 * 3600)
    assert settle_by(books, payment).due_at is not None
    time_machine.shift(2 * 3600)
    assert settle_by(books, payment).due_at is None


def history(books: Books, product: Any) -> tuple[Order, Payment, list[Snapshot]]:
    """An order and its payment, with all snapshots from its beginning to a reversed chargeback."""
    order = pending_order(product)
    payment = started(books, order)
    reference = payment.reference or ""
    snapshots = [books.rows[reference], books.cancel(reference), books.pay(reference, Decimal("4.90"))]
    snapshots.append(books.pay(reference, Decimal("15.00")))
    books.refund_outside(reference, Decimal("2.00"), state=RefundState.PENDING)
    snapshots += [books.rows[reference], books.finish_refunds(reference)]
    snapshots += [books.charge_back(reference, Decimal("3.00")), books.reverse_chargeback(reference)]
    return order, payment, snapshots


def result(order: Order, payment: Payment) -> Any:
    order.refresh_from_db()
    payment.refresh_from_db()
    rows = MoneyMovement.objects.filter(order=order).values_list("kind", "amount", "reference")
    refunds = Refund.objects.filter(order=order).values_list("amount", "status", "cause", "reference")
    mails = Mail.objects.filter(reference=order.number).exclude(kind="order-confirmation").values_list("kind")
    books_say = (order.status, order.refunded, payment.status, payment.open_key, payment.due_at)
    return books_say, sorted(rows), sorted(refunds), sorted(mails)


@pytest.mark.thorough  # random courses
@given(data=st.data())
@hypothesis_settings(
    max_examples=examples(25),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_order_of_snapshots_gives_the_same(books: Books, data: st.DataObject) -> None:
    """The last snapshot comes at some time; those before it come late, twice or never."""
    with transaction.atomic():
        product = factories.product(f"Shoe {new_key()}", quantity=5)
        order, payment, snapshots = history(books, product)
        several = data.draw(st.lists(st.sampled_from(snapshots), max_size=10))
        for snapshot in data.draw(st.permutations([*several, snapshots[-1]])):
            settle(payment_id=payment.pk, snapshot=snapshot)
        shuffled = result(order, payment)
        for snapshot in snapshots:
            settle(payment_id=payment.pk, snapshot=snapshot)
        assert result(order, payment) == shuffled
        assert shuffled[0] == (Status.PAID, Decimal("2.00"), "succeeded", None, None)
        assert [kind for kind, _, _ in shuffled[1]].count("capture") == 2
        assert [row[1] for row in shuffled[2]] == ["done"]
        assert shuffled[3] == [("order-paid",), ("order-refunded",)]
        assert quantity(product) == 4
        transaction.set_rollback(True)


def test_an_unknown_payment_is_not_found(books: Books) -> None:
    snapshot = Snapshot("pay_0", "key", State.OPEN, TOTAL, "EUR")
    with pytest.raises(DomainError) as refused:
        settle(payment_id=0, snapshot=snapshot)
    assert refused.value.code == "not-found"
