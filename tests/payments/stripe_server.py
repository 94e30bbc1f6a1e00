"""A stand-in for Stripe's server on loopback: the part of the API that the shop uses, in memory.

Requests are form-encoded, responses JSON; a request with a known Idempotency-Key has no second effect. Tests pay,
refund and dispute at this server directly, as customers and the provider's own site do, and plan its faults.
"""

import json
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import stripe

from payments.providers.base import Attempt

KEY = "sk_test_0123456789abcdefghijklmn"
WEBHOOK = "whsec_0123456789abcdefghijklmnopqrst"
ATTEMPT = Attempt("a" * 32, "2026-ABCD", Decimal("19.90"), "EUR", "https://shop.example/thanks")
Row = dict[str, Any]
ids = count(1)


class Refusal(Exception):
    def __init__(self, status: int, message: str, code: str = "", kind: str = "invalid_request_error") -> None:
        self.status, self.error = status, {"type": kind, "code": code, "message": message}


@dataclass
class Books:
    """What the server knows, and its planned faults: each is taken by one request.

    `500`, `429`: no effect. `500 after`, `hang`, `slow`: the effect, and then an error, no response, or a late one.
    """

    intents: dict[str, Row] = field(default_factory=dict)
    charges: dict[str, Row] = field(default_factory=dict)
    refunds: dict[str, Row] = field(default_factory=dict)
    disputes: dict[str, Row] = field(default_factory=dict)
    events: dict[str, Row] = field(default_factory=dict)
    faults: deque[str] = field(default_factory=deque)
    requests: list[tuple[str, str]] = field(default_factory=list)  # method and path
    headers: list[dict[str, str]] = field(default_factory=list)
    replies: dict[str, tuple[Any, int, Row]] = field(default_factory=dict)  # by idempotency key
    page: int = 100  # the largest page
    refund_status: str = "succeeded"
    released: threading.Event = field(default_factory=threading.Event)  # ends what hangs
    lock: threading.RLock = field(default_factory=threading.RLock)

    def create_intent(self, form: Row) -> Row:
        if int(form["amount"]) < 50:
            raise Refusal(400, "Amount must be at least 50 cents", "amount_too_small")
        number = new_id("pi")
        intent = {
            "id": number,
            "object": "payment_intent",
            "amount": int(form["amount"]),
            "currency": form["currency"],
            "status": "requires_payment_method",
            "client_secret": f"{number}_secret_{next(ids):08d}",
            "metadata": nested(form, "metadata"),
            "capture_method": form.get("capture_method"),
            "latest_charge": None,
            "last_payment_error": None,
            "created": int(time.time()),
        }
        self.intents[number] = intent
        return intent

    def cancel(self, number: str) -> Row:
        intent = self.intent(number)
        if intent["status"] in ("succeeded", "canceled", "processing"):
            message = f"You cannot cancel this PaymentIntent because it has a status of {intent['status']}."
            raise Refusal(400, message, "payment_intent_unexpected_state")
        intent["status"] = "canceled"
        self.record("payment_intent.canceled", intent)
        return intent

    def create_refund(self, form: Row) -> Row:
        intent = self.intent(form["payment_intent"])
        charge = self.charges.get(intent["latest_charge"] or "")
        if charge is None or charge["status"] != "succeeded":
            raise Refusal(400, "This PaymentIntent does not have a successful charge to refund.")
        if charge["amount_refunded"] + int(form["amount"]) > charge["amount_captured"]:
            raise Refusal(400, "Refund amount is greater than unrefunded amount on charge", "charge_already_refunded")
        return self.refund(intent["id"], int(form["amount"]), metadata=nested(form, "metadata"))

    # What customers, and the shop at the provider's own site, do.

    def pay(self, number: str, status: str = "succeeded") -> str:
        intent = self.intents[number]
        charge: Row = {
            "id": new_id("ch"),
            "object": "charge",
            "payment_intent": number,
            "status": status,
            "captured": True,
            "disputed": False,
            "amount_captured": intent["amount"],
            "amount_refunded": 0,
            "currency": intent["currency"],
            "created": int(time.time()),
        }
        self.charges[charge["id"]] = charge
        intent |= {"latest_charge": charge["id"], "status": "succeeded" if status == "succeeded" else "processing"}
        self.record("payment_intent.succeeded", intent)
        return str(charge["id"])

    def decline(self, number: str, message: str = "Your card was declined.") -> None:
        charge = self.pay(number, status="failed")
        self.charges[charge]["captured"] = False
        self.intents[number] |= {"status": "requires_payment_method", "last_payment_error": {"message": message}}

    def refund(self, number: str, amount: int, *, metadata: Row | None = None) -> Row:
        refund: Row = {
            "id": new_id("re"),
            "object": "refund",
            "payment_intent": number,
            "amount": amount,
            "currency": self.intents[number]["currency"],
            "status": self.refund_status,
            "metadata": metadata or {},
            "created": int(time.time()),
        }
        self.refunds[refund["id"]] = refund
        self.charges[self.intents[number]["latest_charge"]]["amount_refunded"] += amount
        self.record("refund.created", refund)
        return refund

    def dispute(self, number: str, amount: int, *, currency: str = "eur", withdrawn: bool = True) -> Row:
        """A dispute; without `withdrawn` an inquiry, which moves no money."""
        self.charges[self.intents[number]["latest_charge"]]["disputed"] = True
        dispute: Row = {
            "id": new_id("dp"),
            "object": "dispute",
            "payment_intent": number,
            "amount": amount,
            "currency": "eur",
            "balance_transactions": [transaction(-amount, currency)] if withdrawn else [],
        }
        self.disputes[dispute["id"]] = dispute
        self.record("charge.dispute.created", dispute)
        return dispute

    def reinstate(self, dispute: Row) -> None:
        withdrawn = dispute["balance_transactions"][0]
        dispute["balance_transactions"].append(transaction(-withdrawn["amount"], withdrawn["currency"]))
        self.record("charge.dispute.funds_reinstated", dispute)

    def record(self, kind: str, changed: Row) -> None:
        number = new_id("evt")
        self.events[number] = {
            "id": number,
            "object": "event",
            "type": kind,
            "created": int(time.time()),
            "data": {"object": dict(changed)},
        }

    # Reading.

    def intent(self, number: str) -> Row:
        if number not in self.intents:
            raise Refusal(404, f"No such payment_intent: '{number}'", "resource_missing")
        return self.intents[number]

    def retrieve(self, number: str) -> Row:
        intent = self.intent(number)
        return intent | {"latest_charge": self.charges.get(intent["latest_charge"])}

    def listed(self, name: str, query: Row) -> Row:
        """A page of the rows, newest first."""
        rows: dict[str, Row] = getattr(self, name.removeprefix("payment_"))
        since = int(query.get("created[gte]", 0))
        kinds = {value for name, value in query.items() if name.startswith("types[")}
        found = [
            row
            for row in reversed(rows.values())
            if row.get("created", since) >= since
            and (not kinds or row["type"] in kinds)
            and query.get("payment_intent", row.get("payment_intent")) == row.get("payment_intent")
        ]
        if query.get("expand[0]") == "data.latest_charge":
            found = [row | {"latest_charge": self.charges.get(row["latest_charge"])} for row in found]
        if after := query.get("starting_after"):
            found = found[[row["id"] for row in found].index(after) + 1 :]
        most = min(self.page, int(query.get("limit", 10)))
        return {"object": "list", "data": found[:most], "has_more": len(found) > most, "url": f"/v1/{name}"}


def new_id(prefix: str) -> str:
    return f"{prefix}_{next(ids):012d}"


def nested(form: Row, name: str) -> Row:
    return {key[len(name) + 1 : -1]: value for key, value in form.items() if key.startswith(f"{name}[")}


def transaction(amount: int, currency: str) -> Row:
    """A balance transaction; one in another currency than euro has twice the amount."""
    factor = 1 if currency == "eur" else 2
    number = new_id("txn")
    return {"id": number, "amount": factor * amount, "currency": currency, "fee": 1500, "created": int(time.time())}


class Handler(BaseHTTPRequestHandler):
    books: Books

    def do_GET(self) -> None:
        self.respond("GET", dict(parse_qsl(urlsplit(self.path).query)))

    def do_POST(self) -> None:
        self.respond("POST", dict(parse_qsl(self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode())))

    def respond(self, method: str, form: Row) -> None:
        path = urlsplit(self.path).path
        self.books.requests.append((method, path))
        self.books.headers.append(dict(self.headers))
        fault = self.books.faults.popleft() if self.books.faults else ""
        if fault == "500":
            return self.send(500, {"error": {"type": "api_error", "message": f"Try again, {KEY}."}})
        if fault == "429":
            return self.send(429, {"error": {"type": "invalid_request_error", "message": "Too many requests"}})
        status, answer = self.result(method, path, form)
        if fault == "hang":
            self.books.released.wait(30)
        elif fault == "slow":
            time.sleep(0.25)
        elif fault == "500 after":
            status, answer = 500, {"error": {"type": "api_error", "message": "An unknown error"}}
        return self.send(status, answer)

    def result(self, method: str, path: str, form: Row) -> tuple[int, Row]:
        if self.headers.get("Authorization") != f"Bearer {KEY}":
            given = self.headers.get("Authorization", "").removeprefix("Bearer ")
            return 401, {"error": {"type": "invalid_request_error", "message": f"Invalid API Key provided: {given}"}}
        key = self.headers.get("Idempotency-Key")
        with self.books.lock:
            if method == "POST" and key in self.books.replies:
                request, status, answer = self.books.replies[key]
                if request != (path, form):
                    message = "Keys for idempotent requests can only be used with the same parameters."
                    return 400, {"error": {"type": "idempotency_error", "message": message}}
                return status, answer
            try:
                status, answer = 200, self.route(method, path, form)
            except Refusal as refusal:
                status, answer = refusal.status, {"error": refusal.error}
            if key:
                self.books.replies[key] = ((path, form), status, json.loads(json.dumps(answer)))
            return status, answer

    def route(self, method: str, path: str, form: Row) -> Row:
        books = self.books
        routes: list[tuple[str, str, Callable[..., Row]]] = [
            ("POST", r"/v1/payment_intents", lambda: books.create_intent(form)),
            ("POST", r"/v1/payment_intents/(\w+)/cancel", books.cancel),
            ("GET", r"/v1/payment_intents/(\w+)", books.retrieve),
            ("POST", r"/v1/refunds", lambda: books.create_refund(form)),
            ("GET", r"/v1/(payment_intents|refunds|disputes|events)", lambda name: books.listed(name, form)),
        ]
        for known, pattern, function in routes:
            if known == method and (found := re.fullmatch(pattern, path)):
                return function(*found.groups())
        raise Refusal(404, f"Unrecognized request URL ({method}: {path}).")

    def send(self, status: int, answer: Row) -> None:
        body = json.dumps(answer).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Request-Id", new_id("req"))
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            pass  # the client has gone

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def running() -> Iterator[tuple[str, Books]]:
    """Run a server with empty books; yields its URL and the books."""
    books = Books()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("BooksHandler", (Handler,), {"books": books}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", books
    finally:
        books.released.set()
        server.shutdown()
        thread.join()
        server.server_close()


def signed(event: Row, secret: str, *, age: float = 0) -> tuple[bytes, dict[str, str]]:
    """The body and headers of a webhook with this event, signed by the library."""
    body = json.dumps(event)
    header = stripe.WebhookSignature.generate_signature_header(body, secret, int(time.time() - age))
    return body.encode(), {"Stripe-Signature": header, "Content-Type": "application/json"}


def amounts(rows: Any) -> list[Decimal]:
    """The amounts of movements or refunds."""
    return [row.amount for row in rows]
