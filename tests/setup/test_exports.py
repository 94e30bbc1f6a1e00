"""Clients of a real Gunicorn that hang up during an export, or take no data."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
import requests
from django.conf import settings

from backoffice.exports import downloads
from tests.ports import free_port
from tests.setup.service import EMBEDDED, prepare
from tests.waiting import wait_for

pytestmark = pytest.mark.embedded

PATH = "/exports/products/"
# 10 MB: more than the buffers of a connection take.
FILL = """
import django; django.setup()
from accounts import tokens
from products.models import Product
from tests import factories
Product.objects.bulk_create(
    [Product(name=f"P{n}", slug=f"p-{n}", sku=f"P-{n}", quantity=1, description="x" * 20_000) for n in range(500)]
)
print(tokens.issue(factories.user("stella", is_staff=True, is_superuser=True)).access)
"""
CONFIG = """
from productbackend.gunicorn import *

def post_worker_init(worker):
    from backoffice.exports import downloads
    downloads.STALLED_SECONDS = {seconds}
"""


class Web:
    """One web process, with the token of a member of staff."""

    def __init__(self, port: int, token: str) -> None:
        self.port, self.token = port, token

    def get(self) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        return requests.get(f"http://127.0.0.1:{self.port}{PATH}", headers=headers, timeout=60)

    def begin(self) -> socket.socket:
        """A connection that has received the beginning of an export."""
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        connection.settimeout(60)
        connection.connect(("127.0.0.1", self.port))
        head = f"GET {PATH} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self.token}\r\n\r\n"
        connection.sendall(head.encode())
        assert connection.recv(12) == b"HTTP/1.1 200"
        return connection

    def is_free(self) -> bool:
        return self.get().status_code == 200

    def is_up(self) -> bool:
        try:
            return requests.get(f"http://127.0.0.1:{self.port}/health/live/", timeout=5).ok
        except requests.ConnectionError:
            return False


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, shared: Path, django_db_setup: None) -> tuple[dict[str, str], str]:
    """The environment of a service with many products, and the token of a member of staff."""
    data_dir = tmp_path_factory.mktemp("exports") / "var"
    prepare(data_dir, shared)
    own = {"DATA_DIR": str(data_dir), "SECRET_KEY": "k" * 50, "ACCESS_TOKEN_LIFETIME": "60", "ENV_FILE": os.devnull}
    environment = os.environ | EMBEDDED | own | {"DJANGO_SETTINGS_MODULE": "productbackend.settings"}
    filling = [sys.executable, "-c", FILL]
    made = subprocess.run(filling, cwd=settings.BASE_DIR, env=environment, check=True, capture_output=True, text=True)
    return environment, made.stdout.split()[-1]


@pytest.fixture
def web(filled: tuple[dict[str, str], str], tmp_path: Path) -> Iterator[Callable[[float], Web]]:
    """A function that starts a web process, which waits so many seconds for a client that takes no data."""
    environment, token = filled
    with ExitStack() as cleanup:

        def start(seconds: float) -> Web:
            port = free_port()
            config = tmp_path / "config.py"
            config.write_text(CONFIG.format(seconds=seconds))
            command = [sys.executable, "-m", "gunicorn", "--config", str(config), "--workers", "1"]
            process = subprocess.Popen(
                [*command, "productbackend.wsgi"], cwd=settings.BASE_DIR, env=environment | {"PORT": str(port)}
            )
            cleanup.callback(process.wait, 40)
            cleanup.callback(process.terminate)
            started = Web(port, token)
            wait_for(started.is_up, seconds=120)
            return started

        yield start


@pytest.mark.thorough  # a busy web process
def test_clients_that_hang_up_end_their_exports(web: Callable[[float], Web]) -> None:
    started = web(3_600.0)
    connections = [started.begin() for _ in range(downloads.AT_A_TIME)]
    assert started.get().status_code == 503
    for connection in connections:
        connection.close()
    wait_for(started.is_free, seconds=60)


@pytest.mark.thorough  # the same
def test_clients_that_take_no_data_are_not_waited_for(web: Callable[[float], Web]) -> None:
    """What they receive then has no end, so that they do not take it for whole."""
    started = web(1.0)
    connections = [started.begin() for _ in range(downloads.AT_A_TIME)]
    wait_for(started.is_free, seconds=60)
    for connection in connections:
        received = b""
        with connection, suppress(ConnectionError):
            while part := connection.recv(65_536):
                received = (received + part)[-10:]
        assert received
        assert not received.endswith(b"0\r\n\r\n")
