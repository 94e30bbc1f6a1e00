"""The client of the test provider (payments/test_provider), as the shop calls it."""

import http.client
import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from django.conf import settings

from payments.providers.base import (
    Attempt,
    Event,
    InvalidSignature,
    Money,
    Provider,
    ProviderRefused,
    ProviderUnavailable,
    RefundSnapshot,
    RefundState,
    Snapshot,
    Started,
    State,
)
from payments.test_provider import signing

TIMEOUT = 5.0  # seconds, to connect and for each read
ANSWER_MAX = 2_000_000  # bytes: a page of a hundred payments
REFUSALS = {400, 404, 409, 413, 422}


class TestProvider:
    """The provider that `make run` starts."""

    __test__ = False  # pytest would take the name for that of a test
    code = "test"
    name = "Test provider"
    instructions = ""
    publishable_key: str | None = None

    def __init__(self, url: str, *, secret_key: str) -> None:
        self.url = urlsplit(url)
        self.token = signing.api_token(secret_key)
        self.event_secret = signing.event_secret(secret_key)

    def start(self, attempt: Attempt) -> Started:
        body = {
            "key": attempt.key,
            "order_number": attempt.order_number,
            "amount": f"{attempt.amount:.2f}",
            "currency": attempt.currency,
            "return_url": attempt.return_url,
        }
        answer = self._call("POST", "/api/payments", body)
        with readable():
            return Started(reference=member(answer, "reference"), redirect_url=member(answer, "redirect_url"))

    def fetch(self, reference: str) -> Snapshot:
        return snapshot(self._call("GET", f"/api/payments/{quote(reference, safe='')}"))

    def cancel(self, reference: str) -> Snapshot:
        return snapshot(self._call("POST", f"/api/payments/{quote(reference, safe='')}/cancel"))

    def refund(self, reference: str, *, amount: Decimal, key: str) -> RefundSnapshot:
        path = f"/api/payments/{quote(reference, safe='')}/refunds"
        return refund_snapshot(self._call("POST", path, {"amount": f"{amount:.2f}", "key": key}))

    def parse_event(self, body: bytes, headers: Mapping[str, str]) -> Event:
        header = headers.get(signing.HEADER, "")
        if not signing.is_signed(body, header, secret=self.event_secret, now=time.time()):
            raise InvalidSignature("the signature is not the test provider's, or too old")
        try:
            event = json.loads(body)
            return Event(id=event["id"], kind=event["type"], reference=event["payment"]["reference"])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise InvalidSignature("the event cannot be read") from error

    def list_since(self, since: datetime) -> Iterator[Snapshot]:
        query = {"since": since.isoformat()}
        while query:
            answer = self._call("GET", f"/api/payments?{urlencode(query)}")
            with readable():
                found = [snapshot(members) for members in answer["results"]]
                after = member(answer, "after")
            yield from found
            query = {"after": after} if after else {}

    def _call(self, method: str, path: str, body: dict[str, str] | None = None) -> dict[str, Any]:
        """The JSON object of the answer. Raises ProviderUnavailable or ProviderRefused."""
        try:
            status, raw = self._send(method, path, json.dumps(body or {}).encode())
            answer = json.loads(raw)
        except (OSError, http.client.HTTPException, ValueError, RecursionError) as error:
            raise ProviderUnavailable(f"the test provider gave no answer: {type(error).__name__}") from error
        if not isinstance(answer, dict):
            raise ProviderUnavailable("the test provider's answer is no object")
        if status in REFUSALS:
            raise ProviderRefused(str(answer.get("error", status))[:300])
        if status != 200:
            raise ProviderUnavailable(f"the test provider answered {status}: {str(answer.get('error', ''))[:300]}")
        return answer

    def _send(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        host, port = self.url.hostname or "", self.url.port
        with closing(http.client.HTTPConnection(host, port, timeout=TIMEOUT)) as connection:
            headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            raw = answer.read(ANSWER_MAX + 1)
            if len(raw) > ANSWER_MAX:
                raise ValueError("the answer is too long")
            return answer.status, raw


def create() -> Provider:
    return TestProvider(settings.TEST_PROVIDER_URL, secret_key=settings.SECRET_KEY)


@contextmanager
def readable() -> Iterator[None]:
    """Raise ProviderUnavailable for an answer that lacks what it must have."""
    try:
        yield
    except (KeyError, TypeError, ValueError) as error:
        raise ProviderUnavailable("the test provider's answer cannot be read") from error


def snapshot(members: dict[str, Any]) -> Snapshot:
    """What the provider's books say about a payment. Raises ProviderUnavailable if it cannot be read."""
    with readable():
        return Snapshot(
            reference=member(members, "reference"),
            key=member(members, "key"),
            state=State(member(members, "state")),
            amount=amount(members),
            currency=member(members, "currency"),
            captures=[movement(each) for each in members["captures"]],
            refunds=[refund_snapshot(each) for each in members["refunds"]],
            chargebacks=[movement(each) for each in members["chargebacks"]],
            chargeback_reversals=[movement(each) for each in members["chargeback_reversals"]],
            error=member(members, "error"),
        )


def refund_snapshot(members: dict[str, Any]) -> RefundSnapshot:
    """What the books say about a refund. Raises ProviderUnavailable if it cannot be read."""
    with readable():
        return RefundSnapshot(
            reference=member(members, "reference"),
            amount=amount(members),
            state=RefundState(member(members, "state")),
            occurred_at=datetime.fromisoformat(member(members, "occurred_at")),
            key=member(members, "key"),
            error=member(members, "error"),
        )


def movement(members: dict[str, Any]) -> Money:
    return Money(
        reference=member(members, "reference"),
        amount=amount(members),
        occurred_at=datetime.fromisoformat(member(members, "occurred_at")),
    )


def member(members: dict[str, Any], name: str) -> str:
    """A text of the answer. Raises ValueError for anything else."""
    value = members[name]
    if not isinstance(value, str):
        raise ValueError(f"{name} is no text")
    return value


def amount(members: dict[str, Any]) -> Decimal:
    """Raises ValueError unless the amount has two decimals."""
    text = member(members, "amount")
    if not re.fullmatch(r"[0-9]{1,17}\.[0-9]{2}", text):
        raise ValueError("the amount has not two decimals")
    return Decimal(text)
