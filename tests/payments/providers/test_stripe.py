"""Stripe's client against a stand-in server: requests, books and timeouts."""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from payments.providers import stripe as module
from payments.providers.base import (
    Attempt,
    ProviderRefused,
    ProviderUnavailable,
    RefundState,
    Started,
    State,
)
from payments.providers.stripe import Stripe, create
from tests.payments.stripe_server import ATTEMPT, KEY, WEBHOOK, Books, amounts
from tests.ports import free_port

pytestmark = pytest.mark.embedded


def test_a_start_creates_one_intent_however_often_it_is_repeated(provider: Stripe, stripe_books: Books) -> None:
    first, second = provider.start(ATTEMPT), provider.start(ATTEMPT)
    assert first == second
    [intent] = stripe_books.intents.values()
    assert (first.reference, first.client_secret) == (intent["id"], intent["client_secret"])
    assert (intent["amount"], intent["currency"], intent["capture_method"]) == (1990, "eur", "automatic")
    assert intent["metadata"] == {"payment_key": ATTEMPT.key, "order": "2026-ABCD"}
    assert stripe_books.headers[0]["Stripe-Version"] == module.API_VERSION
    assert "X-Stripe-Client-Telemetry" not in stripe_books.headers[1]


@pytest.mark.parametrize(("amount", "cents"), [("0.50", 50), ("19.9", 1990), ("99999999999.99", 9999999999999)])
def test_amounts_are_cents_without_a_float(amount: str, cents: int) -> None:
    assert module.in_cents(Decimal(amount)) == cents
    assert module.from_cents(cents, "eur") == Decimal(amount)


@pytest.mark.parametrize(("currency", "amount"), [("jpy", "1990"), ("isk", "19.90"), ("ugx", "19.90"), ("kwd", "1.99")])
def test_money_of_another_system_has_the_units_of_its_currency(
    provider: Stripe, stripe_books: Books, started: Started, currency: str, amount: str
) -> None:
    stripe_books.intents[started.reference]["currency"] = currency
    stripe_books.pay(started.reference)
    stripe_books.refund(started.reference, 1990)
    snapshot = provider.fetch(started.reference)
    assert [snapshot.amount, *amounts(snapshot.captures), *amounts(snapshot.refunds)] == [Decimal(amount)] * 3


def test_an_amount_below_a_cent_is_an_error() -> None:
    with pytest.raises(ValueError, match="more than two decimals"):
        module.in_cents(Decimal("1.005"))


def test_an_open_intent_has_no_money_and_takes_one_call(
    provider: Stripe, stripe_books: Books, started: Started
) -> None:
    stripe_books.requests.clear()
    snapshot = provider.fetch(started.reference)
    assert (snapshot.state, snapshot.key, snapshot.amount, snapshot.currency) == (
        *(State.OPEN, ATTEMPT.key),
        *(Decimal("19.90"), "EUR"),
    )
    assert not [*snapshot.captures, *snapshot.refunds, *snapshot.chargebacks, *snapshot.chargeback_reversals]
    assert stripe_books.requests == [("GET", f"/v1/payment_intents/{started.reference}")]


def test_a_paid_intent_has_its_charge(provider: Stripe, stripe_books: Books, started: Started) -> None:
    charge = stripe_books.pay(started.reference)
    snapshot = provider.fetch(started.reference)
    assert snapshot.state == State.SUCCEEDED
    [capture] = snapshot.captures
    assert (capture.reference, capture.amount) == (charge, Decimal("19.90"))
    assert abs(capture.occurred_at - datetime.now(UTC)) < timedelta(seconds=10)


@pytest.mark.parametrize("status", ["pending", "failed"])
def test_a_charge_that_has_not_succeeded_is_no_capture(
    provider: Stripe, stripe_books: Books, started: Started, status: str
) -> None:
    stripe_books.pay(started.reference, status=status)
    snapshot = provider.fetch(started.reference)
    assert (snapshot.state, snapshot.captures) == (State.OPEN, [])


def test_a_declined_card_leaves_it_open_with_the_reason(
    provider: Stripe, stripe_books: Books, started: Started
) -> None:
    stripe_books.decline(started.reference)
    snapshot = provider.fetch(started.reference)
    assert (snapshot.state, snapshot.captures, snapshot.error) == (State.OPEN, [], "Your card was declined.")
    stripe_books.pay(started.reference)
    assert amounts(provider.fetch(started.reference).captures) == [Decimal("19.90")]


def test_cancelling(provider: Stripe, stripe_books: Books, started: Started) -> None:
    for _ in range(2):
        assert provider.cancel(started.reference).state == State.CANCELLED
    assert stripe_books.intents[started.reference]["status"] == "canceled"


def test_cancelling_what_has_succeeded_says_how_it_stands(
    provider: Stripe, stripe_books: Books, started: Started
) -> None:
    stripe_books.pay(started.reference)
    snapshot = provider.cancel(started.reference)
    assert (snapshot.state, amounts(snapshot.captures)) == (State.SUCCEEDED, [Decimal("19.90")])


def test_cancelling_what_is_processed_leaves_it_open(provider: Stripe, stripe_books: Books, started: Started) -> None:
    stripe_books.pay(started.reference, status="pending")
    assert provider.cancel(started.reference).state == State.OPEN


def test_a_refund_is_made_once(provider: Stripe, stripe_books: Books, started: Started) -> None:
    stripe_books.pay(started.reference)
    first, second = (provider.refund(started.reference, amount=Decimal("5.00"), key="r" * 32) for _ in range(2))
    assert first == second
    assert (first.key, first.state, first.amount) == ("r" * 32, RefundState.DONE, Decimal("5.00"))
    assert provider.fetch(started.reference).refunds == [first]


def test_a_refund_is_made_once_after_stripe_has_forgotten_its_key(
    provider: Stripe, stripe_books: Books, started: Started
) -> None:
    stripe_books.pay(started.reference)
    first = provider.refund(started.reference, amount=Decimal("5.00"), key="r" * 32)
    stripe_books.replies.clear()
    assert provider.refund(started.reference, amount=Decimal("5.00"), key="r" * 32) == first
    assert len(stripe_books.refunds) == 1


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("pending", RefundState.PENDING),
        ("requires_action", RefundState.PENDING),
        ("failed", RefundState.FAILED),
        ("canceled", RefundState.FAILED),
        ("succeeded", RefundState.DONE),
    ],
)
def test_how_a_refund_stands(
    provider: Stripe, stripe_books: Books, started: Started, status: str, state: RefundState
) -> None:
    stripe_books.pay(started.reference)
    stripe_books.refund_status = status
    assert provider.refund(started.reference, amount=Decimal("5.00"), key="r" * 32).state == state
    assert [refund.state for refund in provider.fetch(started.reference).refunds] == [state]


def test_a_refund_at_stripes_own_site_has_no_key(provider: Stripe, stripe_books: Books, started: Started) -> None:
    stripe_books.pay(started.reference)
    made = stripe_books.refund(started.reference, 700)
    [refund] = provider.fetch(started.reference).refunds
    assert (refund.reference, refund.amount, refund.key) == (made["id"], Decimal("7.00"), "")


def test_more_refunds_than_a_page(provider: Stripe, stripe_books: Books, started: Started) -> None:
    stripe_books.pay(started.reference)
    stripe_books.page = 2
    for cents in range(100, 105):
        stripe_books.refund(started.reference, cents)
    assert sorted(amounts(provider.fetch(started.reference).refunds)) == [
        Decimal(cents) / 100 for cents in range(100, 105)
    ]


def test_refunding_too_much_or_what_is_not_paid_is_refused(
    provider: Stripe, stripe_books: Books, started: Started
) -> None:
    with pytest.raises(ProviderRefused, match="does not have a successful charge"):
        provider.refund(started.reference, amount=Decimal("5.00"), key="r" * 32)
    stripe_books.pay(started.reference)
    with pytest.raises(ProviderRefused, match="greater than unrefunded amount"):
        provider.refund(started.reference, amount=Decimal("19.91"), key="s" * 32)
    assert stripe_books.refunds == {}


def test_a_dispute_takes_money_and_may_bring_it_back(provider: Stripe, stripe_books: Books, started: Started) -> None:
    stripe_books.pay(started.reference)
    dispute = stripe_books.dispute(started.reference, 1990)
    snapshot = provider.fetch(started.reference)
    assert (amounts(snapshot.chargebacks), snapshot.chargeback_reversals) == ([Decimal("19.90")], [])
    stripe_books.reinstate(dispute)
    snapshot = provider.fetch(started.reference)
    assert amounts(snapshot.chargebacks) == amounts(snapshot.chargeback_reversals) == [Decimal("19.90")]
    references = {row.reference for row in (*snapshot.chargebacks, *snapshot.chargeback_reversals)}
    assert references == {row["id"] for row in dispute["balance_transactions"]}


def test_an_inquiry_moves_no_money(provider: Stripe, stripe_books: Books, started: Started) -> None:
    stripe_books.pay(started.reference)
    stripe_books.dispute(started.reference, 1990, withdrawn=False)
    assert provider.fetch(started.reference).chargebacks == []


def test_a_dispute_in_an_account_of_another_currency_has_the_disputed_amount(
    provider: Stripe, stripe_books: Books, started: Started
) -> None:
    stripe_books.pay(started.reference)
    stripe_books.reinstate(stripe_books.dispute(started.reference, 1000, currency="usd"))
    snapshot = provider.fetch(started.reference)
    assert amounts(snapshot.chargebacks) == amounts(snapshot.chargeback_reversals) == [Decimal("10.00")]


def test_a_payment_that_stripe_does_not_know_is_refused(provider: Stripe) -> None:
    with pytest.raises(ProviderRefused, match="No such payment_intent"):
        provider.fetch("pi_none")


Call = Callable[[Stripe, str], Any]
CALLS: dict[str, Call] = {
    "start": lambda provider, reference: provider.start(ATTEMPT),
    "fetch": lambda provider, reference: provider.fetch(reference),
    "cancel": lambda provider, reference: provider.cancel(reference),
    "refund": lambda provider, reference: provider.refund(reference, amount=Decimal("1.00"), key="r" * 32),
    "list": lambda provider, reference: list(provider.list_since(datetime.now(UTC) - timedelta(days=2))),
}


@pytest.mark.parametrize("fault", ["500", "500 after", "429"])
@pytest.mark.parametrize("call", CALLS)
def test_an_error_of_the_server_is_an_unknown_outcome(
    provider: Stripe, stripe_books: Books, started: Started, call: str, fault: str
) -> None:
    stripe_books.faults.append(fault)
    stripe_books.requests.clear()
    with pytest.raises(ProviderUnavailable) as raised:
        CALLS[call](provider, started.reference)
    assert len(stripe_books.requests) == 1  # is not repeated
    assert KEY not in str(raised.value)


@pytest.mark.parametrize("call", CALLS)
def test_a_server_that_hangs_is_left_in_time(
    provider: Stripe, stripe_books: Books, started: Started, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CALL_SECONDS", 0.2)
    stripe_books.faults.append("hang")
    begun = time.monotonic()
    with pytest.raises(ProviderUnavailable):
        CALLS[call](provider, started.reference)
    assert time.monotonic() - begun < 2


def test_the_calls_of_an_operation_have_one_deadline(
    provider: Stripe, stripe_books: Books, started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    stripe_books.pay(started.reference)
    assert module.CALL_SECONDS < module.SECONDS < 10
    monkeypatch.setattr(module, "CALL_SECONDS", 0.3)
    monkeypatch.setattr(module, "SECONDS", 0.4)
    stripe_books.dispute(started.reference, 100)
    stripe_books.faults.extend(["slow", "slow", "slow"])
    with pytest.raises(ProviderUnavailable):
        provider.fetch(started.reference)
    assert len(stripe_books.faults) == 1


@pytest.mark.parametrize("fault", ["500 after", "hang"])
def test_an_effect_without_a_response_is_found_by_repeating(
    provider: Stripe, stripe_books: Books, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CALL_SECONDS", 0.3)
    stripe_books.faults.append(fault)
    with pytest.raises(ProviderUnavailable):
        provider.start(ATTEMPT)
    started = provider.start(ATTEMPT)
    assert list(stripe_books.intents) == [started.reference]
    stripe_books.pay(started.reference)
    stripe_books.faults.extend(["", fault])  # the list of refunds, and then the refund
    with pytest.raises(ProviderUnavailable):
        provider.refund(started.reference, amount=Decimal("5.00"), key="r" * 32)
    refund = provider.refund(started.reference, amount=Decimal("5.00"), key="r" * 32)
    assert list(stripe_books.refunds) == [refund.reference]


@pytest.mark.parametrize("call", CALLS)
def test_an_unreachable_server(settings: Any, call: str) -> None:
    settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE = KEY, f"http://127.0.0.1:{free_port()}"
    with pytest.raises(ProviderUnavailable):
        CALLS[call](create(), "pi_1")


@pytest.mark.parametrize("key", ["", "sk_test_wrong_0123456789"])
def test_without_a_valid_key_nothing_is_refused_for_good(provider: Stripe, settings: Any, key: str) -> None:
    settings.STRIPE_SECRET_KEY = key
    with pytest.raises(ProviderUnavailable) as raised:
        provider.fetch("pi_1")
    assert not key or key not in str(raised.value)


def test_refusals_have_no_effect(provider: Stripe, stripe_books: Books, started: Started) -> None:
    with pytest.raises(ProviderRefused, match="same parameters"):
        provider.start(Attempt(ATTEMPT.key, "2026-ABCD", Decimal("20.00"), "EUR", ""))
    with pytest.raises(ProviderRefused, match="at least 50 cents"):
        provider.start(Attempt("b" * 32, "2026-ABCE", Decimal("0.49"), "EUR", ""))
    assert list(stripe_books.intents) == [started.reference]


def test_no_secret_is_in_a_text_of_an_error_or_in_the_log(
    provider: Stripe, stripe_books: Books, started: Started, caplog: pytest.LogCaptureFixture
) -> None:
    said = f"declined {KEY} {WEBHOOK} {started.client_secret} rk_live_abcdefgh123"
    stripe_books.decline(started.reference, said)
    with caplog.at_level(logging.INFO):
        snapshot = provider.fetch(started.reference)
        provider.cancel(started.reference)
    assert snapshot.error == "declined *** *** *** ***"
    for secret in (KEY, WEBHOOK, started.client_secret):
        assert secret not in caplog.text


@pytest.mark.parametrize("missing", ["id", "currency", "status", "amount"])
def test_what_cannot_be_read_is_no_answer(
    provider: Stripe, stripe_books: Books, started: Started, missing: str
) -> None:
    del stripe_books.intents[started.reference][missing]
    for call in ("fetch", "list"):
        with pytest.raises(ProviderUnavailable):
            CALLS[call](provider, started.reference)


def test_the_publishable_key_is_offered_if_set(provider: Stripe, settings: Any) -> None:
    settings.STRIPE_PUBLISHABLE_KEY = ""
    assert provider.publishable_key is None
    settings.STRIPE_PUBLISHABLE_KEY = "pk_test_1"
    assert provider.publishable_key == "pk_test_1"
