"""The whole service as `make run` starts it, on data and a port of its own."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import requests
from django.conf import settings

T = TypeVar("T")

PASSWORD = "correct horse battery"
# `make run` as a newcomer has it, whatever servers the rest of the tests are given.
EMBEDDED = {"MYSQL_HOST": "", "REDIS_HOST": ""}


def wait_for(what: Callable[[], T], *, seconds: float, every: float = 0.1) -> T:
    """The first true answer of `what`; an AssertionError when the time is up."""
    end = time.monotonic() + seconds
    while True:
        if answer := what():
            return answer
        assert time.monotonic() < end, f"{what} did not come true within {seconds} seconds"
        time.sleep(every)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def processes() -> dict[int, int]:
    """Every process of the machine that runs: its id -> its parent's."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,stat="], capture_output=True, text=True, check=True).stdout
    rows = (line.split() for line in listed.splitlines())
    return {int(pid): int(parent) for pid, parent, state, *_ in rows if not state.startswith("Z")}


class Service:
    """One start of it; `log` is what it printed."""

    def __init__(self, data_dir: Path, *, has_demo: bool = True, **environment: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.data_dir = data_dir
        if not has_demo:
            data_dir.mkdir(parents=True)
            (data_dir / "demo-loaded").touch()
        self.output = data_dir.parent / f"{data_dir.name}-{self.port}.log"
        self.environment = {
            **os.environ,
            **EMBEDDED,
            "DATA_DIR": str(data_dir),
            "PORT": str(self.port),
            "DJANGO_SUPERUSER_USERNAME": "boss",
            "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
            **environment,
        }

    def start(self) -> "Service":
        with open(self.output, "w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "run"],
                cwd=settings.BASE_DIR,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        wait_for(self.is_ready, seconds=150)  # a busy machine takes its time
        return self

    def is_ready(self) -> bool:
        assert self.process.poll() is None, self.log
        return self.answers() and "ready." in self.log

    def answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/health/ready/", timeout=5).ok
        except requests.ConnectionError:
            return False

    @property
    def log(self) -> str:
        return self.output.read_text()

    def pid_of(self, name: str) -> int:
        """The process of the Procfile's line `name`."""
        found = re.search(rf"{name} +started \(pid=(\d+)\)", self.log)
        assert found, self.log
        return int(found[1])

    def children_of(self, pid: int) -> set[int]:
        return {child for child, parent in processes().items() if parent == pid}

    def family(self) -> set[int]:
        """Every process that the service consists of."""
        family, added = set(), {self.process.pid}
        while added:
            family |= added
            added = {child for child, parent in processes().items() if parent in family} - family
        return family

    def stop(self, signum: int = signal.SIGTERM, *, to_group: bool = False) -> int:
        """Ask it to stop, as a terminal or a supervisor would; its exit code, once it has."""
        if to_group:
            os.killpg(self.process.pid, signum)
        elif self.process.poll() is None:
            self.process.send_signal(signum)
        return self.process.wait(timeout=15)

    def load_demo(self, *, products: int, pictures: int) -> None:
        """A part of the demo's catalogue: drawing all its pictures takes long."""
        demo = [sys.executable, "manage.py", "demo", "--products", str(products), "--pictures", str(pictures)]
        subprocess.run(demo, cwd=settings.BASE_DIR, env=self.environment, capture_output=True, check=True)

    def request(self, method: str, path: str, *, token: str | None = None, **options: Any) -> Any:
        headers = options.pop("headers", {}) | ({"Authorization": f"Bearer {token}"} if token else {})
        return requests.request(method, f"{self.url}{path}", headers=headers, timeout=20, **options)

    def token(self, username: str = "boss") -> str:
        answer = self.request("POST", "/token/", json={"username": username, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access"])
