"""Events are hints: stored once, and looked at until their payment was asked about."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from orders.models import Order
from payments import asking, events
from payments.events import DELAYS
from payments.models import Payment, ProviderEvent
from productbackend.errors import DomainError
from tests.payments.books import Books
from tests.payments.paying import pending_order, started

pytestmark = pytest.mark.django_db


def received(books: Books, reference: str) -> ProviderEvent:
    body, headers = books.event(reference)
    events.receive(code="books", body=body, headers=headers)
    return ProviderEvent.objects.latest("pk")


def test_what_an_event_says_pays_nothing(books: Books) -> None:
    order = pending_order()
    event = received(books, started(books, order).reference or "")  # that it was paid, perhaps
    assert events.process(event.pk) is None
    assert Order.objects.get(pk=order.pk).status == "pending"
    event.refresh_from_db()
    assert event.processed_at is not None


def test_an_event_before_its_payment_is_looked_at_again_for_a_day(books: Books, time_machine: Any) -> None:
    time_machine.move_to(timezone.now(), tick=False)
    begin, event = timezone.now(), received(books, "pay_1")
    waited = []
    while events.due():
        delay = events.process(event.pk)
        waited.append(delay)
        if delay is not None:
            assert events.due() == []
            time_machine.shift(delay)
    assert waited == [*DELAYS, None]
    assert timedelta(hours=23) < timezone.now() - begin <= timedelta(days=1)


def test_an_event_before_its_payment_pays_it_soon(books: Books, time_machine: Any) -> None:
    time_machine.move_to(timezone.now(), tick=False)
    order = pending_order()
    payment = started(books, order)
    reference = payment.reference or ""
    Payment.objects.filter(pk=payment.pk).update(reference=None)  # its start has not written its outcome
    books.pay(reference)
    event = received(books, reference)
    delay = events.process(event.pk)
    assert delay == DELAYS[0]
    Payment.objects.filter(pk=payment.pk).update(reference=reference)
    time_machine.shift(delay)
    assert events.process(event.pk) is None
    assert Order.objects.get(pk=order.pk).status == "paid"


@pytest.mark.parametrize("unanswered", ["silent", "claimed"])
def test_an_event_without_an_answer_is_looked_at_again(books: Books, unanswered: str) -> None:
    payment = started(books, pending_order())
    event = received(books, payment.reference or "")
    if unanswered == "silent":
        books.faults["fetch"] = ["after"]
    else:
        Payment.objects.filter(pk=payment.pk).update(claimed_at=timezone.now())
    assert events.process(event.pk) == DELAYS[0]
    event.refresh_from_db()
    assert (event.processed_at, event.attempts) == (None, 1)


def test_a_killed_workers_event_is_due_again(books: Books, time_machine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    time_machine.move_to(timezone.now(), tick=False)
    event = received(books, started(books, pending_order()).reference or "")

    def die(payment_id: int) -> Any:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(asking, "ask_now", die)
        with pytest.raises(SystemExit):
            events.process(event.pk)
    assert (events.due(), events.process(event.pk), books.calls) == ([], None, ["start"])
    time_machine.shift(31)
    assert events.due() == [event.pk]
    events.process(event.pk)
    assert books.calls == ["start", "fetch"]


def test_a_provider_of_former_payments_may_still_send_events(books: Books, settings: Any) -> None:
    settings.PAYMENT_METHODS = []
    body, headers = books.event("pay_1")
    with pytest.raises(DomainError) as refused:
        events.receive(code="books", body=body, headers=headers)
    assert refused.value.code == "not-found"
    settings.PAYMENT_METHODS = ["books"]
    payment = started(books, pending_order())
    settings.PAYMENT_METHODS = []
    assert received(books, payment.reference or "").pk


def test_the_same_id_of_two_providers_are_two_events(books: Books) -> None:
    ProviderEvent.objects.create(provider="other", event_id="evt")
    body, headers = books.event("pay_1", event_id="evt")
    for _ in range(2):
        events.receive(code="books", body=body, headers=headers)
    assert ProviderEvent.objects.count() == 2


def test_old_events_are_deleted(books: Books) -> None:
    old, young = received(books, "pay_1"), received(books, "pay_2")
    ProviderEvent.objects.filter(pk=old.pk).update(created_at=timezone.now() - events.KEPT - timedelta(hours=1))
    ProviderEvent.objects.filter(pk=young.pk).update(created_at=timezone.now() - events.KEPT + timedelta(hours=1))
    assert [events.delete_old(), events.delete_old()] == [1, 0]
    assert ProviderEvent.objects.get() == young
