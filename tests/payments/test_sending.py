"""Sending refunds: money goes back once, whatever the provider, the network or the worker does."""

import logging
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone

from orders.mails import REFUNDED
from orders.models import Order
from outbox.models import Mail
from payments import marking, refunds, sending, settling
from payments.ledger import order_balance
from payments.models import MoneyMovement, Payment, Refund
from payments.providers.base import RefundState
from payments.refunds import RefundItem, RefundRequest
from payments.schedule import LEASE
from payments.tasks import send_refund, sweep_refunds
from productbackend.database.idempotency import IdempotencyKey
from productbackend.errors import DomainError
from products.inventory import ledger as stock_ledger
from tests import factories
from tests.payments.books import Books
from tests.payments.killing import kill, kill_after, require_killed
from tests.payments.paying import TOTAL, paid_order, pending_order, settle_by

pytestmark = pytest.mark.django_db

LATER = LEASE + timedelta(seconds=1)
AMOUNT = Decimal("5.00")


def staff() -> Any:
    return factories.user("stella", is_staff=True, is_superuser=True)


def asked(books: Books) -> Refund:
    order, _ = paid_order(books)
    refund, _ = refunds.create(RefundRequest(order.pk, staff(), amount=AMOUNT))
    return refund


def state(refund: Refund) -> tuple[str, Decimal, int, int]:
    """The refund's status, what the order says was refunded, its movements, and the mails about it."""
    refund.refresh_from_db()
    refunded = Order.objects.get(pk=refund.order_id).refunded
    movements = MoneyMovement.objects.filter(kind="refund", refund=refund)
    return refund.status, refunded, movements.count(), Mail.objects.filter(kind=REFUNDED).count()


DONE = ("done", AMOUNT, 1, 1)
PENDING = ("pending", Decimal("0.00"), 0, 0)


def test_a_refund_is_done_once(books: Books) -> None:
    refund = asked(books)
    assert state(refund) == PENDING
    for _ in range(3):
        sending.send(refund.pk)
    assert state(refund) == DONE
    assert (refund.due_at, refund.claimed_at, refund.attempts) == (None, None, 1)
    assert books.balance() == TOTAL - AMOUNT == order_balance(refund.order_id).kept


@pytest.mark.parametrize(("call", "fault"), [("fetch", "before"), ("fetch", "after"), ("refund", "before")])
def test_a_provider_that_does_not_answer_is_asked_again(books: Books, call: str, fault: str, caplog: Any) -> None:
    refund = asked(books)
    books.faults[call] = [fault, fault]
    for attempt in (1, 2):
        with caplog.at_level(logging.WARNING):
            sending.send(refund.pk)
        assert state(refund) == PENDING
        assert refund.error == "The provider did not answer."
        assert refund.due_at is not None
        assert refund.due_at > timezone.now() + sending.DELAYS[attempt - 1] - timedelta(seconds=5)
        assert sending.due() == []
        Refund.objects.update(due_at=timezone.now())
    assert sending.due() == [refund.pk]
    sending.send(refund.pk)
    assert state(refund) == DONE
    assert refund.error == ""
    assert books.balance() == TOTAL - AMOUNT


@pytest.mark.parametrize("call", ["fetch", "refund"])
def test_a_provider_whose_code_fails_is_asked_again(books: Books, call: str) -> None:
    refund = asked(books)
    books.faults[call] = ["broken"]
    sending.send(refund.pk)
    assert state(refund) == PENDING
    Refund.objects.update(due_at=timezone.now())
    sending.send(refund.pk)
    assert state(refund) == DONE


def test_a_lost_answer_is_found_in_the_books_and_not_sent_again(books: Books) -> None:
    """Also by a provider that has forgotten the idempotency key."""
    refund = asked(books)
    books.faults["refund"] = ["after"]
    sending.send(refund.pk)
    assert state(refund) == PENDING
    Refund.objects.update(due_at=timezone.now())
    sending.send(refund.pk)
    assert state(refund) == DONE
    assert books.calls.count("refund") == 1
    assert books.balance() == TOTAL - AMOUNT


def test_a_refund_whose_answer_was_lost_does_not_fail_while_the_provider_refuses_to_say(books: Books) -> None:
    """It was made: sent again as a failed one, it would be made twice."""
    refund = asked(books)
    books.faults["refund"], books.faults["fetch"] = ["after"], []
    sending.send(refund.pk)
    books.faults["fetch"] = ["refused"]
    Refund.objects.update(due_at=timezone.now())
    sending.send(refund.pk)
    assert state(refund) == PENDING
    assert refund.error == "The books refuse that."
    Refund.objects.update(due_at=timezone.now())
    sending.send(refund.pk)
    assert state(refund) == DONE
    assert books.balance() == TOTAL - AMOUNT


def test_the_first_attempt_fails_if_the_provider_does_not_know_the_payment(books: Books) -> None:
    refund = asked(books)
    books.faults["fetch"] = ["refused"]
    sending.send(refund.pk)
    assert state(refund)[0] == "failed"


def test_attempts_go_on_for_ever(books: Books) -> None:
    refund = asked(books)
    for _ in range(20):
        books.faults["fetch"] = ["before"]
        Refund.objects.update(due_at=timezone.now())
        sending.send(refund.pk)
        assert state(refund) == PENDING
    assert refund.due_at is not None
    assert refund.due_at - timezone.now() <= sending.DELAYS[-1]


def test_what_the_provider_refuses_has_failed_and_can_be_sent_again(books: Books) -> None:
    refund = asked(books)
    books.faults["refund"] = ["refused"]
    sending.send(refund.pk)
    assert state(refund) == ("failed", Decimal("0.00"), 0, 0)
    assert refund.error == "The books refuse that."
    assert order_balance(refund.order_id).refundable == TOTAL
    again = sending.send_again(refund_id=refund.pk, user=staff_again())
    assert (again.amount, again.pk != refund.pk, again.key != refund.key) == (AMOUNT, True, True)
    sending.send(again.pk)
    assert state(again) == DONE
    assert state(refund)[0] == "failed"
    with pytest.raises(DomainError, match="sent again already"):
        sending.send_again(refund_id=refund.pk, user=staff_again())
    assert Refund.objects.count() == 2


def staff_again() -> Any:
    return factories.account("stella")


def test_a_failed_refund_is_put_aside_once(books: Books) -> None:
    refund = asked(books)
    books.faults["refund"] = ["refused"]
    sending.send(refund.pk)
    sending.put_aside(refund_id=refund.pk, user=staff_again())
    with pytest.raises(DomainError, match="put aside"):
        sending.put_aside(refund_id=refund.pk, user=staff_again())
    with pytest.raises(DomainError, match="put aside"):
        sending.send_again(refund_id=refund.pk, user=staff_again())
    with pytest.raises(DomainError, match="no such failed refund"):
        sending.put_aside(refund_id=refund.pk + 1, user=staff_again())


def test_pieces_are_sent_again_as_pieces(books: Books) -> None:
    order, _ = paid_order(books)
    user, sku = staff(), order.items[0].sku
    books.faults["refund"] = ["refused"]
    refund, _ = sending.request(RefundRequest(order.pk, user, items=[RefundItem(sku, 1, restock=True)]))
    sending.send(refund.pk)
    again = sending.send_again(refund_id=refund.pk, user=user)
    assert [(row.quantity, row.amount, row.restock) for row in again.lines.all()] == [(1, TOTAL, True)]
    assert refunds.pieces_left(order) == {order.items[0].pk: 0}


def test_a_provider_that_takes_its_time_is_asked_later(books: Books) -> None:
    refund = asked(books)
    books.refund_state = RefundState.PENDING
    sending.send(refund.pk)
    assert state(refund) == PENDING
    assert refund.reference
    assert refund.due_at is not None
    books.finish_refunds(refund.payment.reference or "")
    with time_machine.travel(timezone.now() + sending.ASK_AGAIN + timedelta(minutes=1)):
        sending.send(refund.pk)
    assert state(refund) == DONE
    assert books.calls.count("refund") == 1


def test_an_event_may_settle_it_meanwhile(books: Books) -> None:
    """The provider has done it, the answer is lost, and the event arrives before the next attempt."""
    refund = asked(books)
    books.faults["refund"] = ["after"]
    sending.send(refund.pk)
    settle_by(books, refund.payment)
    assert state(refund) == DONE
    Refund.objects.update(due_at=timezone.now())
    sending.send(refund.pk)
    assert state(refund) == DONE


def test_the_sweep_sends_what_was_lost(books: Books, settings: Any) -> None:
    settings.CELERY_TASK_ALWAYS_EAGER = True
    refund = asked(books)
    assert sending.due() == [refund.pk]
    sending.claim(refund.pk)  # by a worker that is killed
    assert sending.due() == []
    assert sending.claim(refund.pk) is None
    with time_machine.travel(timezone.now() + LATER):
        assert sending.due() == [refund.pk]
        send_refund(refund.pk)
    assert state(refund) == DONE


def test_a_claim_of_a_clock_that_was_ahead_does_not_count(books: Books) -> None:
    refund = asked(books)
    Refund.objects.update(claimed_at=timezone.now() + timedelta(days=3), due_at=timezone.now() + timedelta(days=3))
    assert sending.due() == [refund.pk]
    sending.send(refund.pk)
    assert state(refund) == DONE


def test_the_sweep_queues_due_refunds(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    refund, queued = asked(books), []
    monkeypatch.setattr(send_refund, "apply_async", lambda args, expires: queued.append(args))
    sweep_refunds()
    assert queued == [(refund.pk,)]


def transferred() -> Order:
    order = pending_order()
    return marking.mark_paid(order_id=order.pk, amount=order.total, reference="Line 4", user=staff())


def test_a_bank_transfer_that_staff_ask_for_is_done_immediately(books: Books) -> None:
    order = transferred()
    refund, _ = sending.request(RefundRequest(order.pk, staff_again(), amount=AMOUNT))
    assert state(refund) == DONE
    movement = MoneyMovement.objects.get(kind="refund")
    assert (movement.user, movement.amount, movement.provider) == (staff_again(), AMOUNT, "transfer")


def test_no_worker_gets_in_the_way_of_a_bank_transfer(
    books: Books, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    """A worker that had claimed it between the commit and the answer would let the answer say `pending`."""
    queued: list[Any] = []
    monkeypatch.setattr(refunds, "dispatch_task", lambda *task: queued.append(task))
    with django_capture_on_commit_callbacks(execute=True):
        refund, _ = sending.request(RefundRequest(transferred().pk, staff_again(), amount=AMOUNT))
    assert (queued, refund.status) == ([], "done")
    with django_capture_on_commit_callbacks(execute=True):
        order, _ = paid_order(books, factories.product("Hat"))
        refund, _ = sending.request(RefundRequest(order.pk, staff_again(), amount=AMOUNT))
    assert (queued, refund.status) == ([(refunds.SEND, refund.pk)], "pending")


def test_an_automatic_bank_transfer_waits_for_staff(books: Books) -> None:
    transferred()
    refund = refunds.create_automatic(payment=Payment.objects.get(), amount=AMOUNT, cause="late:1")
    assert refund is not None
    assert sending.due() == []
    sending.send(refund.pk)
    assert state(refund) == PENDING
    assert sending.mark_sent(refund_id=refund.pk, user=staff_again()).status == "done"
    assert state(refund) == DONE
    assert refund.user == staff_again()
    with pytest.raises(DomainError, match="does not wait"):
        sending.mark_sent(refund_id=refund.pk, user=staff_again())
    assert state(refund) == DONE


def test_only_a_bank_transfer_is_marked_as_sent(books: Books) -> None:
    refund = asked(books)
    Refund.objects.update(due_at=None)
    with pytest.raises(DomainError, match="does not wait"):
        sending.mark_sent(refund_id=refund.pk, user=staff_again())


# --- Killed here: what is seen. The table of docs/adr/0016-refunds.md ---

# Step: what dies, how; and then the refunds in the provider's books, the row's status, and whether it is claimed.
KILLED = {
    "before the claim": (sending, "claim", False, 0, "pending", False),
    "after the claim, before asking": (Books, "fetch", False, 0, "pending", True),
    "after asking, before the call": (Books, "refund", False, 0, "pending", True),
    "after the call, before settling": (Books, "refund", True, 1, "pending", True),
    "while settling": (settling, "decide", False, 1, "pending", True),
    "after settling": (sending, "settle", True, 1, "done", False),
}


@pytest.mark.thorough
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("step", KILLED)
def test_killed_while_sending(books: Books, monkeypatch: pytest.MonkeyPatch, step: str, times: int) -> None:
    refund = asked(books)
    target, name, after, booked, status, claimed = KILLED[step]
    now = timezone.now()
    for attempt in range(times):
        with monkeypatch.context() as patch, time_machine.travel(now + attempt * LATER):
            patch.setattr(target, name, kill_after(getattr(target, name)) if after else kill)
            if attempt and (status == "done" or (booked and name == "refund")):
                sending.send(refund.pk)  # it is found in the books, and this line is not reached again
            else:
                require_killed(lambda: sending.send(refund.pk), books)
    refund.refresh_from_db()
    if times == 1:
        assert (refund.status, refund.claimed_at is not None) == (status, claimed)
    assert len(books.rows[refund.payment.reference or ""].refunds) == booked
    with time_machine.travel(now + times * LATER):
        for refund_id in sending.due():
            sending.send(refund_id)
    assert state(refund) == DONE
    assert (len(books.rows[refund.payment.reference or ""].refunds), sending.due()) == (1, [])
    assert books.balance() == TOTAL - AMOUNT == order_balance(refund.order_id).kept


@pytest.mark.django_db(transaction=True)
def test_killed_while_creating(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    """All or nothing: no row without its pieces in stock, and the same request again makes one refund."""
    order, _ = paid_order(books)
    wanted = RefundRequest(
        order.pk, staff(), items=[RefundItem(order.items[0].sku, 1, restock=True)], key=IdempotencyKey("k", "f")
    )
    with monkeypatch.context() as patch:
        patch.setattr(refunds.stock, "restock", kill_after(refunds.stock.restock))
        require_killed(lambda: refunds.create(wanted), books)
    assert not Refund.objects.exists()
    assert all(row.is_correct for row in stock_ledger.balances())
    refund, replayed = refunds.create(wanted)
    assert not replayed
    assert refunds.create(wanted) == (refund, True)
    assert [(row.quantity, row.is_correct) for row in stock_ledger.balances()] == [(10, True)]


@pytest.mark.django_db(transaction=True)
def test_killed_after_the_commit_and_before_the_message(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    order, _ = paid_order(books)
    wanted = RefundRequest(order.pk, staff(), amount=AMOUNT)
    with monkeypatch.context() as patch:
        patch.setattr(refunds, "dispatch_task", kill)
        require_killed(lambda: refunds.create(wanted), books)
    refund = Refund.objects.get()
    assert (state(refund), sending.due()) == (PENDING, [refund.pk])


@pytest.mark.django_db(transaction=True)
def test_killed_after_a_transfer_is_marked_as_sent(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    transferred()
    with transaction.atomic():
        refund = refunds.create_automatic(payment=Payment.objects.get(), amount=AMOUNT, cause="late:1")
    assert refund is not None
    with monkeypatch.context() as patch:
        patch.setattr(sending, "send", kill)
        require_killed(lambda: sending.mark_sent(refund_id=refund.pk, user=staff_again()), books)
    assert (state(refund), sending.due()) == (PENDING, [refund.pk])
    sending.send(refund.pk)
    assert state(refund) == DONE
