"""Refunds at once: never more than what was paid, and each of them once."""

from collections import Counter
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from orders import lifecycle
from orders.models import Order
from payments import ledger, refunds, sending
from payments.marking import mark_paid
from payments.models import MoneyMovement, Payment, Refund
from payments.refunds import RefundItem, RefundRequest
from productbackend.database.idempotency import IdempotencyKey
from productbackend.errors import DomainError
from products.inventory import ledger as stock_ledger
from tests import factories
from tests.concurrency.racing import paused
from tests.concurrently import run_concurrently
from tests.payments.books import Books
from tests.payments.conftest import books as books
from tests.payments.paying import TOTAL, paid_order, pending_order, started


def unlocked_order(order_id: int) -> Order:
    """`lifecycle.locked_order` without the lock."""
    return Order.objects.get(pk=order_id)


def staff() -> Any:
    return factories.user("stella", is_staff=True, is_superuser=True)


def codes(outcomes: list[Any]) -> Counter[str]:
    return Counter(getattr(outcome, "code", type(outcome).__name__) for outcome in outcomes)


def ten_at_once(books: Books) -> list[Any]:
    """The outcomes of ten refunds of 5.00, of an order of 19.90."""
    order, _ = paid_order(books)
    wanted = RefundRequest(order.pk, staff(), amount=Decimal("5.00"))
    return run_concurrently([partial(refunds.create, wanted)] * 10)


def test_ten_refunds_at_once_are_never_more_than_what_was_paid(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "locked_order", paused(lifecycle.locked_order))
    outcomes = ten_at_once(books)
    assert codes(outcomes) == {"tuple": 3, "refund-too-large": 7}
    assert {each.extra["refundable"] for each in outcomes if isinstance(each, DomainError)} == {"4.90"}
    run_concurrently([partial(sending.send, refund_id) for refund_id in sending.due()] * 3)
    assert books.balance() == ledger.order_balance(Order.objects.get().pk).kept == TOTAL - 15
    assert books.calls.count("refund") == 3


def test_control_without_the_lock_of_the_order_too_much_is_refunded(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifecycle, "locked_order", paused(unlocked_order))
    assert codes(ten_at_once(books))["tuple"] > 3


def pieces_at_once(books: Books) -> Order:
    order, _ = paid_order(books)
    wanted = RefundRequest(order.pk, staff(), items=[RefundItem(order.items[0].sku, 1, restock=True)])
    run_concurrently([partial(refunds.create, wanted)] * 10)
    return order


def test_a_piece_is_refunded_and_restocked_once(books: Books) -> None:
    order = pieces_at_once(books)
    assert [refund.amount for refund in Refund.objects.all()] == [TOTAL]
    assert refunds.pieces_left(order) == {order.items[0].pk: 0}
    assert [(row.quantity, row.is_correct) for row in stock_ledger.balances()] == [(10, True)]


def test_one_key_and_ten_requests(books: Books) -> None:
    order, _ = paid_order(books)
    wanted = RefundRequest(order.pk, staff(), amount=Decimal("1.00"), key=IdempotencyKey("key", "the request"))
    outcomes = run_concurrently([partial(refunds.create, wanted)] * 10)
    assert Counter(replayed for _, replayed in outcomes) == {False: 1, True: 9}
    assert {refund.pk for refund, _ in outcomes} == {Refund.objects.get().pk}


def test_one_key_for_ten_orders(books: Books) -> None:
    """They share no lock: the unique key alone makes one refund of them."""
    user = staff()
    made = []
    for number in range(10):
        order = pending_order(factories.product(f"Shoe {number}"), f"buyer{number}")
        payment = started(books, order)
        books.pay(payment.reference or "")
        sending.settle(payment_id=payment.pk, snapshot=books.rows[payment.reference or ""])
        made.append(order)
    calls = [
        partial(
            refunds.create,
            RefundRequest(order.pk, user, amount=Decimal(1), key=IdempotencyKey("key", f"of {order.pk}")),
        )
        for order in made
    ]
    assert codes(run_concurrently(calls)) == {"tuple": 1, "idempotency-key-reused": 9}
    assert Refund.objects.count() == 1


def sent_by_twenty(books: Books) -> int:
    """How often the provider is asked for one refund by 20 workers at once."""
    order, _ = paid_order(books)
    refund, _ = refunds.create(RefundRequest(order.pk, staff(), amount=Decimal("5.00")))
    run_concurrently([partial(sending.send, refund.pk)] * 20)
    assert (books.balance(), Refund.objects.get().status) == (TOTAL - 5, "done")
    assert MoneyMovement.objects.filter(kind="refund").count() == 1
    return books.calls.count("refund")


def test_twenty_workers_send_one_refund_once(books: Books) -> None:
    assert sent_by_twenty(books) == 1


def test_control_without_the_claim_many_workers_ask_the_provider(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    """The provider's idempotency key, and the unique reference in the ledger, prevent the second refund even then."""

    def unclaimed(refund_id: int) -> Refund:
        return Refund.objects.select_related("payment").get(pk=refund_id)

    monkeypatch.setattr(sending, "claim", unclaimed)
    monkeypatch.setattr(Books, "fetch", paused(Books.fetch, 0.05))
    assert sent_by_twenty(books) > 1


def test_ten_cancellations_and_refunds_at_once(books: Books) -> None:
    order, payment = paid_order(books)
    user = staff()
    calls: list[Any] = [partial(lifecycle.cancel, order_id=order.pk, user=None)] * 5
    calls += [partial(refunds.create, RefundRequest(order.pk, user, amount=Decimal("5.00")))] * 5
    run_concurrently(calls)
    for refund_id in sending.due():
        sending.send(refund_id)
    assert books.balance() == ledger.payment_balance(payment.pk).kept == 0
    assert Order.objects.get().refunded == TOTAL
    assert all(row.is_correct for row in stock_ledger.balances())


def test_ten_marks_at_once_are_one_payment(books: Books) -> None:
    order, user = pending_order(), staff()
    mark = partial(mark_paid, order_id=order.pk, amount=TOTAL, reference="", user=user)
    assert codes(run_concurrently([mark] * 10)) == {"Order": 1, "order-state": 9}
    assert (Payment.objects.count(), MoneyMovement.objects.count()) == (1, 1)


def test_a_transfer_is_marked_as_sent_once(books: Books) -> None:
    order, user = pending_order(), staff()
    mark_paid(order_id=order.pk, amount=TOTAL, reference="", user=user)
    refund = refunds.create_automatic(payment=Payment.objects.get(), amount=Decimal(5), cause="late:1")
    assert refund is not None
    outcomes = run_concurrently([partial(sending.mark_sent, refund_id=refund.pk, user=user)] * 10)
    assert codes(outcomes) == {"Refund": 1, "order-state": 9}
    assert MoneyMovement.objects.filter(kind="refund").count() == 1
