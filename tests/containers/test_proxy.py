"""The proxy's own responses and limits, by a real nginx with the stack's configuration."""

import json
import re
import selectors
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from productbackend.api.problem_types import PROBLEMS
from tests.ports import free_port
from tests.waiting import wait_for

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin")
TEMPLATE = (settings.BASE_DIR / "deploy" / "nginx" / "shop.conf.template").read_text()
pytestmark = [
    pytest.mark.skipif(NGINX is None, reason="nginx is missing: apt install nginx-light"),
    pytest.mark.embedded,
]

ORIGIN = "https://shop.example.com"

# In place of web another server responds to every request.
MAIN = """
daemon off; worker_processes 1; pid {0}/pid; error_log {0}/error.log; events {{}}
http {{
    access_log off;
    include {0}/shop.conf;
    server {{ listen 127.0.0.1:{1}; large_client_header_buffers 4 32k; location / {{ return 200 "web"; }} }}
}}
"""


def filled(folder: Path, *, has_web: bool, proxies: int) -> int:
    """Write the configuration as start.sh does, with its own port and folder; return the port."""
    port, web = free_port(), free_port()
    text = TEMPLATE
    for old, new in {
        "@RESOLVER@": "127.0.0.1",
        "@BODY@": "2000000",
        "@PROXIES@": str(proxies),
        "@BEFORE@": str(max(proxies - 2, 0)),
        "@ORIGINS@": f'"{ORIGIN}" "{ORIGIN}";',
        "@VARY@": "Origin",
        "listen 80 default_server": f"listen 127.0.0.1:{port} default_server",
        "    listen [::]:80 default_server;\n": "",
        "access_log /dev/stdout shop": "access_log off",
        "/var/cache/nginx": str(folder),
        "http://$shop_web:8000": f"http://127.0.0.1:{web if has_web else 1}",
        "http://$shop_other:8000": "http://127.0.0.1:1",
    }.items():
        assert old in text, old
        text = text.replace(old, new)
    (folder / "shop.conf").write_text(text)
    (folder / "nginx.conf").write_text(MAIN.format(folder, web))
    return port


def serve(folder: Path, *, has_web: bool = True, proxies: int = 1) -> Iterator[int]:
    port = filled(folder, has_web=has_web, proxies=proxies)
    assert NGINX
    nginx = subprocess.Popen([NGINX, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "early")])
    try:
        wait_for(lambda: nginx.poll() is not None or listens(port), seconds=10, every=0.01)
        assert nginx.poll() is None, (folder / "early").read_text()
        yield port
    finally:
        nginx.terminate()
        nginx.wait(timeout=10)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    yield from serve(tmp_path_factory.mktemp("nginx"))


@pytest.fixture
def second_proxy(tmp_path: Path) -> Iterator[int]:
    """A proxy behind another trusted proxy."""
    yield from serve(tmp_path, proxies=2)


@pytest.fixture
def lonely_proxy(tmp_path: Path) -> Iterator[int]:
    """A proxy without a running web."""
    yield from serve(tmp_path, has_web=False)


Answer = tuple[int, dict[str, str], bytes]


def sent(port: int, request: bytes) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=20)
    connection.sendall(request)
    return connection


def answer_of(connection: socket.socket) -> Answer:
    """Status, headers and body."""
    with connection, connection.makefile("rb") as received:
        status = int(received.readline().split()[1])
        headers = {}
        while line := received.readline().decode().strip():
            name, _, value = line.partition(": ")
            headers[name] = value
        return status, headers, received.read(int(headers["Content-Length"]))


def ask(port: int, request: bytes) -> Answer:
    """Send these bytes; return the response."""
    return answer_of(sent(port, request))


def assert_problem(answer: Answer, status: int) -> None:
    got, headers, body = answer
    assert got == status, body
    assert headers["Content-Type"] == "application/problem+json"
    assert headers["X-Request-ID"]
    assert headers["API-Version"] == settings.API_VERSION
    assert ("Retry-After" in headers) is (status in (429, 503))
    document = json.loads(body)
    assert document["status"] == status
    problem = PROBLEMS[document["type"].removeprefix("/problems/")]
    assert document["title"] == problem.title
    assert problem.status == (400 if "malformed" in document["type"] else status)
    assert document["detail"]


END = b"Host: shop\r\nX-Request-ID: mine\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize(
    ("request_line", "headers", "status"),
    [
        (b"GARBAGE", b"", 400),
        (b"GET /%zz HTTP/1.1", b"", 400),
        (b"GET / HTTP/1.1", b"Host: a b\r\n", 400),
        (b"POST / HTTP/1.1", b"Content-Length: many\r\n", 400),
        (b"TRACE / HTTP/1.1", b"", 405),
        (b"POST / HTTP/1.1", b"Content-Length: 2000001\r\n", 413),
        (b"GET /?" + b"a" * 8000 + b" HTTP/1.1", b"", 414),
        (b"GET /?" + b"a" * 200_000 + b" HTTP/1.1", b"", 414),
        (b"GET / HTTP/1.1", b"Accept: " + b"a" * 8000 + b"\r\n", 431),
        (b"GET / HTTP/1.1", b"Cookie: " + b"a" * 200_000 + b"\r\n", 431),
        (b"GET / HTTP/1.1", b"".join(b"X-%d: " % n + b"a" * 7000 + b"\r\n" for n in range(6)), 431),
        (b"POST / HTTP/1.1", b"Transfer-Encoding: zip\r\n", 501),
        (b"GET / HTTP/9.1", b"", 505),
    ],
    ids=lambda value: value[:30].decode() if isinstance(value, bytes) else str(value),
)
def test_the_proxys_own_errors_are_problem_documents(
    proxy: int, request_line: bytes, headers: bytes, status: int
) -> None:
    assert_problem(ask(proxy, request_line + b"\r\n" + headers + END), status)


def test_requests_at_the_limits_reach_the_service(proxy: int) -> None:
    for line, header in ((b"GET /?" + b"a" * 7900, b""), (b"GET /", b"Accept: " + b"a" * 7900 + b"\r\n")):
        assert ask(proxy, line + b" HTTP/1.1\r\n" + header + END)[::2] == (200, b"web")


def test_no_web_is_a_problem_document(lonely_proxy: int) -> None:
    answer = ask(lonely_proxy, b"GET / HTTP/1.1\r\n" + END)
    assert_problem(answer, 503)
    assert answer[1]["X-Request-ID"] == "mine"
    assert_problem(ask(lonely_proxy, b"POST /carts/ HTTP/1.1\r\nContent-Length: 2\r\n" + END + b"{}"), 503)


def statuses_of(port: int, *requests: bytes) -> list[int]:
    """Send concurrent requests; return the statuses in order of the responses, up to the first rejection."""
    statuses: list[int] = []
    with selectors.DefaultSelector() as waiting:
        for request in requests:
            waiting.register(sent(port, request), selectors.EVENT_READ)
        while waiting.get_map() and 429 not in statuses:
            for key, _ in waiting.select(timeout=20):
                waiting.unregister(key.fileobj)
                assert isinstance(key.fileobj, socket.socket)
                answer = answer_of(key.fileobj)
                statuses.append(answer[0])
                if answer[0] == 429:
                    assert_problem(answer, 429)
        for key in waiting.get_map().values():
            assert isinstance(key.fileobj, socket.socket)
            key.fileobj.close()
    return statuses


def post(path: str, headers: str = "") -> bytes:
    return f"POST {path} HTTP/1.1\r\n{headers}Content-Length: 2\r\n".encode() + END + b"{}"


GUESSES = ["/token/", "/register/", "/account/password/", "/password-reset/", "/password-reset/confirm/", "/account/"]
GUESSES += ["/admin/login/", "/admin/password_change/", "//token/", "/%74oken/", "/token/?next=/"]


def test_the_proxy_limits_a_flood_of_guesses(second_proxy: int) -> None:
    for number, path in enumerate(GUESSES):
        # The first address is forged by the client, and the second is set by the other trusted proxy.
        said = [f"X-Forwarded-For: 10.0.0.{n}, 198.51.100.{number}\r\n" for n in range(45)]
        assert 429 in statuses_of(second_proxy, *(post(path, header) for header in said)), path
    assert statuses_of(second_proxy, post("/token/", "X-Forwarded-For: 198.51.100.200\r\n")) == [200]
    house = [f"X-Forwarded-For: 2001:db8:1:2:{n:x}::1\r\n" for n in range(45)]
    assert 429 in statuses_of(second_proxy, *(post("/token/", header) for header in house))


def test_a_dozen_concurrent_sign_ins_are_accepted(proxy: int) -> None:
    assert statuses_of(proxy, *[post("/token/")] * 10) == [200] * 10


def test_reads_and_other_paths_are_not_counted(proxy: int) -> None:
    reads = [f"GET {path} HTTP/1.1\r\n".encode() + END for path in ("/token/", "/admin/login/", "/account/", "/")]
    for request in (*reads, post("/carts/"), post("/token/refresh/")):
        assert statuses_of(proxy, *[request] * 45) == [200] * 45


def test_the_version_is_the_services() -> None:
    assert re.findall(r"map \"\" \$shop_api \{\s+default \"(.*)\";", TEMPLATE) == [settings.API_VERSION]


def test_the_proxys_own_answers_have_the_cors_headers(proxy: int, lonely_proxy: int) -> None:
    for port, request in (
        (proxy, b"POST / HTTP/1.1\r\nContent-Length: 2000001\r\n"),
        (lonely_proxy, b"GET / HTTP/1.1\r\n"),
    ):
        for origin, allowed in ((ORIGIN, ORIGIN), (ORIGIN + ".example", None), ("null", None), (None, None)):
            _, headers, _ = ask(port, request + (f"Origin: {origin}\r\n".encode() if origin else b"") + END)
            assert headers.get("Access-Control-Allow-Origin") == allowed
            assert ("Retry-After" in headers.get("Access-Control-Expose-Headers", "")) is (allowed is not None)
            assert headers["Vary"] == "Origin"


def start(folder: Path, origins: str) -> subprocess.CompletedProcess[str]:
    """Run start.sh with its folders in `folder`, and with a command in place of nginx that does nothing."""
    (folder / "etc" / "conf.d").mkdir(parents=True, exist_ok=True)
    (folder / "bin").mkdir(exist_ok=True)
    (folder / "bin" / "nginx").write_text("#!/bin/sh\n")
    (folder / "bin" / "nginx").chmod(0o755)
    script = (settings.BASE_DIR / "deploy" / "nginx" / "start.sh").read_text()
    script = script.replace("/tmp/", f"{folder}/")
    script = script.replace("/etc/nginx/shop", str(settings.BASE_DIR / "deploy" / "nginx"))
    script = script.replace("/etc/nginx", str(folder / "etc"))
    environment = {
        "PATH": f"{folder}/bin:/usr/bin:/bin",
        "IMAGE_MAX_BYTES": "1",
        "IMPORT_MAX_BYTES": "2",
        "NUM_PROXIES": "1",
    }
    return subprocess.run(
        ["sh", "-c", script],
        env=environment | {"CORS_ALLOWED_ORIGINS": origins},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("origins", ["", ORIGIN, f"{ORIGIN}, http://localhost:5173,http://[::1]:80"])
def test_the_start_lists_the_allowed_origins(tmp_path: Path, origins: str) -> None:
    assert start(tmp_path, origins).returncode == 0
    written = (tmp_path / "etc" / "conf.d" / "default.conf").read_text()
    assert re.findall(r"@[A-Z]+@", written) == []
    for origin in filter(None, origins.replace(" ", "").split(",")):
        assert f'"{origin}" "{origin}";' in written
    assert ('add_header Vary "Origin" always;' in written) is bool(origins)


def test_an_origin_that_is_none_stops_the_start(tmp_path: Path) -> None:
    refused = start(tmp_path, 'https://a.example"; return 200 "')
    assert refused.returncode == 1
    assert "CORS_ALLOWED_ORIGINS" in refused.stderr
