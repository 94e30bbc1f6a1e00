"""Redis hangs, or responds with an error: it is full, a replica, cannot save, or requires a password."""

import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings
from kombu.exceptions import OperationalError

from productbackend.caches.circuit_breaker import CircuitBreaker
from productbackend.celery import Shop
from tests.passwords import PASSWORD
from tests.ports import free_port
from tests.setup.service import Service
from tests.waiting import wait_for

pytestmark = pytest.mark.xdist_group("redis")


class Server:
    """A Redis server without persistence; its directory is `folder`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.port = free_port()
        command = ["redis-server", "--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(folder), "--save", ""]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        wait_for(self.is_reachable, seconds=20)

    def is_reachable(self) -> bool:
        try:
            return bool(self.ask("PING"))
        except redis.RedisError:
            return False

    def ask(self, *command: Any, password: str | None = None) -> Any:
        with redis.Redis(port=self.port, password=password) as client:
            return client.execute_command(*command)

    def follow(self) -> None:
        self.ask("REPLICAOF", "127.0.0.1", 1)

    def fill(self) -> None:
        self.ask("CONFIG", "SET", "maxmemory", 1)

    def fail_to_save(self) -> None:
        """Refuse writes with MISCONF, because the last snapshot failed."""
        self.ask("CONFIG", "SET", "save", "3600 1")
        shutil.rmtree(self.folder)
        self.ask("BGSAVE")
        wait_for(lambda: self.ask("INFO", "persistence")["rdb_last_bgsave_status"] == "err", seconds=10)

    def ask_for_a_password(self) -> None:
        self.ask("CONFIG", "SET", "requirepass", "secret")
        self.ask("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes", password="secret")

    def hang(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def heal(self) -> None:
        self.process.send_signal(signal.SIGCONT)
        password = "secret" if self.ask_is_refused() else None
        self.ask("REPLICAOF", "NO", "ONE", password=password)
        self.ask("CONFIG", "SET", "maxmemory", 0, password=password)
        self.ask("CONFIG", "SET", "save", "", password=password)
        self.ask("CONFIG", "SET", "requirepass", "", password=password)

    def ask_is_refused(self) -> bool:
        try:
            self.ask("GET", "a")
        except redis.AuthenticationError:
            return True
        return False


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed")
    made = Server(tmp_path / "redis")
    yield made
    made.process.send_signal(signal.SIGCONT)
    made.process.terminate()
    made.process.wait(10)


FAULTS: list[Callable[[Server], None]] = [
    Server.hang,
    Server.follow,
    Server.fill,
    Server.fail_to_save,
    Server.ask_for_a_password,
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_after_a_timeout_the_circuit_breaker_rejects_immediately(
    server: Server, fault: Callable[[Server], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "BROKER_PUBLISH_OPTIONS", {"socket_timeout": 1, "max_retries": 0})
    monkeypatch.setattr(Shop, "breaker", CircuitBreaker("It does not answer"))
    app = Shop("test", broker=f"redis://127.0.0.1:{server.port}/0", set_as_current=False)
    app.conf.update(task_publish_retry=False, broker_connection_timeout=1)
    app.send_task("test.nothing")
    fault(server)
    for most in (2.0, 0.2):
        began = time.monotonic()
        with pytest.raises(OperationalError):
            app.send_task("test.nothing")
        assert time.monotonic() - began < most
    server.heal()
    monkeypatch.setattr(Shop.breaker, "retry_at", 0.0)
    app.send_task("test.nothing")
    assert server.ask("LLEN", "celery") >= 2


def test_web_and_workers_survive_redis_errors(server: Server, tmp_path: Path) -> None:
    service = Service(tmp_path / "data", has_demo=False, REDIS_HOST="127.0.0.1", REDIS_PORT=str(server.port)).start()
    try:
        before = service.family()
        for number, fault in enumerate(FAULTS[1:]):
            fault(server)
            time.sleep(1)  # the workers read again and get the error
            health = service.request("GET", "/health/ready/")
            assert (health.status_code, health.json()["status"]) == (200, "degraded"), fault.__name__
            for _ in range(3):
                assert service.request("GET", "/products/").status_code == 200
            server.heal()
            wait_for(lambda: service.request("GET", "/health/ready/").json()["status"] == "ok", seconds=20)
            name = f"customer{number}"
            body = {"username": name, "email": f"{name}@example.com", "password": PASSWORD, "repeat_password": PASSWORD}
            assert service.request("POST", "/register/", json=body).status_code == 201
            # If neither task nor sweep was sent, a batch that was started counts as in progress for a minute.
            wait_for(lambda name=name: f"{name}@example.com" in service.log, seconds=150)  # type: ignore[misc]
        assert before <= service.family()
        assert service.process.poll() is None
    finally:
        service.stop()
