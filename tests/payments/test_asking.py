"""Asking providers: by one worker at a time, never too often, and whatever they answer."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from orders.models import Order
from payments import asking, schedule
from payments.asking import Outcome
from payments.models import Payment
from payments.providers import provider
from payments.settling import settle
from tests.payments.books import Books
from tests.payments.paying import pending_order, started

pytestmark = pytest.mark.django_db

LONG = timedelta(days=365)


def change(payment: Payment, **fields: Any) -> None:
    Payment.objects.filter(pk=payment.pk).update(**fields)


def test_a_claimed_payment_is_not_asked_about(books: Books) -> None:
    payment = started(books, pending_order())
    change(payment, claimed_at=timezone.now())
    assert asking.ask_now(payment.pk) == Outcome.SKIPPED
    assert asking.ask(payment_id=payment.pk).status == "pending"
    assert "fetch" not in books.calls


@pytest.mark.parametrize("claimed", [-schedule.LEASE - timedelta(seconds=1), LONG])
def test_the_claim_of_a_killed_worker_or_a_wrong_clock_ends(books: Books, claimed: timedelta) -> None:
    payment = started(books, pending_order())
    change(payment, claimed_at=timezone.now() + claimed)
    assert asking.ask_now(payment.pk) == Outcome.ANSWERED
    payment.refresh_from_db()
    assert payment.claimed_at is None


@pytest.mark.parametrize(("checked", "outcome"), [(-1, "skipped"), (-3, "answered"), (3600, "answered")])
def test_the_interval_counts_from_the_last_answer(books: Books, checked: int, outcome: str) -> None:
    payment = started(books, pending_order())
    change(payment, checked_at=timezone.now() + timedelta(seconds=checked))
    assert asking.ask_now(payment.pk, at_most_every=timedelta(seconds=2)) == outcome


@pytest.mark.parametrize("fault", ["before", "after", "refused"])
def test_no_answer_leaves_what_is_known(books: Books, fault: str, caplog: Any) -> None:
    payment = started(books, pending_order())
    books.pay(payment.reference or "")
    books.faults["fetch"] = [fault]
    assert asking.ask_now(payment.pk) == Outcome.SILENT
    payment.refresh_from_db()
    assert (payment.status, payment.claimed_at) == ("pending", None)
    assert payment.due_at is not None
    assert bool(payment.error) == (fault == "refused")
    assert payment.client_secret not in caplog.text
    assert asking.ask(payment_id=payment.pk).status == "succeeded"


def test_a_requested_cancellation_is_made_at_the_provider(books: Books) -> None:
    payment = started(books, pending_order())
    change(payment, cancel_requested_at=timezone.now())
    assert asking.ask(payment_id=payment.pk).status == "cancelled"
    assert books.calls[-1] == "cancel"


def test_a_cancellation_after_the_money_came_pays_the_order(books: Books) -> None:
    order = pending_order()
    payment = started(books, order)
    change(payment, cancel_requested_at=timezone.now())
    books.pay(payment.reference or "")
    assert asking.ask(payment_id=payment.pk).status == "succeeded"
    assert Order.objects.get(pk=order.pk).status == "paid"


def test_a_refused_cancellation_asks_how_it_stands(books: Books) -> None:
    payment = started(books, pending_order())
    change(payment, cancel_requested_at=timezone.now())
    books.pay(payment.reference or "")
    books.faults["cancel"] = ["refused"]
    assert asking.ask(payment_id=payment.pk).status == "succeeded"
    assert books.calls[-2:] == ["cancel", "fetch"]


def test_an_attempt_that_was_never_started_is_dropped(books: Books) -> None:
    order = pending_order()
    payment = Payment.objects.create(order=order, method="books", open_key="x", amount=order.total, currency="EUR")
    assert asking.ask_now(payment.pk) == Outcome.SKIPPED  # it may still be started
    change(payment, cancel_requested_at=timezone.now())
    assert asking.ask_now(payment.pk) == Outcome.ANSWERED
    payment.refresh_from_db()
    assert (payment.status, payment.open_key, books.calls) == ("cancelled", None, [])


def test_due_payments_are_found_oldest_first_and_unclaimed(books: Books) -> None:
    now = timezone.now()
    first, second, claimed, later, never, ahead = (
        started(books, pending_order(username=f"buyer{number}")) for number in range(6)
    )
    change(first, due_at=now - timedelta(hours=2))
    change(second, due_at=now - timedelta(hours=1))
    change(claimed, due_at=now, claimed_at=now)
    change(later, due_at=now + timedelta(hours=1))
    change(never, due_at=None)
    change(ahead, due_at=now + LONG)  # by a clock that was ahead
    assert asking.due() == [first.pk, second.pk, ahead.pk]


def test_a_killed_settling_is_found_again(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    order = pending_order()
    payment = started(books, order)
    change(payment, due_at=timezone.now())
    books.pay(payment.reference or "")
    fetch = provider("books").fetch

    def die(reference: str) -> Any:
        fetch(reference)
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(books, "fetch", die)
        with pytest.raises(SystemExit):
            asking.ask_now(payment.pk)
    assert asking.due() == []
    change(payment, claimed_at=timezone.now() - schedule.LEASE - timedelta(seconds=1))
    assert asking.due() == [payment.pk]
    asking.ask_now(payment.pk)
    assert Order.objects.get(pk=order.pk).status == "paid"


def test_a_provider_whose_code_fails_leaves_what_is_known(books: Books, caplog: Any) -> None:
    payment = started(books, pending_order())
    books.faults["fetch"] = ["broken"]
    assert asking.ask_now(payment.pk) == Outcome.SILENT
    payment.refresh_from_db()
    assert (payment.status, payment.claimed_at, payment.error) == ("pending", None, "")
    assert payment.due_at is not None
    assert payment.due_at > timezone.now()
    assert len(caplog.records) == 1
    books.pay(payment.reference or "")
    assert asking.ask(payment_id=payment.pk).status == "succeeded"


def test_a_snapshot_of_another_payment_is_not_asked_for_in_every_sweep(books: Books) -> None:
    payment = started(books, pending_order())
    change(payment, due_at=timezone.now())
    books.rows[payment.reference or ""] = replace(books.rows[payment.reference or ""], key="another")
    assert asking.due() == [payment.pk]
    asking.ask_now(payment.pk)
    assert asking.due() == []


def test_an_attempt_that_is_found_while_it_is_dropped_stays(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison of all books finds it, paid, between the claim and the drop."""
    order = pending_order()
    payment = started(books, order)
    reference = payment.reference or ""
    change(payment, reference=None, cancel_requested_at=timezone.now())
    paid = books.pay(reference)

    def settled_meanwhile() -> Any:
        monkeypatch.undo()
        settle(payment_id=payment.pk, snapshot=paid)
        return timezone.now()

    claimed = Payment.objects.filter

    def after_the_claim(*args: Any, **fields: Any) -> Any:
        if "claimed_at" in fields:
            monkeypatch.setattr(timezone, "now", settled_meanwhile)
        return claimed(*args, **fields)

    monkeypatch.setattr(Payment.objects, "filter", after_the_claim)
    asking.ask_now(payment.pk)
    payment.refresh_from_db()
    assert (payment.status, payment.claimed_at, payment.due_at) == ("succeeded", None, None)
    assert Order.objects.get(pk=order.pk).status == "paid"
