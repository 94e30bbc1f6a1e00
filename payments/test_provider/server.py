"""The HTTP server of the test provider, for this machine only: reads requests, routes them, and writes answers."""

import hmac
import ipaddress
import json
import logging
import re
import socket
import socketserver
import threading
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from payments.test_provider import pages, signing
from payments.test_provider.api import Api, BadAnswer
from payments.test_provider.books import Books, Refused
from payments.test_provider.events import Sender, Worker
from payments.test_provider.faults import Injector
from payments.test_provider.store import Store
from productbackend.site.middleware import policy

logger = logging.getLogger(__name__)

BODY_MAX = 65_536
CONNECTIONS = 64
HOST = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE)
REFERENCE = r"(tp_[0-9a-f]{32})"


class NotOnLoopback(Exception):
    """The address can be reached from other machines."""


@dataclass
class Answer:
    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    location: str = ""
    policy: str = ""


class Server(ThreadingHTTPServer):
    """The provider: its books, its pages and its API. Close it, so that its threads end."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, url: str, *, folder: Path, shop_url: str, secret_key: str) -> None:
        """Listen at the URL. Raises NotOnLoopback, or OSError if the port is taken."""
        address = loopback_address(url)
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, Handler)
        self.token = signing.api_token(secret_key)
        self.stopping = threading.Event()
        self.free = threading.BoundedSemaphore(CONNECTIONS)
        self.store = Store(folder / "test-provider.sqlite3")
        self.injector = Injector(self.store)
        self.books = Books(self.store, self.injector)
        self.api = Api(self.books, self.injector, url=url)
        self.pages = pages.Pages(self.books, self.injector)
        self.style, self.icon = pages.style(), pages.icon()
        self.sender = Sender(self.store, shop_url=shop_url, secret=signing.event_secret(secret_key))
        self.sender.delete_old()
        self.workers = [Worker("steps", self.books.take_due_steps), Worker("events", self.sender.send_due)]
        for worker in self.workers:
            worker.start()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread of its own; above the limit of connections hang up."""
        if self.free.acquire(timeout=1):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        logger.info("A client hung up", exc_info=logger.isEnabledFor(logging.DEBUG))

    def server_bind(self) -> None:
        """Bind without looking up the host's name."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def close(self) -> None:
        """Stop listening, and end the threads that work."""
        self.server_close()
        self.stopping.set()
        for worker in self.workers:
            worker.stopping.set()
        self.sender.close()
        for worker in self.workers:
            worker.stop()
        if not any(worker.is_alive() for worker in self.workers):  # one may still connect to the shop
            self.store.close()


class Handler(BaseHTTPRequestHandler):
    server: Server
    timeout = 10  # for a client that is slow to send
    server_version, sys_version = "test-provider", ""
    default_request_version = "HTTP/1.0"  # that of 0.9 has no status line, also for errors

    def do_GET(self) -> None:
        self.reply()

    def do_POST(self) -> None:
        self.reply()

    def reply(self) -> None:
        """Answer one request. A fault of ours is a 500, and the server goes on."""
        try:
            answer = self.answer()
        except (BrokenPipeError, ConnectionError, TimeoutError):
            raise
        except Exception:
            logger.exception("A request failed")
            answer = as_json({"error": "internal error"}, 500)
        if answer is not None:
            self.write(answer)

    def answer(self) -> Answer | None:
        """The answer; None if there shall be none."""
        if not HOST.fullmatch(self.headers.get("Host", "")):
            return as_json({"error": "this provider is for this machine only"}, 421)
        parts = urlsplit(self.path)
        body = self.read_body()
        if isinstance(body, Answer):
            return body
        if parts.path.startswith(("/api/", "/faults")):
            return self.answer_shop(parts.path, parts.query, body)
        return self.answer_browser(parts.path, body)

    def read_body(self) -> bytes | Answer:
        length = self.headers.get("Content-Length", "0")
        if self.headers.get("Transfer-Encoding") or not re.fullmatch("[0-9]{1,15}", length):
            return as_json({"error": "a body needs a Content-Length"}, 411)
        if int(length) > BODY_MAX:
            return as_json({"error": f"a body has at most {BODY_MAX} bytes"}, 413)
        return self.rfile.read(int(length))

    # --- The API -------------------------------------------------------------------------------

    def answer_shop(self, path: str, query: str, body: bytes) -> Answer | None:
        given = self.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(given, f"Bearer {self.server.token}".encode()):
            return as_json({"error": "the bearer token is wrong: has the shop the same SECRET_KEY?"}, 401)
        is_faulty = path.startswith("/api/")
        injector = self.server.injector
        if is_faulty and injector.happens("error_before"):
            return as_json({"error": "an error on purpose, without an effect"}, 500)
        try:
            answer = self.call(path, query, body)
            if is_faulty and injector.happens("error_after"):
                raise BadAnswer("error")
            if is_faulty and injector.happens("timeout_after"):
                raise BadAnswer("times_out")
        except BadAnswer as fault:
            if str(fault) == "error":
                return as_json({"error": "an error on purpose, after the effect"}, 500)
            self.server.stopping.wait(injector.faults.timeout_seconds)
            return None
        except Refused as refusal:
            return as_json({"error": refusal.text}, refusal.status)
        except (ValueError, OverflowError, RecursionError) as error:
            return as_json({"error": str(error)[:300] or "the request makes no sense"}, 400)
        return answer

    def call(self, path: str, query: str, body: bytes) -> Answer:
        api = self.server.api
        is_post = self.command == "POST"
        if path == "/faults":
            return as_json(api.change_faults(parsed(body)) if is_post else api.faults())
        if path == "/api/payments":
            return as_json(api.start(parsed(body)) if is_post else api.changed(dict(parse_qsl(query))))
        if (found := re.fullmatch(f"/api/payments/{REFERENCE}", path)) and not is_post:
            return as_json(api.fetch(found[1]))
        if (found := re.fullmatch(f"/api/payments/{REFERENCE}/cancel", path)) and is_post:
            return as_json(api.cancel(found[1]))
        if (found := re.fullmatch(f"/api/payments/{REFERENCE}/refunds", path)) and is_post:
            return as_json(api.refund(found[1], parsed(body)))
        return as_json({"error": "there is nothing at this path"}, 404)

    # --- The pages -----------------------------------------------------------------------------

    def answer_browser(self, path: str, body: bytes) -> Answer:
        try:
            return self.page(path, body)
        except Refused as refusal:
            return as_page(pages.message("Not possible", sentence(refusal)), refusal.status)

    def page(self, path: str, body: bytes) -> Answer:
        shown = self.server.pages
        is_post = self.command == "POST"
        if path == "/page.css" and not is_post:
            return Answer(body=self.server.style, content_type="text/css; charset=utf-8")
        if path == "/favicon.ico" and not is_post:
            return Answer(body=self.server.icon, content_type="image/x-icon")
        if path == "/" and not is_post:
            return as_page(shown.index())
        if path == "/next" and is_post:
            return self.choose_next(body)
        found = re.fullmatch(f"/pay/{REFERENCE}", path)
        if found is None:
            return as_page(pages.message("Not found", "There is nothing at this address."), 404)
        security = shown.policy_of(found[1])
        if not is_post:
            return as_page(shown.payment(found[1]), policy=security)
        try:
            return Answer(303, location=shown.choose(found[1], form(body)))
        except (ValueError, Refused) as error:
            status = error.status if isinstance(error, Refused) else 400
            return as_page(shown.payment(found[1], problem=sentence(error)), status, policy=security)

    def choose_next(self, body: bytes) -> Answer:
        try:
            self.server.pages.choose_next(form(body))
        except ValueError as error:
            return as_page(pages.message("Not possible", sentence(error)), 400)
        return Answer(303, location="/")

    # --- Writing -------------------------------------------------------------------------------

    def write(self, answer: Answer) -> None:
        self.send_response(answer.status)
        if answer.location:
            self.send_header("Location", answer.location)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        if answer.content_type.startswith("text/html"):
            self.send_header("Content-Security-Policy", answer.policy or policy())
        self.end_headers()
        self.wfile.write(answer.body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what http.server refuses itself, such as a line that is too long."""
        self.close_connection = True
        self.write(as_json({"error": message or HTTPStatus(code).phrase}, code))

    def log_message(self, format: str, *arguments: Any) -> None:
        """Log nothing for each request: the shop logs its calls."""


def as_json(members: dict[str, Any], status: int = 200) -> Answer:
    return Answer(status, json.dumps(members).encode())


def as_page(html: str, status: int = 200, *, policy: str = "") -> Answer:
    return Answer(status, html.encode(), "text/html; charset=utf-8", policy=policy)


def parsed(body: bytes) -> dict[str, Any]:
    """The object in a JSON body. Raises ValueError."""
    try:
        members = json.loads(body)
    except (ValueError, RecursionError):
        raise ValueError("the body is no JSON") from None
    if not isinstance(members, dict):
        raise ValueError("the body is no JSON object")
    return members


def form(body: bytes) -> dict[str, str]:
    """The fields of a form's body. Raises ValueError."""
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=20))
    except ValueError:
        raise ValueError("the form cannot be read") from None


def loopback_address(url: str) -> tuple[str, int]:
    """The host and the port of the URL. Raises NotOnLoopback unless its host is this machine's own."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        is_loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback or parts.scheme != "http" or parts.path:
        raise NotOnLoopback(f"{url} is not an address of this machine alone, such as http://127.0.0.1:8010")
    return ("127.0.0.1" if host == "localhost" else host), parts.port or 80


def sentence(error: Exception) -> str:
    """The text of an error, as a page shows it."""
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"
