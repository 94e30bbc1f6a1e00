"""What doctor says of payments."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from orders.models import Order
from payments import deployment, differences
from payments.models import Payment, ProviderEvent, Refund
from payments.providers.base import ProviderRefused, ProviderUnavailable
from productbackend.doctor.checks import all_checks
from productbackend.doctor.findings import Findings, Unreachable
from productbackend.doctor.site import Site
from tests.payments.books import Books
from tests.payments.paying import paid_order, pending_order
from tests.payments.stripe_server import KEY, running
from tests.ports import free_port

pytestmark = pytest.mark.django_db


def found(findings: Findings) -> list[tuple[str, str]]:
    return [(finding.level, finding.text) for finding in findings]


def levels(findings: Findings) -> list[str]:
    return [finding.level for finding in findings]


@pytest.fixture
def stripe(settings: Any) -> Iterator[Any]:
    """A shop that is paid by Stripe, at a server on loopback."""
    settings.PAYMENT_METHODS = ["stripe"]
    settings.STRIPE_SECRET_KEY, settings.STRIPE_PUBLISHABLE_KEY = KEY, "pk_1"
    with running() as (settings.STRIPE_API_BASE, books):
        yield books


def test_doctor_has_all_checks() -> None:
    names = {check.name for check in all_checks(site=Site(""))}
    assert names >= {"payment methods", "payment providers", "payment clock", "payment endpoints", "payment events"}
    assert "payments overdue" in names


def test_a_shop_without_payments_is_good(settings: Any) -> None:
    settings.PAYMENT_METHODS = []
    assert found(deployment.methods()) == [("good", "PAYMENT_METHODS is unset: checkout writes paid orders")]
    for check in (deployment.providers, deployment.provider_clock, deployment.endpoints, deployment.events):
        assert found(check()) == []
    assert levels(deployment.overdue()) == ["good"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"PAYMENT_METHODS": ["stripe"], "STRIPE_PUBLISHABLE_KEY": ""}, ["warn", "good"]),
        ({"PAYMENT_METHODS": ["stripe"], "STRIPE_SECRET_KEY": KEY, "HTTPS": True}, ["warn", "good"]),
        ({"PAYMENT_METHODS": ["stripe"], "STRIPE_SECRET_KEY": "sk_live_1", "HTTPS": True}, ["good"]),
        ({"PAYMENT_METHODS": ["transfer"]}, ["bad", "good"]),
        ({"PAYMENT_METHODS": ["transfer"], "TRANSFER_INSTRUCTIONS": "IBAN ..."}, ["good"]),
        ({"PAYMENT_METHODS": ["test"]}, ["warn", "good"]),
    ],
)
def test_what_methods_need(settings: Any, changes: dict[str, Any], expected: list[str]) -> None:
    settings.STRIPE_PUBLISHABLE_KEY = "pk_1"
    for name, value in changes.items():
        setattr(settings, name, value)
    assert levels(deployment.methods()) == expected


def test_a_provider_that_answers_and_its_clock(stripe: Any) -> None:
    assert found(deployment.providers()) == [("good", "stripe answers")]
    assert levels(deployment.provider_clock()) == ["good"]


def test_a_refused_key_is_bad_and_not_shown(stripe: Any, settings: Any) -> None:
    settings.STRIPE_SECRET_KEY = "sk_test_of_another_account_1"
    [(level, text)] = found(deployment.providers())
    assert level == "bad"
    assert "sk_test" not in text


def test_an_unreachable_provider(stripe: Any, settings: Any) -> None:
    settings.STRIPE_API_BASE = f"http://127.0.0.1:{free_port()}"
    assert levels(deployment.providers()) == ["bad"]
    with pytest.raises(Unreachable):
        found(deployment.provider_clock())


@pytest.mark.django_db(transaction=True)
def test_the_endpoint_at_site_url(live_server: Any, settings: Any) -> None:
    settings.PAYMENT_METHODS, settings.SITE_URL = ["stripe", "transfer"], live_server.url
    assert found(deployment.endpoints()) == [("good", f"{live_server.url}/payment-events/stripe/ is reachable")]
    settings.SITE_URL = f"{live_server.url}/shop"
    [(level, text)] = found(deployment.endpoints())
    assert (level, "responds 404" in text) == ("bad", True)


def test_payments_without_events(books: Books, settings: Any) -> None:
    paid_order(books)
    settings.PAYMENT_METHODS = ["stripe"]
    Payment.objects.update(method="stripe")
    [(level, text)] = found(deployment.events())
    assert level == "bad"
    assert f"{settings.SITE_URL}/payment-events/stripe/" in text
    ProviderEvent.objects.create(provider="stripe", event_id="evt_1", processed_at=timezone.now())
    assert levels(deployment.events()) == ["bad"]  # such as one of a payout
    ProviderEvent.objects.create(provider="stripe", event_id="evt_2", reference="pi_1", processed_at=timezone.now())
    assert levels(deployment.events()) == ["good"]
    Payment.objects.update(created_at=timezone.now() - timedelta(days=8))
    assert found(deployment.events()) == []


def test_what_waits_too_long(books: Books) -> None:
    order, payment = paid_order(books)
    waiting = pending_order()
    assert levels(deployment.overdue()) == ["good"]
    Order.objects.filter(pk=waiting.pk).update(expires_at=timezone.now() - timedelta(minutes=9))
    assert levels(deployment.overdue()) == ["good"]
    Order.objects.filter(pk=waiting.pk).update(expires_at=timezone.now() - timedelta(minutes=11))
    refund = Refund.objects.create(order=order, payment=payment, amount=Decimal("1.00"), due_at=timezone.now())
    Refund.objects.filter(pk=refund.pk).update(created_at=timezone.now() - timedelta(minutes=61))
    Refund.objects.create(order=order, payment=payment, amount=Decimal("1.00"), status="failed")
    differences.store("provider:books:pay_9", differences.Kind.UNKNOWN_MONEY, "money of nobody")
    assert [text.partition(":")[0] for _, text in found(deployment.overdue())] == [
        "an unpaid order has not expired for 11 minutes",
        "a refund does not reach its provider for 61 minutes",
        "1 refunds have failed",
        "1 differences of money wait for staff",
    ]


@pytest.mark.parametrize("error", [ProviderUnavailable, ProviderRefused])
def test_a_silent_provider_is_bad(books: Books, monkeypatch: pytest.MonkeyPatch, error: type[Exception]) -> None:
    assert found(deployment.providers()) == [("good", "books answers")]

    def silent(since: Any) -> Any:
        raise error("no answer")

    monkeypatch.setattr(books, "list_since", silent)
    assert found(deployment.providers()) == [("bad", "books: no answer; nobody can pay by it now")]
