"""The server: on this machine only, with the shop's token, and unharmed by hostile input."""

import socket
import threading
from pathlib import Path

import pytest
import requests

from payments.test_provider import server as server_module
from payments.test_provider.server import NotOnLoopback, loopback_address
from tests.payments.test_provider.running import Running, Shop

pytestmark = pytest.mark.embedded


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://127.0.0.1:8010", ("127.0.0.1", 8010)),
        ("http://localhost:8010", ("127.0.0.1", 8010)),
        ("http://[::1]:8010", ("::1", 8010)),
        ("http://127.9.9.9", ("127.9.9.9", 80)),
    ],
)
def test_addresses_of_this_machine(url: str, address: tuple[str, int]) -> None:
    assert loopback_address(url) == address


@pytest.mark.parametrize(
    "url",
    [
        "http://0.0.0.0:8010", "http://192.168.1.5:8010", "http://[::]:8010", "http://shop.example:8010",
        "http://localhost.example:8010", "https://127.0.0.1:8010", "http://127.0.0.1:8010/path",
    ],
)  # fmt: skip
def test_any_other_address_is_refused(url: str, tmp_path: Path, shop: Shop) -> None:
    with pytest.raises(NotOnLoopback, match="this machine alone"):
        Running(tmp_path, shop, url).start()


def test_a_taken_port_is_an_error_that_leaves_nothing_behind(provider: Running, tmp_path: Path, shop: Shop) -> None:
    threads = threading.active_count()
    with pytest.raises(OSError, match="in use"):
        Running(tmp_path / "other", shop, provider.url).start()
    assert threading.active_count() == threads
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("header", ["", "Bearer ", "Bearer wrong", "Basic x", "Bearer é"])
@pytest.mark.parametrize(("method", "path"), [("GET", "/api/payments"), ("POST", "/api/payments"), ("POST", "/faults")])
def test_a_wrong_token_is_refused(provider: Running, method: str, path: str, header: str) -> None:
    headers = {"Authorization": header.encode()} if header else {}
    answer = requests.request(method, f"{provider.url}{path}", json={"lose": 1}, headers=headers, timeout=10)
    assert answer.status_code == 401
    assert "SECRET_KEY" in answer.json()["error"]
    assert provider.server.injector.faults.lose == 0


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"[" * 60_000, b'{"a":' * 10_000, b"1" * 60_000],
    ids=lambda body: body[:20],
)
@pytest.mark.parametrize("path", ["/api/payments", "/faults"])
def test_a_body_that_is_no_object_is_refused(provider: Running, path: str, body: bytes) -> None:
    headers = {"Authorization": f"Bearer {provider.client.token}"}
    answer = requests.post(f"{provider.url}{path}", data=body, headers=headers, timeout=10)
    assert answer.status_code == 400
    assert "JSON" in answer.json()["error"]


@pytest.mark.parametrize(("path", "method"), [("/api/nothing", "GET"), ("/api/payments/x", "GET"), ("/api/", "POST")])
def test_an_unknown_path_is_refused(provider: Running, path: str, method: str) -> None:
    headers = {"Authorization": f"Bearer {provider.client.token}"}
    answer = requests.request(method, f"{provider.url}{path}", headers=headers, timeout=10)
    assert answer.status_code == 404


@pytest.mark.parametrize("query", ["", "?since=x", "?after=x_y", "?after=_", "?since=2026-13-01", "?after=1_"])
def test_a_wrong_time_is_refused(provider: Running, query: str) -> None:
    headers = {"Authorization": f"Bearer {provider.client.token}"}
    answer = requests.get(f"{provider.url}/api/payments{query}", headers=headers, timeout=10)
    assert answer.status_code == (200 if query == "?after=1_" else 400)


def raw(provider: Running, request: bytes) -> bytes:
    """Send these bytes; return the answer."""
    address = loopback_address(provider.url)
    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(request)
        received = b""
        while chunk := connection.recv(65_536):
            received += chunk
    return received


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"POST /pay/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 70000\r\n\r\n", 413),
        (b"POST /pay/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n", 411),
        (b"POST /pay/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", 411),
        (b"POST /pay/x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n", 411),
        (b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421),
        (b"GET / HTTP/1.1\r\n\r\n", 421),
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 70_000 + b"\r\n\r\n", 431),
        (b"DELETE / HTTP/1.1\r\nHost: localhost\r\n\r\n", 501),
        (b"nonsense and more\r\n\r\n", 400),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_malformed_request_gets_an_error(provider: Running, request_bytes: bytes, status: int) -> None:
    assert f" {status} ".encode() in raw(provider, request_bytes).partition(b"\r\n")[0]
    assert requests.get(provider.url, timeout=10).status_code == 200


@pytest.mark.parametrize(
    "body", [b"course=%FF%FE&course=pays", b"&" * 60_000, b"a=1&" * 30, b"\xff", b"%00=%00"], ids=lambda body: body[:20]
)
def test_a_hostile_form_does_no_harm(provider: Running, body: bytes) -> None:
    reference = provider.new()
    answer = requests.post(f"{provider.url}/pay/{reference}", data=body, timeout=10, allow_redirects=False)
    assert answer.status_code in (303, 400)
    assert provider.client.fetch(reference).state in ("open", "succeeded")


def test_clients_that_say_nothing_do_not_stop_the_others(provider: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module.Handler, "timeout", 1)
    address = loopback_address(provider.url)
    idle = [socket.create_connection(address, timeout=10) for _ in range(server_module.CONNECTIONS // 2)]
    assert requests.get(provider.url, timeout=10).status_code == 200
    for connection in idle:
        connection.close()


def test_it_listens_on_ipv6_too(tmp_path: Path, shop: Shop) -> None:
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    try:
        port = free_port_of_ipv6()
    except OSError:
        pytest.skip("this machine has no IPv6")
    provider = Running(tmp_path, shop, f"http://[::1]:{port}").start()
    assert requests.get(provider.url, timeout=10).status_code == 200
    assert provider.client.fetch(provider.new()).state == "open"
    provider.stop()


def free_port_of_ipv6() -> int:
    with socket.socket(socket.AF_INET6) as probe:
        probe.bind(("::1", 0))
        return int(probe.getsockname()[1])
