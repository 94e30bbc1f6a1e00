"""Starting payments: one open attempt, whatever fails or is killed in between."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from orders import lifecycle
from orders.customers import Customer
from orders.models import Order
from payments import asking, providers, schedule, starting
from payments.models import Payment
from payments.providers.base import Attempt, ProviderRefused, Started
from payments.settling import settle
from payments.starting import Attempted, Start, start
from productbackend.database.idempotency import IdempotencyKey
from productbackend.errors import DomainError
from tests.payments.books import Books
from tests.payments.killing import kill, kill_after, require_killed
from tests.payments.paying import pending_order

pytestmark = pytest.mark.django_db

KEY = IdempotencyKey("a-key", "the request")


def wanted(order: Order, key: IdempotencyKey | None = None, method: str = "books") -> Start:
    assert order.user is not None
    return Start(order_id=order.pk, method=method, customer=Customer(user=order.user), key=key)


def begin(order: Order, key: IdempotencyKey | None = None) -> Attempted:
    return start(wanted(order, key))


def code_of(order: Order, key: IdempotencyKey | None = None) -> str:
    with pytest.raises(DomainError) as refused:
        begin(order, key)
    return refused.value.code


def test_an_attempt_has_what_the_customer_needs(books: Books) -> None:
    order = pending_order()
    begun = begin(order, KEY)
    payment = begun.payment
    assert (begun.created, begun.replayed) == (True, False)
    assert (payment.reference, payment.client_secret) == ("pay_1", "secret of pay_1")
    assert (payment.amount, payment.currency, payment.claimed_at) == (order.total, order.currency, None)
    assert payment.due_at is not None
    assert books.rows["pay_1"].key == payment.key


def test_the_open_attempt_comes_again(books: Books) -> None:
    order = pending_order()
    first, again = begin(order), begin(order, KEY)
    assert (again.payment, again.created, again.replayed) == (first.payment, False, False)
    assert books.calls == ["start"]


def test_after_a_cancelled_attempt_there_is_a_new_one(books: Books) -> None:
    order = pending_order()
    first = begin(order).payment
    books.cancel("pay_1")
    asking.ask_now(first.pk)
    second = begin(order).payment
    assert (second.pk != first.pk, second.reference) == (True, "pay_2")


@pytest.mark.parametrize("fault", ["before", "after"])
def test_an_unavailable_provider_uses_no_key_up(books: Books, fault: str) -> None:
    order = pending_order()
    books.faults["start"] = [fault, fault]
    assert (code_of(order, KEY), code_of(order, KEY)) == ("unavailable", "unavailable")
    begun = begin(order, IdempotencyKey(KEY.value, "another request"))
    assert begun.created
    assert (len(books.rows), Payment.objects.count()) == (1, 1)
    assert begin(order, IdempotencyKey(KEY.value, "another request")).replayed
    assert code_of(order, KEY) == "idempotency-key-reused"


def test_a_refused_attempt_has_failed(books: Books) -> None:
    order = pending_order()
    books.faults["start"] = ["refused"]
    assert (code_of(order, KEY), code_of(order, KEY)) == ("payment-refused", "payment-refused")
    payment = Payment.objects.get()
    assert (payment.status, payment.open_key, payment.error) == ("failed", None, "The books refuse that.")
    assert begin(order).created


def test_nothing_is_due_of_an_attempt_that_is_refused_while_its_order_is_cancelled(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = pending_order()

    def refuse(attempt: Attempt) -> Started:
        lifecycle.cancel(order_id=order.pk, user=order.user)
        raise ProviderRefused("The books refuse that.")

    monkeypatch.setattr(books, "start", refuse)
    assert code_of(order) == "payment-refused"
    payment = Payment.objects.get()
    assert (payment.status, payment.due_at) == ("failed", None)


def test_two_orders_cannot_share_a_key(books: Books) -> None:
    first, second = pending_order(), pending_order()
    begin(first, KEY)
    assert code_of(second, IdempotencyKey(KEY.value, "another request")) == "idempotency-key-reused"


def test_a_key_that_is_used_meanwhile_is_found(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    """The unique key alone finds a request that began before another one's commit."""
    order = pending_order()
    earlier = begin(order, KEY).payment
    real, looks = Start.payment_with_key, []

    def first_blind(request: Start) -> Payment | None:
        looks.append(request)
        return None if len(looks) == 1 else real(request)

    Payment.objects.filter(pk=earlier.pk).update(open_key=None)
    monkeypatch.setattr(Start, "payment_with_key", first_blind)
    begun = begin(order, KEY)
    assert (begun.payment, begun.replayed) == (earlier, True)


@pytest.mark.parametrize("method", ["cash", "stripe", ""])
def test_only_offered_methods(books: Books, method: str) -> None:
    with pytest.raises(DomainError) as refused:
        start(wanted(pending_order(), method=method))
    assert refused.value.extra["errors"][0]["field"] == "method"


def test_only_orders_that_wait(books: Books) -> None:
    cancelled, over = pending_order(), pending_order()
    lifecycle.cancel(order_id=cancelled.pk, user=None)
    Order.objects.filter(pk=over.pk).update(expires_at=timezone.now())
    assert (code_of(cancelled), code_of(over)) == ("order-state", "order-state")


def test_a_bank_transfer_holds_the_stock_longer_once(books: Books, settings: Any, monkeypatch: Any) -> None:
    monkeypatch.setitem(providers.MODULES, "transfer", "tests.payments.books")
    settings.PAYMENT_METHODS = ["transfer"]
    settings.TRANSFER_HOLD_DAYS = 7
    order = pending_order()
    start(wanted(order, method="transfer"))
    until = Order.objects.get(pk=order.pk).expires_at
    assert until is not None
    assert timedelta(days=6) < until - timezone.now() <= timedelta(days=7)
    with time_machine.travel(timezone.now() + timedelta(days=1)):
        start(wanted(order, method="transfer"))
    assert Order.objects.get(pk=order.pk).expires_at == until


def test_a_claim_of_another_worker_is_waited_for(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    order = pending_order()
    books.faults["start"] = ["before"]
    code_of(order)
    payment = Payment.objects.get()
    Payment.objects.update(claimed_at=timezone.now())
    monkeypatch.setattr(starting, "WAIT", 0.1)
    assert code_of(order) == "unavailable"

    def other_worker(seconds: float) -> None:
        Payment.objects.filter(pk=payment.pk).update(claimed_at=None, reference="pay_9")

    monkeypatch.setattr(starting.time, "sleep", other_worker)
    assert begin(order).payment.reference == "pay_9"


def test_an_attempt_that_is_dropped_meanwhile_is_an_order_state(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    order = pending_order()
    books.faults["start"] = ["before"]
    code_of(order)
    Payment.objects.update(claimed_at=timezone.now())

    def cancel(seconds: float) -> None:
        Payment.objects.update(claimed_at=None, status="cancelled", open_key=None)

    monkeypatch.setattr(starting.time, "sleep", cancel)
    assert code_of(order) == "order-state"


def test_an_order_that_is_cancelled_during_the_call_is_not_paid(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    order = pending_order()
    begun = books.start

    def cancel_meanwhile(attempt: Any) -> Any:
        schedule.request_cancel(order.pk)
        return begun(attempt)

    monkeypatch.setattr(books, "start", cancel_meanwhile)
    assert code_of(order) == "order-state"
    assert asking.ask(payment_id=Payment.objects.get().pk).status == "cancelled"


def test_an_attempt_that_is_to_be_cancelled_is_not_started(books: Books) -> None:
    order = pending_order()
    books.faults["start"] = ["before"]
    code_of(order)
    Payment.objects.update(cancel_requested_at=timezone.now())  # its order was cancelled between two requests
    assert code_of(order) == "order-state"
    assert books.calls == ["start"]


def test_an_attempt_that_is_closed_during_the_call_keeps_no_secret(books: Books, monkeypatch: Any) -> None:
    """The comparison of all books may find the attempt before its start has written its outcome."""
    order = pending_order()
    begun = books.start

    def closed_meanwhile(attempt: Any) -> Any:
        answer = begun(attempt)
        settle(payment_id=Payment.objects.get().pk, snapshot=books.cancel("pay_1"))
        return answer

    monkeypatch.setattr(books, "start", closed_meanwhile)
    payment = begin(order).payment
    assert payment.status == "cancelled"
    asking.ask_now(payment.pk)
    assert Payment.objects.get().client_secret == ""


# --- Killed here: what is seen. The table of docs/adr/0015-payments.md ---


KILLED = {  # step: what dies, how, and the rows that there are then: ours, and those in the provider's books
    "before the row is committed": (Payment.objects, "create", True, 0, 0),
    "after the row, before the claim": (schedule, "unclaimed", False, 1, 0),
    "after the claim, before the call": (Books, "start", False, 1, 0),
    "after the call, before the outcome": (Books, "start", True, 1, 1),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("step", KILLED)
def test_killed_while_starting(books: Books, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    order = pending_order()
    target, name, after, rows, booked = KILLED[step]
    with monkeypatch.context() as patch:
        patch.setattr(target, name, kill_after(getattr(target, name)) if after else kill)
        require_killed(lambda: begin(order, KEY), books)
    assert (Payment.objects.count(), len(books.rows)) == (rows, booked)
    assert not Payment.objects.filter(reference__isnull=False).exists()
    # The same request again, once the claim is over: one attempt here and there.
    with time_machine.travel(timezone.now() + schedule.LEASE + timedelta(seconds=1)):
        begun = begin(order, KEY)
    assert (begun.payment.reference, begun.created) == ("pay_1", True)
    assert (Payment.objects.count(), len(books.rows)) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_killed_after_the_outcome_of_a_start(books: Books) -> None:
    order = pending_order()
    require_killed(lambda: kill_after(begin)(order, KEY), books)
    begun = begin(order, KEY)
    assert (begun.payment.reference, begun.replayed, books.calls) == ("pay_1", True, ["start"])


@pytest.mark.django_db(transaction=True)
def test_nobody_comes_back_after_a_killed_start(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    """The attempt without a reference holds nothing for ever: it is dropped when the order is cancelled."""
    order = pending_order()
    with monkeypatch.context() as patch:
        patch.setattr(Books, "start", kill_after(Books.start))
        require_killed(lambda: begin(order), books)
    with time_machine.travel(timezone.now() + schedule.LEASE + timedelta(seconds=1)):
        schedule.request_cancel(order.pk)
        [payment_id] = asking.due()
        asking.ask_now(payment_id)
    assert Payment.objects.get().status == "cancelled"
