"""Stripe's events: signed by its library, checked over the raw body, with two secrets during a rotation."""

from typing import Any

import pytest
import stripe

from payments.providers.base import Event, InvalidSignature
from payments.providers.stripe import Stripe, create
from tests.payments.stripe_server import signed

pytestmark = pytest.mark.embedded

WEBHOOK = "whsec_0123456789abcdefghijklmnopqrst"


@pytest.fixture
def provider(settings: Any) -> Stripe:
    settings.STRIPE_WEBHOOK_SECRETS = [WEBHOOK]
    return create()


def event(kind: str, changed: dict[str, Any]) -> dict[str, Any]:
    return {"id": "evt_1", "object": "event", "type": kind, "data": {"object": changed}}


@pytest.mark.parametrize(
    ("changed", "reference"),
    [
        ({"object": "payment_intent", "id": "pi_1"}, "pi_1"),
        ({"object": "charge", "id": "ch_1", "payment_intent": "pi_1"}, "pi_1"),
        ({"object": "refund", "id": "re_1", "payment_intent": {"id": "pi_1", "object": "payment_intent"}}, "pi_1"),
        ({"object": "dispute", "id": "dp_1", "payment_intent": "pi_1"}, "pi_1"),
        ({"object": "charge", "id": "ch_1", "payment_intent": None}, ""),
        ({"object": "customer", "id": "cus_1"}, ""),
    ],
)
def test_an_event_names_its_payment(provider: Stripe, changed: dict[str, Any], reference: str) -> None:
    body, headers = signed(event("a.kind", changed), WEBHOOK)
    assert provider.parse_event(body, headers) == Event("evt_1", "a.kind", reference)


PAID = event("payment_intent.succeeded", {"object": "payment_intent", "id": "pi_1"})


def test_two_secrets_during_a_rotation(provider: Stripe, settings: Any) -> None:
    settings.STRIPE_WEBHOOK_SECRETS = ["whsec_the_new_one", WEBHOOK]
    for secret in settings.STRIPE_WEBHOOK_SECRETS:
        body, headers = signed(PAID, secret)
        assert provider.parse_event(body, {name.lower(): value for name, value in headers.items()}).reference == "pi_1"
    body, headers = signed(PAID, WEBHOOK)
    settings.STRIPE_WEBHOOK_SECRETS = ["whsec_the_new_one"]
    with pytest.raises(InvalidSignature):
        provider.parse_event(body, headers)


@pytest.mark.parametrize("age", [0, 290])
def test_a_signature_within_the_tolerance(provider: Stripe, age: float) -> None:
    assert provider.parse_event(*signed(PAID, WEBHOOK, age=age)).reference == "pi_1"


def forged() -> list[tuple[str, bytes, dict[str, str]]]:
    body, headers = signed(PAID, WEBHOOK)
    value = headers["Stripe-Signature"]
    return [
        ("another secret", *signed(PAID, "whsec_of_somebody_else")),
        ("old", *signed(PAID, WEBHOOK, age=310)),
        ("another body", body.replace(b"pi_1", b"pi_2"), headers),
        ("another time", body, {"Stripe-Signature": "t=9" + value.partition("t=")[2]}),
        ("another scheme", body, {"Stripe-Signature": value.replace("v1=", "v0=")}),
        ("no signature", body, {}),
        ("an empty one", body, {"Stripe-Signature": ""}),
        ("no header at all", body, {"Stripe-Signature": "\x00" * 5}),
        ("no text", b"\xff\xfe", headers),
        ("no JSON, signed", *signed_bytes("{")),
        ("no object, signed", *signed_bytes("[]")),
        ("no event, signed", *signed_bytes('{"object": "event"}')),
        ("a thin event, signed", *signed_bytes('{"object": "v2.core.event", "id": "evt_1"}')),
    ]


def signed_bytes(text: str) -> tuple[bytes, dict[str, str]]:
    return text.encode(), {"Stripe-Signature": stripe.WebhookSignature.generate_signature_header(text, WEBHOOK)}


@pytest.mark.parametrize("case", [name for name, _, _ in forged()])
def test_a_forged_or_broken_event(provider: Stripe, case: str) -> None:
    [(body, headers)] = [(body, headers) for name, body, headers in forged() if name == case]
    with pytest.raises(InvalidSignature) as raised:
        provider.parse_event(body, headers)
    assert WEBHOOK not in str(raised.value)


def test_without_a_webhook_secret_every_event_is_refused(provider: Stripe, settings: Any) -> None:
    settings.STRIPE_WEBHOOK_SECRETS = []
    with pytest.raises(InvalidSignature):
        provider.parse_event(*signed(PAID, ""))
