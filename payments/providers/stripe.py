"""Stripe, by its own library: PaymentIntents that are captured automatically.

Each operation has a session and a deadline of its own: nothing is shared between threads or processes, and nobody
waits longer than `SECONDS` for a server that hangs. The library retries nothing: the sweeps do.
"""

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import requests
import stripe
import urllib3
from django.conf import settings

from payments.providers.base import (
    Attempt,
    Event,
    InvalidSignature,
    Money,
    ProviderRefused,
    ProviderUnavailable,
    RefundSnapshot,
    RefundState,
    Snapshot,
    Started,
    State,
)

API_VERSION = "2026-10-28.endive"  # whose objects this module reads
SECONDS = 9.0  # of one operation, which may be several calls
CALL_SECONDS = 5.0
TOLERANCE = 300  # seconds between an event's signature and its arrival
PAGE = 100
ERROR_MAX = 300
SECRETS = re.compile(r"\b(?:(?:sk|rk|whsec)_\w+|\w+_secret_\w+)")

STATES = {"succeeded": State.SUCCEEDED, "canceled": State.CANCELLED}  # in all others the customer can still pay
REFUND_STATES = {
    "succeeded": RefundState.DONE,
    "failed": RefundState.FAILED,
    "canceled": RefundState.FAILED,
}  # all others are pending
# Events of money that goes back or returns, also of old payments: `list_since` finds them by these, and by PAID the old
# payments that were paid lately, such as by a direct debit.
CHANGES = [
    "charge.dispute.created", "charge.dispute.funds_reinstated", "charge.dispute.funds_withdrawn", "charge.refunded",
    "refund.created", "refund.failed", "refund.updated",
]  # fmt: skip
PAID = "payment_intent.succeeded"
# Stripe's currencies whose amounts are not in hundredths: https://docs.stripe.com/currencies. The shop takes none of
# them, but another system with the same account may.
WHOLE = {
    "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF",
}  # fmt: skip
THOUSANDTHS = {"BHD", "JOD", "KWD", "OMR", "TND"}  # Stripe takes multiples of ten of them
# The call was refused, and has no effect; repeating it would not help. An invalid key, and one without a permission, is
# not among them: the calls succeed once the operator has corrected it.
REFUSALS = (stripe.CardError, stripe.InvalidRequestError, stripe.IdempotencyError)
Fields = dict[str, Any]  # an object of the API


class Session(requests.Session):
    """A session whose calls all end before its deadline."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.deadline = time.monotonic() + seconds

    def request(self, *args: Any, **options: Any) -> requests.Response:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise requests.Timeout("The calls took too long together.")
        total = min(CALL_SECONDS, left)
        return super().request(*args, **options | {"timeout": urllib3.Timeout(connect=total, read=total, total=total)})


class Stripe:
    """The provider. Raises ProviderUnavailable and ProviderRefused without any secret in their texts."""

    code = "stripe"
    name = "Card and other methods"
    instructions = ""

    @property
    def publishable_key(self) -> str | None:
        return settings.STRIPE_PUBLISHABLE_KEY or None

    def start(self, attempt: Attempt) -> Started:
        with connected() as client:
            intent = client.v1.payment_intents.create(
                {
                    "amount": in_cents(attempt.amount),
                    "currency": attempt.currency.lower(),
                    "capture_method": "automatic",
                    "automatic_payment_methods": {"enabled": True},
                    "description": f"Order {attempt.order_number}",
                    "metadata": {"payment_key": attempt.key, "order": attempt.order_number},
                },
                {"idempotency_key": attempt.key},
            )
            return Started(reference=intent.id, client_secret=intent.client_secret or "")

    def fetch(self, reference: str) -> Snapshot:
        with connected() as client:
            return _snapshot(client, reference)

    def cancel(self, reference: str) -> Snapshot:
        with connected() as client:
            try:
                client.v1.payment_intents.cancel(reference)
            except stripe.InvalidRequestError as error:
                if error.code != "payment_intent_unexpected_state":
                    raise
            return _snapshot(client, reference)

    def refund(self, reference: str, *, amount: Decimal, key: str) -> RefundSnapshot:
        with connected() as client:
            # Stripe forgets idempotency keys after a day; the metadata stay.
            for known in _refunds(client, reference):
                if known.key == key:
                    return known
            made = client.v1.refunds.create(
                {"payment_intent": reference, "amount": in_cents(amount), "metadata": {"refund_key": key}},
                {"idempotency_key": key},
            )
            return _refund(made.to_dict())

    def parse_event(self, body: bytes, headers: Mapping[str, str]) -> Event:
        header = next((value for name, value in headers.items() if name.lower() == "stripe-signature"), "")
        for secret in settings.STRIPE_WEBHOOK_SECRETS:
            try:
                event = stripe.Webhook.construct_event(body, header, secret, TOLERANCE).to_dict()
                return Event(
                    id=str(event["id"]), kind=str(event["type"]), reference=_reference(event["data"]["object"])
                )
            except stripe.SignatureVerificationError:
                continue
            except (ValueError, LookupError, TypeError, AttributeError) as error:
                raise InvalidSignature(f"The body is no event of Stripe: {type(error).__name__}") from None
        raise InvalidSignature("No STRIPE_WEBHOOK_SECRET fits the signature, or it is older than 300 seconds.")

    def list_since(self, since: datetime) -> Iterator[Snapshot]:
        """The payments that were created or changed since then; Stripe keeps its events of changes for 30 days."""
        recent = {"created": {"gte": int(since.timestamp())}}
        changed: dict[str, str] = {}  # the payments in no list of recent ones so far, with the kind of an event
        for event in _pages("events", recent | {"types": [*CHANGES, PAID]}):
            with translated():
                reference, kind = _reference(event["data"]["object"]), event["type"]
                changed[reference] = kind if changed.get(reference, PAID) == PAID else changed[reference]
        for intent in _pages("payment_intents", recent | {"expand": ["data.latest_charge"]}):
            with translated():
                # One call for each payment that has refunds or disputes, or may have; none for all others.
                is_simple = changed.pop(intent["id"], PAID) == PAID and _is_simple(intent)
                snapshot = _read(intent, refunds=[], disputes=[]) if is_simple else self.fetch(intent["id"])
            yield snapshot
        for reference in filter(None, changed):
            yield self.fetch(reference)


def create() -> Stripe:
    stripe.enable_telemetry = False
    return Stripe()


def in_cents(amount: Decimal) -> int:
    """An amount as Stripe takes it, for a currency of two decimals: others are refused with the settings."""
    cents = amount.scaleb(2)
    if cents != int(cents):
        raise ValueError(f"{amount} has more than two decimals.")
    return int(cents)


def from_cents(cents: int, currency: str) -> Decimal:
    """An amount of Stripe's, which is in the currency's smallest unit."""
    if currency.upper() in WHOLE:
        return Decimal(cents)
    if currency.upper() in THOUSANDTHS:
        return Decimal(cents).scaleb(-3).quantize(Decimal("0.01"))
    return Decimal(cents).scaleb(-2)


@contextmanager
def connected() -> Iterator[stripe.StripeClient]:
    """A client for one operation of at most SECONDS. Its errors become ProviderUnavailable and ProviderRefused."""
    if not settings.STRIPE_SECRET_KEY:
        raise ProviderUnavailable("STRIPE_SECRET_KEY is not set.")
    with Session(SECONDS) as session, translated():
        base: Any = {"api": settings.STRIPE_API_BASE} if settings.STRIPE_API_BASE else {}
        client = stripe.StripeClient(
            settings.STRIPE_SECRET_KEY,
            stripe_version=API_VERSION,
            base_addresses=base,
            max_network_retries=0,
            http_client=stripe.RequestsClient(session=session),
        )
        yield client


@contextmanager
def translated() -> Iterator[None]:
    """Raise ProviderUnavailable and ProviderRefused in place of the library's errors, and for what cannot be read."""
    try:
        yield
    # `from None`: a library's error has the whole response, and may quote a secret.
    except REFUSALS as error:
        raise ProviderRefused(without_secrets(error.user_message or type(error).__name__)) from None
    except (LookupError, TypeError, AttributeError) as error:
        raise ProviderUnavailable(f"Stripe's response was not as expected: {type(error).__name__}") from error
    except stripe.StripeError as error:
        raise ProviderUnavailable(without_secrets(f"{type(error).__name__}: {error.user_message}")) from None


def without_secrets(text: str) -> str:
    for secret in (settings.STRIPE_SECRET_KEY, *settings.STRIPE_WEBHOOK_SECRETS):
        text = text.replace(secret, "***") if secret else text
    return " ".join(SECRETS.sub("***", text).split())[:ERROR_MAX]


def _pages(name: str, wanted: Fields) -> Iterator[Fields]:
    """The objects of a list, newest first. Each page is an operation of its own, and one is in memory at a time."""
    after: Fields = {}
    while True:
        with connected() as client:
            page = getattr(client.v1, name).list(wanted | after | {"limit": PAGE}).to_dict()
            rows, has_more = page["data"], page["has_more"]
        yield from rows
        if not rows or not has_more:
            return
        after = {"starting_after": rows[-1]["id"]}


def _snapshot(client: stripe.StripeClient, reference: str) -> Snapshot:
    """The whole of Stripe's books about a payment: one call while no money has moved, two or three afterwards."""
    intent = client.v1.payment_intents.retrieve(reference, {"expand": ["latest_charge"]}).to_dict()
    charge = _capture(intent)
    refunds = _refunds(client, reference) if charge else []
    disputes = _disputes(client, reference) if charge and charge["disputed"] else []
    return _read(intent, refunds=refunds, disputes=disputes)


def _capture(intent: Fields) -> Fields | None:
    """The charge that has captured the money: only the last one of an intent can have succeeded."""
    charge: Fields = intent.get("latest_charge") or {}
    return charge if charge.get("status") == "succeeded" and charge["captured"] else None


def _is_simple(intent: Fields) -> bool:
    """Whether no money has gone back, by the intent's last charge."""
    charge = _capture(intent)
    return charge is None or not (charge["amount_refunded"] or charge["disputed"])


def _read(intent: Fields, *, refunds: Sequence[RefundSnapshot], disputes: Sequence[Fields]) -> Snapshot:
    charge = _capture(intent)
    moved = [(dispute, row) for dispute in disputes for row in dispute["balance_transactions"]]
    return Snapshot(
        reference=intent["id"],
        key=(intent.get("metadata") or {}).get("payment_key", ""),
        state=STATES.get(intent["status"], State.OPEN),
        amount=from_cents(intent["amount"], intent["currency"]),
        currency=intent["currency"].upper(),
        captures=[_money(charge, charge["amount_captured"], charge["currency"])] if charge else [],
        refunds=refunds,
        chargebacks=[_moved(*each) for each in moved if each[1]["amount"] < 0],
        chargeback_reversals=[_moved(*each) for each in moved if each[1]["amount"] > 0],
        error=without_secrets((intent.get("last_payment_error") or {}).get("message") or ""),
    )


def _refunds(client: stripe.StripeClient, reference: str) -> list[RefundSnapshot]:
    listed = client.v1.refunds.list({"payment_intent": reference, "limit": PAGE})
    return [_refund(refund.to_dict()) for refund in listed.auto_paging_iter()]


def _refund(refund: Fields) -> RefundSnapshot:
    return RefundSnapshot(
        reference=refund["id"],
        amount=from_cents(refund["amount"], refund["currency"]),
        state=REFUND_STATES.get(refund["status"], RefundState.PENDING),
        occurred_at=datetime.fromtimestamp(refund["created"], UTC),
        key=(refund.get("metadata") or {}).get("refund_key", ""),
        error=str(refund.get("failure_reason") or ""),
    )


def _disputes(client: stripe.StripeClient, reference: str) -> list[Fields]:
    listed = client.v1.disputes.list({"payment_intent": reference, "limit": PAGE})
    return [dispute.to_dict() for dispute in listed.auto_paging_iter()]


def _moved(dispute: Fields, transaction: Fields) -> Money:
    """Money that a dispute withdrew or brought back, without its fee.

    The transaction is in the currency of the account. If that is another one, the amount is that of the dispute.
    """
    same = transaction["currency"] == dispute["currency"]
    cents = abs(transaction["amount"]) if same else dispute["amount"]
    return _money(transaction, cents, dispute["currency"])


def _money(moved: Fields, cents: int, currency: str) -> Money:
    occurred_at = datetime.fromtimestamp(moved["created"], UTC)
    return Money(reference=moved["id"], amount=from_cents(cents, currency), occurred_at=occurred_at)


def _reference(changed: Fields) -> str:
    """The payment that an event's object is about, or empty: of an intent itself, a charge, a refund or a dispute."""
    if changed.get("object") == "payment_intent":
        return str(changed["id"])
    found = changed.get("payment_intent") or ""
    return str(found["id"]) if isinstance(found, dict) else str(found)
