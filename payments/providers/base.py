"""What a payment provider must be able to do, and how it says how a payment stands."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

REFERENCE_MAX, SECRET_MAX, URL_MAX = 255, 255, 2_000  # the columns' lengths
AMOUNT = re.compile(r"[0-9]{1,18}(?:\.[0-9]{1,2})?")  # what the columns have room for


class State(StrEnum):
    """How an attempt stands at its provider."""

    OPEN = "open"  # the customer can still pay
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class RefundState(StrEnum):
    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class Money:
    """A movement in the provider's books; `reference` is its id there, `amount` is positive.

    Raises ValueError for what the ledger cannot store, as do the snapshots and what starts a payment.
    """

    reference: str
    amount: Decimal
    occurred_at: datetime

    def __post_init__(self) -> None:
        _check_reference(self.reference)
        _check_amount(self.amount)
        _check_time(self.occurred_at)


@dataclass(frozen=True)
class RefundSnapshot:
    """A refund in the provider's books. `key` is our Refund.key, empty if it was made at the provider's own site."""

    reference: str
    amount: Decimal
    state: RefundState
    occurred_at: datetime
    key: str = ""
    error: str = ""

    def __post_init__(self) -> None:
        _check_reference(self.reference)
        _check_amount(self.amount)
        _check_time(self.occurred_at)


@dataclass(frozen=True)
class Snapshot:
    """How a payment stands at its provider: the whole of its books about it.

    `reference` is the provider's id of the payment, `key` our Payment.key.
    """

    reference: str
    key: str
    state: State
    amount: Decimal
    currency: str
    captures: Sequence[Money] = ()
    refunds: Sequence[RefundSnapshot] = ()
    chargebacks: Sequence[Money] = ()
    chargeback_reversals: Sequence[Money] = ()
    error: str = ""

    def __post_init__(self) -> None:
        _check_reference(self.reference)


@dataclass(frozen=True)
class Attempt:
    """What a provider must know to start a payment. `key` is its idempotency key and our name of the payment."""

    key: str
    order_number: str
    amount: Decimal
    currency: str
    return_url: str


@dataclass(frozen=True)
class Started:
    """A started payment: how the customer goes on."""

    reference: str
    client_secret: str = ""
    redirect_url: str = ""

    def __post_init__(self) -> None:
        _check_reference(self.reference)
        if len(self.client_secret) > SECRET_MAX or len(self.redirect_url) > URL_MAX:
            raise ValueError("The secret or the URL is too long.")


@dataclass(frozen=True)
class Event:
    """A provider's event. `reference` is that of the payment it is about; empty if it is about none."""

    id: str
    kind: str
    reference: str


class ProviderUnavailable(Exception):
    """The provider did not answer, or answered with an error of its own: whether the call had an effect is unknown."""


class ProviderRefused(Exception):
    """The provider refused the call: it had no effect, and repeating it would not help."""


class InvalidSignature(Exception):
    """The event is not of the provider, or too old."""


class Provider(Protocol):
    """A provider. Its calls raise ProviderUnavailable or ProviderRefused, and end within 10 seconds.

    `calling.calling` takes any other exception for a fault of the provider's code: the call has no answer then.

    A call with a key that was used before has no second effect and answers as the first.
    """

    code: str
    name: str
    instructions: str  # what the customer has to know; may be empty
    publishable_key: str | None

    def start(self, attempt: Attempt) -> Started: ...

    def fetch(self, reference: str) -> Snapshot: ...

    def cancel(self, reference: str) -> Snapshot:
        """Cancel the payment if it is open; return how it stands then, which may be succeeded."""
        ...

    def refund(self, reference: str, *, amount: Decimal, key: str) -> RefundSnapshot: ...

    def parse_event(self, body: bytes, headers: Mapping[str, str]) -> Event:
        """Check the signature over the raw body and return the event. Raises InvalidSignature."""
        ...

    def list_since(self, since: datetime) -> Iterator[Snapshot]:
        """The payments that were created or changed since then."""
        ...


def _check_reference(reference: str) -> None:
    if not isinstance(reference, str) or not 0 < len(reference) <= REFERENCE_MAX:
        raise ValueError(f"A reference has 1 to {REFERENCE_MAX} characters.")


def _check_amount(amount: Decimal) -> None:
    if not isinstance(amount, Decimal) or not AMOUNT.fullmatch(str(amount)):
        raise ValueError("An amount has at most 18 digits and two decimals, and is not negative.")


def _check_time(time: datetime) -> None:
    if time.tzinfo is None:
        raise ValueError("A time has a time zone.")
