"""A running test provider, and a stand-in of the shop that receives its events."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import requests

from payments.providers.base import Attempt
from payments.providers.test import TestProvider
from payments.test_provider.server import Server
from tests.ports import free_port

SECRET_KEY = "a-key-of-the-tests-alone-that-signs-nothing"


@dataclass
class Received:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> Any:
        return json.loads(self.body)


class Shop(ThreadingHTTPServer):
    """Receives events, and answers with `status`."""

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Receiver)
        self.received: list[Received] = []
        self.status = 200
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def close(self) -> None:
        self.shutdown()
        self.server_close()


class Receiver(BaseHTTPRequestHandler):
    server: Shop

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append(Received(self.path, dict(self.headers), body))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


@dataclass
class Running:
    """A provider in a thread of this process, its client, and the shop's stand-in."""

    folder: Path
    shop: Shop
    url: str = field(default_factory=lambda: f"http://127.0.0.1:{free_port()}")

    def start(self) -> "Running":
        self.server = Server(self.url, folder=self.folder, shop_url=self.shop.url, secret_key=SECRET_KEY)
        self.client = TestProvider(self.url, secret_key=SECRET_KEY)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def stop(self) -> None:
        self.server.shutdown()
        self.server.close()

    def pay(self, reference: str, **fields: str) -> requests.Response:
        """Send the form of the payment's page."""
        return requests.post(f"{self.url}/pay/{reference}", data=fields, timeout=10, allow_redirects=False)

    def new(self, key: str = "key", **members: Any) -> str:
        """Start a payment; return its reference."""
        return self.client.start(attempt(key, **members)).reference

    def paid(self, course: str = "pays", key: str = "key", **fields: str) -> str:
        reference = self.new(key)
        answer = self.pay(reference, course=course, **fields)
        assert answer.status_code == 303, answer.text
        return reference

    def faults(self, **members: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.client.token}"}
        return requests.post(f"{self.url}/faults", json=members, headers=headers, timeout=10)


def attempt(key: str = "key", **members: Any) -> Attempt:
    given: dict[str, Any] = {
        "order_number": "A-1",
        "amount": Decimal("19.90"),
        "currency": "EUR",
        "return_url": "http://127.0.0.1:5173/done?order=A-1",
    }
    return Attempt(key=key, **given | members)


Start = Callable[[], Running]
