"""The whole shop on its own servers, with separate, supervised processes, as in production."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import requests
from django.conf import settings

from productbackend.embedded.supervisor import read_procfile
from tests.http_client import HttpClient
from tests.mail_server import MailServer
from tests.passwords import PASSWORD
from tests.ports import free_port
from tests.services.servers import Database, Redis, Server
from tests.setup.service import processes
from tests.waiting import wait_for

S = TypeVar("S", bound="Stack")
NAME = "shop"
SWEEP_SECONDS = 5  # instead of 30, and of 60 for the stock check, as staff may set it in the admin


class Stack(HttpClient):
    """Database, Redis, mail server, web, worker and beat. A fault stops one of them; `heal` restarts all."""

    def __init__(self, folder: Path) -> None:
        for name in ("mysql", "redis", "data"):
            (folder / name).mkdir()
        self.folder = folder
        self.database = Database(folder / "mysql")
        self.redis = Redis(folder / "redis")
        self.servers: list[Server] = [self.database, self.redis]  # in the order of their start
        self.mailbox = MailServer()
        self.port = free_port()
        super().__init__(f"http://127.0.0.1:{self.port}")
        self.commands = read_procfile(settings.BASE_DIR / "Procfile")
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.apart: dict[str, dict[str, str]] = {}  # settings of single processes
        self.is_kept = threading.Event()
        self.environment = os.environ | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "DATA_DIR": str(folder / "data"),
            "PORT": str(self.port),
            "MYSQL_HOST": "127.0.0.1",
            "MYSQL_PORT": str(self.database.port),
            "MYSQL_DATABASE": NAME,
            "MYSQL_USER": self.database.user,
            "MYSQL_PASSWORD": "",
            "REDIS_HOST": "127.0.0.1",
            "REDIS_PORT": str(self.redis.port),
            "REDIS_PASSWORD": "",
            "REDIS_DATABASE": "0",
            "EMAIL_HOST": "127.0.0.1",
            "EMAIL_PORT": str(self.mailbox.port),
            "DJANGO_SUPERUSER_USERNAME": "boss",
            "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
        }

    def start(self) -> None:
        self.mailbox.start()
        for server in self.servers:
            server.start()
        self.execute(f"CREATE DATABASE {NAME} CHARACTER SET utf8mb4", database="")  # MariaDB's default is latin1
        self.manage("migrate", "--verbosity", "0")
        self.manage("collectstatic", "--verbosity", "0", "--no-input")
        self.manage("ensure_superuser")
        self.execute("UPDATE django_celery_beat_intervalschedule SET every = %s WHERE every IN (30, 60)", SWEEP_SECONDS)
        for name in self.commands:
            self.run(name)
        self.is_kept.set()
        threading.Thread(target=self.keep).start()
        self.heal()

    def keep(self) -> None:
        """Restart processes that exited, as the container engine does."""
        while self.is_kept.is_set():
            for name, process in list(self.running.items()):
                if process.poll() is not None and self.running.get(name) is process:
                    self.run(name.partition(" ")[0], under=name)
            time.sleep(0.5)

    def stop(self) -> None:
        self.is_kept.clear()
        for process in self.running.values():
            process.terminate()
        for name in list(self.running):
            self.running[name].wait(20)
            self.kill(name)
        for server in reversed(self.servers):
            server.stop()
        self.mailbox.stop()

    def run(self, name: str, under: str = "") -> None:
        """Start the process of the Procfile's line `name`; a second one is stored as `under`."""
        with open(self.folder / f"{under or name}.log", "ab") as output:
            self.running[under or name] = subprocess.Popen(
                self.commands[name],
                shell=True,
                cwd=settings.BASE_DIR,
                env=self.environment | self.apart.get(name, {}),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def kill(self, name: str) -> None:
        """Kill the process and its children immediately, as a power cut would."""
        process = self.running.pop(name)
        with suppress(ProcessLookupError):  # all have exited already
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def heal(self) -> None:
        """Start the processes that do not run, and wait until the shop is ready."""
        for server in self.servers:
            if server.process is None:
                server.start()
        for name in self.commands:
            if name not in self.running:
                self.run(name)
        wait_for(lambda: self.health().get("status") == "ok", seconds=90)

    def web_with(self, **settings: str) -> AbstractContextManager[None]:
        """Run the web process with other settings in a context."""
        return self.with_settings(web=settings)

    @contextmanager
    def with_settings(self, **apart: dict[str, str]) -> Iterator[None]:
        """Run the named processes with other settings in a context."""
        before = self.apart
        try:
            self.apart = before | {name: before.get(name, {}) | own for name, own in apart.items()}
            self.restart(*apart)
            yield
        finally:
            self.apart = before
            self.restart(*apart)

    def restart(self, *names: str) -> None:
        for name in names:
            self.kill(name)
        self.heal()

    def health(self) -> dict[str, Any]:
        try:
            health: dict[str, Any] = requests.get(f"{self.url}/health/ready/", timeout=15).json()
        except requests.RequestException:
            return {}
        return health

    def children(self, name: str) -> set[int]:
        parent = self.running[name].pid
        return {child for child, above in processes().items() if above == parent}

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()

    def manage(self, *arguments: str, **apart: str) -> str:
        command = [sys.executable, "manage.py", *arguments]
        environment = self.environment | apart
        done = subprocess.run(command, cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def execute(self, sql: str, *values: Any, database: str = NAME) -> list[tuple[Any, ...]]:
        """Run one statement in autocommit mode; return its rows."""
        return self.database.execute(sql, *values, database=database)

    def number(self, sql: str, *values: Any) -> int:
        """The number that a statement returns; 0 for NULL."""
        return int(self.execute(sql, *values)[0][0] or 0)

    def product(self, name: str, quantity: int = 1) -> int:
        """Create a product; return its id."""
        body = {"name": name, "quantity": quantity, "price": "5.00"}
        answer = self.request("POST", "/products/", token=self.token(), json=body)
        assert answer.status_code == 201, answer.text
        return int(answer.json()["id"])

    def upload(self, product: int, picture: bytes, token: str) -> int:
        """Upload an image; return its id."""
        files = {"image": ("photo.jpg", picture, "image/jpeg")}
        answer = self.request("POST", f"/products/{product}/images/", token=token, files=files)
        assert answer.status_code == 201, answer.text
        return int(answer.json()["id"])

    def register(self, name: str) -> None:
        account = {"username": name, "email": f"{name}@example.com", "password": PASSWORD, "repeat_password": PASSWORD}
        answer = self.request("POST", "/register/", json=account)
        assert answer.status_code == 201, answer.text


@contextmanager
def started(stack: S) -> Iterator[S]:
    try:
        began = time.monotonic()
        stack.start()
        print(f"The stack started in {time.monotonic() - began:.0f} s")  # noqa: T201
        yield stack
    finally:
        stack.stop()
