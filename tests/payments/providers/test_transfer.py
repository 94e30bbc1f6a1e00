"""Bank transfers: the books are the shop's own rows."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from payments import marking, refunds, sending
from payments.models import Payment
from payments.providers import provider
from payments.providers.base import Attempt, InvalidSignature, ProviderRefused, RefundState, State
from payments.settling import settle
from tests import factories
from tests.payments.paying import TOTAL, pending_order

pytestmark = pytest.mark.django_db


@pytest.fixture
def payment(settings: Any) -> Payment:
    settings.PAYMENT_METHODS = ["transfer"]
    order = pending_order()
    return Payment.objects.create(
        order=order, method="transfer", amount=TOTAL, currency="EUR", open_key=f"{order.pk}:transfer"
    )


def test_it_shows_what_the_shop_says(settings: Any) -> None:
    settings.TRANSFER_INSTRUCTIONS = "IBAN DE00; name the order's number."
    transfer = provider("transfer")
    assert (transfer.code, transfer.instructions, transfer.publishable_key) == (
        "transfer", "IBAN DE00; name the order's number.", None,
    )  # fmt: skip


def test_its_reference_is_its_key(payment: Payment) -> None:
    started = provider("transfer").start(Attempt(payment.key, "N", TOTAL, "EUR", ""))
    assert (started.reference, started.client_secret, started.redirect_url) == (payment.key, "", "")


def test_it_is_open_until_staff_say_that_the_money_came(payment: Payment) -> None:
    transfer = provider("transfer")
    Payment.objects.update(reference=payment.key)
    assert transfer.fetch(payment.key).state == State.OPEN
    assert transfer.cancel(payment.key).state == State.CANCELLED
    user = factories.user("stella", is_staff=True)
    marking.mark_paid(order_id=payment.order_id, amount=TOTAL, reference="", user=user)
    snapshot = transfer.fetch(payment.key)
    assert (snapshot.state, [money.amount for money in snapshot.captures]) == (State.SUCCEEDED, [TOTAL])
    assert transfer.cancel(payment.key) == snapshot


def test_settling_by_its_own_books_changes_nothing(payment: Payment) -> None:
    user = factories.user("stella", is_staff=True)
    marking.mark_paid(order_id=payment.order_id, amount=TOTAL, reference="", user=user)
    payment.refresh_from_db()
    waiting = refunds.create_automatic(payment=payment, amount=Decimal(5), cause="late:1")
    assert waiting is not None
    transfer = provider("transfer")
    for _ in range(2):
        settle(payment_id=payment.pk, snapshot=transfer.fetch(payment.key))
    waiting.refresh_from_db()
    assert waiting.status == "pending"
    assert transfer.fetch(payment.key).refunds == []
    sending.mark_sent(refund_id=waiting.pk, user=user)
    [made] = transfer.fetch(payment.key).refunds
    assert (made.state, made.amount, made.key) == (RefundState.DONE, Decimal(5), waiting.key)
    settle(payment_id=payment.pk, snapshot=transfer.fetch(payment.key))
    assert payment.movements.count() == 2


def test_it_lists_what_has_changed(payment: Payment) -> None:
    transfer = provider("transfer")
    assert list(transfer.list_since(timezone.now() - timedelta(hours=1))) == []  # it was not started
    Payment.objects.update(reference=payment.key)
    assert [row.key for row in transfer.list_since(timezone.now() - timedelta(hours=1))] == [payment.key]
    assert list(transfer.list_since(timezone.now() + timedelta(hours=1))) == []


def test_it_has_no_events_and_no_payments_of_others() -> None:
    with pytest.raises(InvalidSignature):
        provider("transfer").parse_event(b"{}", {})
    with pytest.raises(ProviderRefused):
        provider("transfer").fetch("nobody's")
