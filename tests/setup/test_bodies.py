"""Chunked bodies without a Content-Length, sent to a real Gunicorn."""

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tests.products import pictures
from tests.setup.service import Service

pytestmark = [pytest.mark.xdist_group("worker"), pytest.mark.embedded]


def chunks(body: bytes, size: int = 1_000) -> Iterator[bytes]:
    """An iterator, which requests sends as a chunked body."""
    for start in range(0, len(body), size):
        yield body[start : start + size]


def raw(service: Service, request: bytes) -> tuple[int, dict[str, str], bytes]:
    """Send these bytes; return the response."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as connection:
        connection.sendall(request)
        answer = b""
        while part := connection.recv(65_536):
            answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return int(status.split()[1]), headers, body


def test_a_body_in_chunks_is_read(service: Service, token: str) -> None:
    before = service.request("POST", "/products/", token=token, json={"name": "Before", "quantity": 1}).json()
    path = f"/products/{before['id']}/"
    kind = {"Content-Type": "application/json"}
    answer = service.request(
        "PATCH", path, token=token, data=chunks(json.dumps({"name": "After"}).encode(), 3), headers=kind
    )
    assert (answer.status_code, answer.json()["name"]) == (200, "After")
    answer = service.request(
        "POST", "/products/", token=token, data=chunks(b'{"name": "New", "quantity": 2}'), headers=kind
    )
    assert (answer.status_code, answer.json()["quantity"]) == (201, 2)
    answer = service.request("PATCH", path, token=token, data=chunks(b"{"), headers=kind)
    assert answer.status_code == 400


def test_a_picture_in_chunks_is_read(service: Service, token: str) -> None:
    product = service.request("POST", "/products/", token=token, json={"name": "Pictured", "quantity": 1}).json()["id"]
    picture = pictures.jpeg()
    body = b'--x\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\n' + picture + b"\r\n--x--\r\n"
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = service.request("POST", f"/products/{product}/images/", token=token, data=chunks(body), headers=kind)
    assert answer.status_code == 201, answer.text


def test_a_form_in_chunks_is_read(service: Service) -> None:
    kind = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    answer = service.request("POST", "/email/confirm/", data=chunks(b"token=wrong"), headers=kind)
    assert answer.json()["type"] == "/problems/invalid-token"
    answer = service.request("POST", "/admin/login/", data=chunks(b"username=x"), headers=kind)
    assert answer.status_code == 403  # its CSRF cookie is missing


def test_a_body_in_chunks_has_the_same_limit(service: Service, token: str) -> None:
    kind = {"Content-Type": "application/json"}
    answer = service.request("POST", "/products/", token=token, data=chunks(b" " * 1_500_000, 65_536), headers=kind)
    assert (answer.status_code, answer.json()["type"]) == (413, "/problems/too-large")
    answer = service.request("POST", "/token/", data=chunks(b" " * 20_000), headers=kind)
    assert (answer.status_code, answer.json()["type"]) == (413, "/problems/too-large")
    assert service.request("GET", "/health/live/").status_code == 200


@pytest.mark.parametrize(
    ("request_line", "headers", "status", "code"),
    [
        ("GET /products/?name={} HTTP/1.1", "", 414, "uri-too-long"),
        ("GET /products/ HTTP/1.1", "X-Anything: {0}{0}\r\n", 431, "headers-too-large"),
        ("GET /products/ HTTP/1.1", "X Anything: x\r\n", 400, "malformed"),
        ("GET /products/ HTTP/9.9", "", 400, "malformed"),
        ("POST /products/ HTTP/1.1", "Transfer-Encoding: nonsense\r\n", 400, "malformed"),
    ],
)
@pytest.mark.parametrize("size", [8_300, 70_000])
def test_gunicorns_rejections_are_problem_documents(
    service: Service, request_line: str, headers: str, status: int, code: str, size: int
) -> None:
    line, lines = request_line.format("x" * size), headers.format("x" * size)
    received, answered, body = raw(service, f"{line}\r\nHost: localhost\r\nConnection: close\r\n{lines}\r\n".encode())
    problem: dict[str, Any] = json.loads(body)
    assert answered["content-type"] == "application/problem+json"
    assert answered["x-request-id"]
    assert (problem["status"], problem["type"]) == (received, f"/problems/{code}")
    assert received == status
