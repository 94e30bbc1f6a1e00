"""A deadlock at any statement that writes loses nothing, and is no error to a customer, a provider or a worker."""

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from accounts.models import User
from orders import lifecycle
from orders.customers import Customer
from orders.models import Order
from payments import asking, events, expiry, refunds, schedule, sending
from payments.models import MoneyMovement, Payment, ProviderEvent, Refund
from payments.refunds import RefundRequest
from payments.starting import Start, start
from productbackend.errors import DomainError
from tests import factories
from tests.payments.books import Books
from tests.payments.conftest import books as books
from tests.payments.paying import TOTAL, paid_order, pending_order, started
from tests.stock import quantity

WRITES = ("INSERT", "UPDATE", "DELETE")
Run = Callable[[], None]


class Deadlock:
    """Lets the statement with this number, of those that write, end in a deadlock."""

    def __init__(self, number: int) -> None:
        self.left = number

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith(WRITES):
            self.left -= 1
            if self.left == 0:
                raise OperationalError(1213, "Deadlock found when trying to get lock")
        return execute(sql, params, many, context)


def wish(order: Order) -> Start:
    assert order.user is not None
    return Start(order_id=order.pk, method="books", customer=Customer(user=order.user))


def waiting(books: Books) -> tuple[Order, Payment]:
    """An order with a payment that the customer has paid, and the shop does not know of."""
    order = pending_order()
    payment = started(books, order)
    books.pay(payment.reference or "")
    return order, payment


def require_paid(order: Order) -> None:
    payment = order.payments.get()
    assert (payment.status, payment.claimed_at, payment.due_at) == ("succeeded", None, None)
    assert Order.objects.get(pk=order.pk).status == "paid"
    assert MoneyMovement.objects.filter(order=order).count() == 1


def a_start(books: Books) -> Run:
    order = pending_order()

    def run() -> None:
        payment = start(wish(order)).payment
        assert (payment.status, payment.claimed_at, books.calls) == ("pending", None, ["start"])

    return run


def a_refused_start(books: Books) -> Run:
    order = pending_order()
    books.faults["start"] = ["refused"]

    def run() -> None:
        with pytest.raises(DomainError, match="refused"):
            start(wish(order))
        assert order.payments.get().status == "failed"

    return run


def a_question(books: Books) -> Run:
    order, payment = waiting(books)

    def run() -> None:
        assert asking.ask_now(payment.pk) == "answered"
        require_paid(order)

    return run


def a_question_without_an_answer(books: Books) -> Run:
    _, payment = waiting(books)
    books.faults["fetch"] = ["before"]

    def run() -> None:
        assert asking.ask_now(payment.pk) == "silent"
        payment.refresh_from_db()
        assert (payment.claimed_at, payment.due_at is None) == (None, False)

    return run


def an_attempt_that_is_dropped(books: Books) -> Run:
    order = pending_order()
    payment = Payment.objects.create(
        order=order, method="books", amount=TOTAL, currency="EUR", cancel_requested_at=timezone.now()
    )

    def run() -> None:
        assert asking.ask_now(payment.pk) == "answered"
        payment.refresh_from_db()
        assert (payment.status, payment.claimed_at) == ("cancelled", None)

    return run


def an_event(books: Books) -> Run:
    order, payment = waiting(books)
    body, headers = books.event(payment.reference or "")

    def run() -> None:
        events.receive(code="books", body=body, headers=headers)
        assert events.process(ProviderEvent.objects.latest("pk").pk) is None
        assert ProviderEvent.objects.latest("pk").processed_at is not None
        require_paid(order)

    return run


def an_early_event(books: Books) -> Run:
    started(books, pending_order())  # without any payment, the shop knows no such provider
    body, headers = books.event("pay_of_tomorrow")

    def run() -> None:
        events.receive(code="books", body=body, headers=headers)
        assert events.process(ProviderEvent.objects.latest("pk").pk) == events.DELAYS[0]

    return run


def an_expiry(books: Books) -> Run:
    product = factories.product(quantity=1)
    order = pending_order(product)
    started(books, order)
    Order.objects.filter(pk=order.pk).update(expires_at=timezone.now())

    def run() -> None:
        assert expiry.sweep() == 1
        assert (Order.objects.get(pk=order.pk).status, quantity(product)) == ("expired", 1)

    return run


def a_postponed_question(books: Books) -> Run:
    payment = started(books, pending_order())

    def run() -> None:
        schedule.postpone(payment.pk)
        payment.refresh_from_db()
        assert payment.due_at is not None

    return run


def a_cancellation(books: Books) -> Run:
    order, payment = waiting(books)

    def run() -> None:
        lifecycle.cancel(order_id=order.pk, user=None)
        assert asking.ask_now(payment.pk) == "answered"
        assert [refund.amount for refund in order.refunds.all()] == [TOTAL]

    return run


def asked_refund(books: Books) -> Refund:
    order, _ = paid_order(books)
    staff = User.objects.filter(username="stella").first() or factories.user("stella", is_staff=True)
    return refunds.create(RefundRequest(order.pk, staff, amount=TOTAL))[0]


def a_refund(books: Books) -> Run:
    refund = asked_refund(books)

    def run() -> None:
        sending.send(refund.pk)
        refund.refresh_from_db()
        assert (refund.status, refund.claimed_at, books.calls.count("refund")) == ("done", None, 1)

    return run


def a_refused_refund(books: Books) -> Run:
    refund = asked_refund(books)
    books.faults["refund"] = ["refused"]

    def run() -> None:
        sending.send(refund.pk)
        refund.refresh_from_db()
        assert (refund.status, refund.claimed_at) == ("failed", None)

    return run


def a_refund_without_an_answer(books: Books) -> Run:
    refund = asked_refund(books)
    books.faults["refund"] = ["before"]

    def run() -> None:
        sending.send(refund.pk)
        refund.refresh_from_db()
        assert (refund.status, refund.claimed_at, refund.error) == ("pending", None, "The provider did not answer.")

    return run


CASES: list[Callable[[Books], Run]] = [
    a_start, a_refused_start, a_question, a_question_without_an_answer, an_attempt_that_is_dropped, an_event,
    an_early_event, an_expiry, a_postponed_question, a_cancellation, a_refund, a_refused_refund,
    a_refund_without_an_answer,
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_a_deadlock_at_any_statement(books: Books, case: Callable[[Books], Run]) -> None:
    for number in count(1):
        run = case(books)
        books.calls.clear()
        deadlock = Deadlock(number)
        with connection.execute_wrapper(deadlock):
            run()
        if deadlock.left > 0:  # the call has no more statements
            break
    assert number > 1
