"""The API, through the shop's client."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import requests

from payments.providers import test as client_module
from payments.providers.base import ProviderRefused, ProviderUnavailable, RefundState, State
from tests.payments.test_provider.running import Running, attempt

pytestmark = pytest.mark.embedded


def test_a_payment_from_its_start_to_its_refund(provider: Running) -> None:
    started = provider.client.start(attempt())
    assert started.redirect_url == f"{provider.url}/pay/{started.reference}"
    assert provider.client.start(attempt()) == started
    shown = provider.client.fetch(started.reference)
    assert (shown.state, shown.amount, shown.currency, shown.key) == (State.OPEN, Decimal("19.90"), "EUR", "key")
    assert [shown.captures, shown.refunds, shown.chargebacks, shown.chargeback_reversals] == [[], [], [], []]
    provider.pay(started.reference, course="pays")
    refund = provider.client.refund(started.reference, amount=Decimal("5"), key="refund")
    shown = provider.client.fetch(started.reference)
    [capture] = shown.captures
    assert (shown.state, capture.amount) == (State.SUCCEEDED, Decimal("19.90"))
    assert abs(capture.occurred_at - datetime.now(UTC)) < timedelta(minutes=1)
    assert shown.refunds == [refund]
    assert (refund.key, refund.state, refund.amount) == ("refund", RefundState.DONE, Decimal("5.00"))
    assert len({started.reference, capture.reference, refund.reference}) == 3


def test_a_refund_from_outside_has_no_key(provider: Running) -> None:
    reference = provider.paid()
    provider.pay(reference, course="refund_outside", amount="1.00")
    [refund] = provider.client.fetch(reference).refunds
    assert (refund.key, refund.amount, refund.state) == ("", Decimal("1.00"), RefundState.DONE)


def test_chargebacks_and_their_reversals_have_their_own_references(provider: Running) -> None:
    reference = provider.paid()
    for course in ("chargeback", "chargeback_reversal"):
        assert provider.pay(reference, course=course).status_code == 303
    shown = provider.client.fetch(reference)
    [chargeback], [reversal] = shown.chargebacks, shown.chargeback_reversals
    assert chargeback.amount == reversal.amount == Decimal("19.90")
    assert chargeback.reference != reversal.reference


def test_a_failed_payment_says_why(provider: Running) -> None:
    shown = provider.client.fetch(provider.paid("fails"))
    assert (shown.state, shown.error) == (State.FAILED, "The card was declined.")


def test_cancelling_an_open_and_a_paid_payment(provider: Running) -> None:
    assert provider.client.cancel(provider.new("open")).state == State.CANCELLED
    assert provider.client.cancel(provider.paid(key="paid")).state == State.SUCCEEDED


def test_what_has_no_effect_is_refused(provider: Running) -> None:
    reference = provider.paid()
    with pytest.raises(ProviderRefused, match="no such payment"):
        provider.client.fetch("tp_" + "0" * 32)
    with pytest.raises(ProviderRefused, match="more than"):
        provider.client.refund(reference, amount=Decimal("19.91"), key="too much")
    with pytest.raises(ProviderRefused, match="another payment"):
        provider.client.start(attempt(amount=Decimal("1.00")))


def test_after_a_charge_the_next_answers_time_out_and_fail(provider: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "TIMEOUT", 0.3)
    provider.faults(timeout_seconds=1)
    reference = provider.paid("times_out")
    with pytest.raises(ProviderUnavailable, match="TimeoutError"):
        provider.client.fetch(reference)
    with pytest.raises(ProviderUnavailable, match="500"):
        provider.client.fetch(reference)
    assert provider.client.fetch(reference).state == State.SUCCEEDED


@pytest.mark.parametrize("fault", ["times_out", "error"])
def test_a_call_that_took_effect_without_an_answer_is_repeated_by_its_key(
    provider: Running, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setattr(client_module, "TIMEOUT", 0.3)
    provider.faults(timeout_seconds=1, next_start=fault, next_refund=fault)
    with pytest.raises(ProviderUnavailable):
        provider.client.start(attempt())
    reference = provider.paid()
    with pytest.raises(ProviderUnavailable):
        provider.client.refund(reference, amount=Decimal("5"), key="refund")
    refund = provider.client.refund(reference, amount=Decimal("5"), key="refund")
    assert provider.client.fetch(reference).refunds == [refund]
    assert provider.server.store.number("SELECT count(*) FROM payment") == 1


def test_a_start_and_a_refund_that_are_refused_have_no_effect(provider: Running) -> None:
    provider.faults(next_start="refused", next_refund="refused")
    with pytest.raises(ProviderRefused):
        provider.client.start(attempt())
    reference = provider.paid()
    with pytest.raises(ProviderRefused, match="the bank refuses"):
        provider.client.refund(reference, amount=Decimal("5"), key="refund")
    assert provider.client.fetch(reference).refunds == []


@pytest.mark.parametrize(
    ("course", "state"),
    [("pending", RefundState.PENDING), ("fails_later", RefundState.PENDING), ("comes_back", RefundState.DONE)],
)
def test_a_refund_can_be_pending_or_come_back(provider: Running, course: str, state: RefundState) -> None:
    reference = provider.paid()
    provider.faults(next_refund=course)
    refund = provider.client.refund(reference, amount=Decimal("5"), key="refund")
    assert refund.state == state


@pytest.mark.parametrize(
    ("fault", "is_effective"), [("error_before", False), ("error_after", True), ("timeout_after", True)]
)
def test_faults_by_chance(provider: Running, monkeypatch: pytest.MonkeyPatch, fault: str, is_effective: bool) -> None:
    monkeypatch.setattr(client_module, "TIMEOUT", 0.3)
    provider.faults(**{fault: 1}, timeout_seconds=1)
    with pytest.raises(ProviderUnavailable):
        provider.client.start(attempt())
    assert provider.server.store.number("SELECT count(*) FROM payment") == is_effective


def test_all_changes_since_a_time_are_listed_once(provider: Running) -> None:
    references = [provider.new(str(number)) for number in range(205)]
    since = datetime.now(UTC)
    provider.pay(references[0], course="pays")
    assert [each.reference for each in provider.client.list_since(since)] == references[:1]
    everything = list(provider.client.list_since(since - timedelta(hours=1)))
    assert [each.reference for each in everything] == [*references[1:], references[0]]
    assert everything[-1].state == State.SUCCEEDED


BODY = {"key": "k", "order_number": "A-1", "amount": "1.00", "currency": "EUR", "return_url": "http://shop.example/"}


@pytest.mark.parametrize(
    "change",
    [
        {"amount": "1"}, {"amount": 1.0}, {"amount": "-1.00"}, {"amount": None}, {"amount": "0.00"},
        {"amount": "9" * 40 + ".00"}, {"key": ""}, {"key": 5}, {"key": "k" * 101}, {"key": "a\x00b"},
        {"order_number": ["A"]}, {"currency": "EUROS"}, {"return_url": "javascript:alert(1)"},
        {"return_url": "http://"}, {"return_url": "http://[broken"}, {"return_url": "http://shop.example/\r\nX: y"},
        {"return_url": "http://shop.example/ü"},
    ],
)  # fmt: skip
def test_a_wrong_member_is_refused(provider: Running, change: dict[str, Any]) -> None:
    headers = {"Authorization": f"Bearer {provider.client.token}"}
    answer = requests.post(f"{provider.url}/api/payments", json=BODY | change, headers=headers, timeout=10)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]
    assert provider.server.store.number("SELECT count(*) FROM payment") == 0


def test_an_amount_of_any_size_that_is_allowed_is_kept_exactly(provider: Running) -> None:
    amount = Decimal("999999999999999.99")
    assert provider.client.fetch(provider.new(amount=amount)).amount == amount
