"""The list of recent payments, by Stripe's client against a stand-in server."""

import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from payments.providers.base import Attempt, RefundState, Started
from payments.providers.stripe import Stripe
from tests.payments.stripe_server import Books, amounts


def test_recent_payments_are_listed_by_pages(provider: Stripe, stripe_books: Books) -> None:
    stripe_books.page = 2
    started = [provider.start(Attempt(str(number) * 32, "N", Decimal("9.00"), "EUR", "")) for number in range(5)]
    stripe_books.pay(started[0].reference)
    stripe_books.pay(started[1].reference)
    stripe_books.refund(started[1].reference, 100)
    stripe_books.requests.clear()
    listed = list(provider.list_since(datetime.now(UTC) - timedelta(days=2)))
    calls = [path for _, path in stripe_books.requests]
    assert calls.count("/v1/payment_intents") == 3
    assert [path for path in calls if "pi_" in path] == [f"/v1/payment_intents/{started[1].reference}"]
    assert {each.reference: each for each in listed} == {
        each.reference: provider.fetch(each.reference) for each in started
    }


def test_an_old_payment_that_has_changed_is_listed_once(
    provider: Stripe, stripe_books: Books, started: Started
) -> None:
    stripe_books.pay(started.reference)
    long_ago = int(time.time() - 30 * 86_400)
    stripe_books.intents[started.reference]["created"] = long_ago
    for event in stripe_books.events.values():
        event["created"] = long_ago
    since = datetime.now(UTC) - timedelta(days=2)
    assert list(provider.list_since(since)) == []
    stripe_books.refund(started.reference, 100)
    stripe_books.dispute(started.reference, 200)
    [snapshot] = provider.list_since(since)
    assert (amounts(snapshot.refunds), amounts(snapshot.chargebacks)) == ([Decimal("1.00")], [Decimal("2.00")])


def test_an_old_payment_that_was_paid_lately_is_listed(provider: Stripe, stripe_books: Books, started: Started) -> None:
    """By a direct debit, for example, whose event was lost."""
    stripe_books.intents[started.reference]["created"] = int(time.time() - 9 * 86_400)
    stripe_books.pay(started.reference)
    [snapshot] = provider.list_since(datetime.now(UTC) - timedelta(days=2))
    assert amounts(snapshot.captures) == [Decimal("19.90")]


def test_a_refund_that_failed_is_listed(provider: Stripe, stripe_books: Books, started: Started) -> None:
    """Stripe takes it off the charge's `amount_refunded`: only its event tells that there was one."""
    stripe_books.pay(started.reference)
    refund = stripe_books.refund(started.reference, 100)
    refund |= {"status": "failed", "failure_reason": "expired_or_canceled_card"}
    stripe_books.charges[stripe_books.intents[started.reference]["latest_charge"]]["amount_refunded"] = 0
    [snapshot] = provider.list_since(datetime.now(UTC) - timedelta(days=2))
    assert [(row.state, row.error) for row in snapshot.refunds] == [(RefundState.FAILED, "expired_or_canceled_card")]


def test_payments_are_listed_a_page_at_a_time(provider: Stripe, stripe_books: Books) -> None:
    """However many they are: each page has the time of an operation, and the next one is read when it is wanted."""
    stripe_books.page = 2
    for number in range(4):
        provider.start(Attempt(str(number) * 32, "N", Decimal("9.00"), "EUR", ""))
    stripe_books.requests.clear()
    listed = provider.list_since(datetime.now(UTC) - timedelta(days=2))
    next(listed)
    assert [path for _, path in stripe_books.requests] == ["/v1/events", "/v1/payment_intents"]
    assert len(list(listed)) == 3
