"""Orders that are not paid in time: the table of cases of docs/adr/0015-payments.md."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from orders import lifecycle
from orders.mails import EXPIRED, PAID
from orders.models import Order
from outbox.models import Mail
from payments import asking, expiry, schedule, settling
from payments.models import Payment, Refund
from payments.settling import settle
from products.models import Product, StockMovement
from tests import factories
from tests.payments.books import Books
from tests.payments.killing import kill, kill_after, require_killed
from tests.payments.paying import pending_order, settle_by, started
from tests.stock import quantity

pytestmark = pytest.mark.django_db


def overdue(product: Product | None = None, username: str = "carla", by: timedelta = timedelta(seconds=1)) -> Order:
    order = pending_order(product, username)
    Order.objects.filter(pk=order.pk).update(expires_at=timezone.now() - by)
    return order


def status(order: Order) -> str:
    return Order.objects.values_list("status", flat=True).get(pk=order.pk)


def test_an_order_without_a_payment_expires_once(books: Books) -> None:
    product = factories.product(quantity=1)
    order = overdue(product)
    assert [expiry.sweep(), expiry.sweep()] == [1, 0]
    assert not expiry.expire(order.pk)
    stored = Order.objects.get(pk=order.pk)
    assert (stored.status, stored.expires_at, quantity(product)) == ("expired", None, 1)
    assert StockMovement.objects.filter(reason="restock").count() == 1
    assert Mail.objects.filter(kind=EXPIRED).count() == 1


def test_an_order_in_time_does_not_expire(books: Books) -> None:
    order = pending_order()
    assert expiry.sweep() == 0
    assert not expiry.expire(order.pk)
    assert status(order) == "pending"


def test_open_attempts_are_cancelled_at_the_provider_first(books: Books) -> None:
    order = overdue()
    payment = started(books, order)
    assert expiry.sweep() == 1
    payment.refresh_from_db()
    assert (payment.status, books.calls[-1], status(order)) == ("cancelled", "cancel", "expired")


def test_money_that_came_before_the_cancellation_pays(books: Books) -> None:
    product = factories.product(quantity=1)
    order = overdue(product)
    books.pay(started(books, order).reference or "")
    assert expiry.sweep() == 0
    assert (status(order), quantity(product)) == ("paid", 0)
    assert not Mail.objects.filter(kind=EXPIRED).exists()


def test_money_during_the_cancellation_pays(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    """The provider says that it is cancelled, an event says that it is paid, and the event's worker is first."""
    order = overdue()
    payment = started(books, order)
    cancel = books.cancel

    def cancel_late(reference: str) -> Any:
        answer = cancel(reference)
        settle(payment_id=payment.pk, snapshot=books.pay(reference))
        return answer

    monkeypatch.setattr(books, "cancel", cancel_late)
    expiry.sweep()
    assert status(order) == "paid"


def test_money_after_expiry_is_late_money(books: Books) -> None:
    product = factories.product(quantity=1)
    order = overdue(product)
    payment = started(books, order)
    expiry.sweep()
    books.pay(payment.reference or "")
    asking.ask_now(payment.pk)
    assert (status(order), quantity(product)) == ("paid", 0)
    assert Mail.objects.filter(kind=PAID).count() == 1


def test_a_part_of_the_money_goes_back_as_the_order_expires(books: Books) -> None:
    order = overdue()
    payment = started(books, order)
    books.pay(payment.reference or "", Decimal("5.00"))
    settle_by(books, payment)
    assert expiry.sweep() == 1
    assert Refund.objects.get().amount == Decimal("5.00")


def test_an_order_waits_for_a_provider_that_is_unreachable(books: Books) -> None:
    product = factories.product(quantity=1)
    order = overdue(product)
    payment = started(books, order)
    books.faults["cancel"] = ["before", "after"]
    for expected in (0, 0, 1):
        assert expiry.sweep() == expected
        Payment.objects.update(due_at=timezone.now())
    assert status(order) == "expired"
    assert Payment.objects.get(pk=payment.pk).status == "cancelled"


def test_after_a_day_an_order_expires_without_an_answer(books: Books) -> None:
    product = factories.product(quantity=1)
    order = overdue(product, by=timedelta(days=1, seconds=1))
    payment = started(books, order)
    books.faults["cancel"] = ["before"]
    assert expiry.sweep() == 1
    assert (status(order), quantity(product)) == ("expired", 1)
    books.pay(payment.reference or "")  # it never was cancelled
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        assert asking.due() == [payment.pk]
        asking.ask_now(payment.pk)
    assert (status(order), quantity(product)) == ("paid", 0)


def test_a_silent_provider_is_asked_once_a_sweep_and_holds_nobody_else_up(books: Books, monkeypatch: Any) -> None:
    monkeypatch.setattr(expiry, "BATCH", 2)
    held = [overdue(username=f"buyer{number}", by=timedelta(minutes=9)) for number in range(5)]
    for order in held:
        started(books, order)
    free = [overdue(username=f"guest{number}") for number in range(3)]
    books.faults["cancel"] = ["before"] * 9
    assert expiry.sweep() == 3
    assert [status(order) for order in free] == ["expired"] * 3
    assert [status(order) for order in held] == ["pending"] * 5
    assert books.calls.count("cancel") == 1
    assert expiry.sweep() == 0
    assert books.calls.count("cancel") == 1  # they wait for a minute


def test_a_sweep_ends_in_time_and_takes_the_oldest_first(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    young = overdue(by=timedelta(minutes=1))
    old = overdue(by=timedelta(minutes=9))
    monkeypatch.setattr(expiry, "TIME_LIMIT", -1.0)
    assert expiry.sweep() == 0
    monkeypatch.setattr(expiry, "TIME_LIMIT", 40.0)
    expired: list[int] = []
    expire = lifecycle.expire

    def remember(order: Order) -> None:
        expired.append(order.pk)
        expire(order)

    monkeypatch.setattr(lifecycle, "expire", remember)
    expiry.sweep()
    assert expired == [old.pk, young.pk]


def test_an_attempt_that_is_just_being_started_is_waited_for(books: Books) -> None:
    order = overdue()
    payment = Payment.objects.create(order=order, method="books", open_key="x", amount=order.total, currency="EUR")
    Payment.objects.update(claimed_at=timezone.now())
    assert expiry.sweep() == 0
    assert status(order) == "pending"
    Payment.objects.update(claimed_at=None)
    assert expiry.sweep() == 1
    payment.refresh_from_db()
    assert (payment.status, books.calls) == ("cancelled", [])


def test_an_order_whose_time_was_prolonged_meanwhile_stays(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    order = overdue()
    started(books, order)
    cancel = books.cancel

    def prolong(reference: str) -> Any:
        Order.objects.filter(pk=order.pk).update(expires_at=timezone.now() + timedelta(days=7))
        return cancel(reference)

    monkeypatch.setattr(books, "cancel", prolong)
    assert expiry.sweep() == 0
    assert status(order) == "pending"


@pytest.mark.parametrize("fault", ["provider", "order"])
def test_a_fault_of_one_order_holds_nobody_elses_stock(books: Books, monkeypatch: Any, fault: str) -> None:
    """That of its provider's code, or of its own rows: the next orders expire, and the task fails for the latter."""
    broken, good = overdue(username="bert", by=timedelta(minutes=9)), overdue(factories.product("Boot", quantity=1))
    started(books, broken)
    real = lifecycle.expire

    def expire(order: Order) -> None:
        if order.pk == broken.pk:
            raise ZeroDivisionError
        real(order)

    if fault == "provider":
        books.faults["cancel"] = ["broken"]
        assert expiry.sweep() == 1
    else:
        monkeypatch.setattr(lifecycle, "expire", expire)
        with pytest.raises(ZeroDivisionError):
            expiry.sweep()
    assert (status(broken), status(good)) == ("pending", "expired")
    monkeypatch.undo()
    Payment.objects.update(due_at=timezone.now())
    expiry.sweep()
    assert status(broken) == "expired"


# --- Killed here: what is seen. The table of docs/adr/0015-payments.md ---


KILLED = {  # step: what dies, how, and how the attempt stands in the provider's books then
    "before the request is committed": (schedule, "request_cancel", True, "open"),
    "after the request, before the claim": (asking, "ask_now", False, "open"),
    "after the claim, before the call": (Books, "cancel", False, "open"),
    "after the call, before settling": (Books, "cancel", True, "cancelled"),
    "while settling": (settling, "decide", False, "cancelled"),
    "after settling, before the order expires": (asking, "settle", True, "cancelled"),
    "while the order expires": (lifecycle, "expire", True, "cancelled"),
}


@pytest.mark.thorough
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("step", KILLED)
@pytest.mark.parametrize("pays", [False, True])
def test_killed_while_cancelling(books: Books, monkeypatch: pytest.MonkeyPatch, step: str, pays: bool) -> None:
    product = factories.product(quantity=1)
    order = overdue(product)
    payment = started(books, order)
    target, name, after, state = KILLED[step]
    with monkeypatch.context() as patch:
        patch.setattr(target, name, kill_after(getattr(target, name)) if after else kill)
        require_killed(expiry.sweep, books)
    assert books.rows[payment.reference or ""].state == state
    assert (status(order), quantity(product)) == ("pending", 0)
    if pays:
        books.pay(payment.reference or "")
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        for payment_id in asking.due():
            asking.ask_now(payment_id)
        expiry.sweep()
        asking.ask_now(payment.pk)
    assert (status(order), quantity(product)) == (("paid", 0) if pays else ("expired", 1))
    assert not Refund.objects.exists()
