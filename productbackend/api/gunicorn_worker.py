"""Gunicorn's threaded worker, which responds with problem documents to requests that never reach Django."""

import json
import uuid
from contextlib import suppress
from typing import Any

from gunicorn import util
from gunicorn.workers.gthread import ThreadWorker

from productbackend.settings import API_VERSION

# Status -> the problem's type, title and detail. Django is not loaded yet, nor is its table of problems.
PROBLEMS = {
    400: ("malformed", "The request cannot be read", "The request is not valid HTTP."),
    414: ("uri-too-long", "The address is too long", "The path and its query may have 8,190 characters at most."),
    431: (
        "headers-too-large",
        "The request's headers are too large",
        "There are too many headers, or one that is too long.",
    ),
    500: ("internal-error", "Something went wrong here", "Something went wrong. It was logged."),
}
REASONS = {
    400: "Bad Request",
    414: "URI Too Long",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
}


class Recorder:
    """Records what Gunicorn would send to a client."""

    def __init__(self) -> None:
        self.written = b""

    def gettimeout(self) -> float:
        return 0.0

    def sendall(self, data: bytes) -> None:
        self.written += data


class Worker(ThreadWorker):
    """Replaces Gunicorn's HTML page for a malformed request by a problem document of the same status."""

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        page = Recorder()
        super().handle_error(req, page, addr, exc)
        if page.written:
            with suppress(OSError):
                util.write_nonblock(client, problem(int(page.written.split()[1])))


def problem(status: int) -> bytes:
    status = status if status in PROBLEMS else 400
    code, title, detail = PROBLEMS[status]
    body = json.dumps({"type": f"/problems/{code}", "title": title, "status": status, "detail": detail}).encode()
    lines = [
        f"HTTP/1.1 {status} {REASONS[status]}",
        "Connection: close",
        "Content-Type: application/problem+json",
        f"Content-Length: {len(body)}",
        "Cache-Control: private, no-store",
        f"X-Request-ID: {uuid.uuid4().hex}",
        f"API-Version: {API_VERSION}",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body
