"""The client of the test provider: what it makes of answers that are wrong, late or missing, and of events."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

import pytest
from django.conf import settings

from payments.providers import provider
from payments.providers import test as client_module
from payments.providers.base import InvalidSignature, ProviderRefused, ProviderUnavailable
from payments.providers.test import TestProvider
from payments.test_provider import signing
from tests.payments.test_provider.running import SECRET_KEY, attempt
from tests.ports import free_port

pytestmark = pytest.mark.embedded


@contextmanager
def answering(raw: bytes, *, hang: bool = False) -> Iterator[TestProvider]:
    """A client whose provider answers each request with these bytes."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while not stop.is_set():
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65_536)
                    connection.sendall(raw)
                    if hang:
                        stop.wait(5)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield TestProvider(f"http://127.0.0.1:{listener.getsockname()[1]}", secret_key=SECRET_KEY)
        stop.set()
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def http(status: int, body: bytes) -> bytes:
    return f"HTTP/1.0 {status} X\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


MOVEMENT = {"reference": "tpm_1", "amount": "19.90", "occurred_at": "2026-11-26T21:00:00Z"}
GOOD = {
    "reference": "tp_1", "key": "key", "state": "succeeded", "amount": "19.90", "currency": "EUR", "error": "",
    "captures": [MOVEMENT],
    "refunds": [], "chargebacks": [], "chargeback_reversals": [],
}  # fmt: skip


def test_a_good_answer_is_read() -> None:
    with answering(http(200, json.dumps(GOOD).encode())) as client:
        assert client.fetch("tp_1").captures[0].amount == Decimal("19.90")


@pytest.mark.parametrize(
    "change",
    [
        {"state": "paid"}, {"state": None}, {"amount": 19.9}, {"amount": "19.9"}, {"amount": "NaN"}, {"captures": None},
        {"captures": [{}]}, {"captures": ["x"]}, {"captures": [MOVEMENT | {"occurred_at": "x"}]},
        {"refunds": [MOVEMENT]},
    ],
)  # fmt: skip
def test_an_answer_that_makes_no_sense_is_none(change: dict[str, object]) -> None:
    with answering(http(200, json.dumps(GOOD | change).encode())) as client, pytest.raises(ProviderUnavailable):
        client.fetch("tp_1")


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"nonsense", b"HTTP/1.0 200 X\r\nContent-Length: 500\r\n\r\nshort", http(200, b"<html>"), http(200, b"[]"),
        http(200, b"{}"), http(500, b"{}"), http(503, b"{}"), http(429, b"{}"), http(401, b"{}"), http(302, b"{}"),
        http(200, b"x" * 2_000_001), http(200, b"[" * 100_000),
    ],
    ids=lambda raw: raw[:30],
)  # fmt: skip
def test_whether_a_call_had_an_effect_is_unknown(raw: bytes) -> None:
    with answering(raw) as client:
        with pytest.raises(ProviderUnavailable):
            client.start(attempt())
        with pytest.raises(ProviderUnavailable):
            list(client.list_since(attempt_time()))


def attempt_time() -> client_module.datetime:
    return client_module.datetime(2026, 11, 26)


@pytest.mark.parametrize("status", [400, 404, 409, 413, 422])
def test_a_refusal_says_why(status: int) -> None:
    with answering(http(status, b'{"error": "because"}')) as client, pytest.raises(ProviderRefused, match="because"):
        client.cancel("tp_1")


@pytest.mark.parametrize("raw", [b"", b"HTTP/1.0 200 X\r\nContent-Length: 500\r\n\r\npart"])
def test_a_provider_that_hangs_is_left_after_the_timeout(monkeypatch: pytest.MonkeyPatch, raw: bytes) -> None:
    monkeypatch.setattr(client_module, "TIMEOUT", 0.2)
    with answering(raw, hang=True) as client:
        before = time.monotonic()
        with pytest.raises(ProviderUnavailable):
            client.refund("tp_1", amount=Decimal("1"), key="key")
        assert time.monotonic() - before < 2


def test_nobody_listens() -> None:
    client = TestProvider(f"http://127.0.0.1:{free_port()}", secret_key=SECRET_KEY)
    with pytest.raises(ProviderUnavailable, match="ConnectionRefusedError"):
        client.fetch("tp_1")


def test_no_secret_is_in_an_error() -> None:
    client = TestProvider(f"http://127.0.0.1:{free_port()}", secret_key=SECRET_KEY)
    with pytest.raises(ProviderUnavailable) as caught:
        client.start(attempt())
    assert client.token not in str(caught.value)
    assert client.event_secret not in str(caught.value)


BODY = b'{"id": "tpe_1", "type": "payment.changed", "payment": {"reference": "tp_1"}}'


def parsed(body: bytes, *, signed: bytes | None = None, at: float = 0.0) -> object:
    client = TestProvider("http://127.0.0.1:1", secret_key=SECRET_KEY)
    header = signing.sign(signed or body, secret=client.event_secret, at=int(time.time() + at))
    return client.parse_event(body, {signing.HEADER: header})


def test_a_signed_event_is_read() -> None:
    assert parsed(BODY) == client_module.Event(id="tpe_1", kind="payment.changed", reference="tp_1")


def test_an_event_of_somebody_else_or_of_long_ago_is_refused() -> None:
    for at in (-310, 310):
        with pytest.raises(InvalidSignature):
            parsed(BODY, at=at)
    with pytest.raises(InvalidSignature):
        parsed(BODY, signed=BODY + b" ")
    with pytest.raises(InvalidSignature):
        TestProvider("http://127.0.0.1:1", secret_key=SECRET_KEY).parse_event(BODY, {})


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b"\xff", b'{"id": "x", "type": "y", "payment": 5}', b"[" * 60_000],
    ids=lambda body: body[:20],
)
def test_a_signed_event_that_cannot_be_read_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidSignature):
        parsed(body)


def test_it_is_made_from_the_settings() -> None:
    created = provider("test")
    assert isinstance(created, TestProvider)
    assert created.url.geturl() == settings.TEST_PROVIDER_URL
    assert created.token == signing.api_token(settings.SECRET_KEY)
