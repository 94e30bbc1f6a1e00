"""The whole service as `make run` starts it, with its own data and port."""

import fcntl
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import requests
from django.conf import settings

from tests.http_client import HttpClient
from tests.migrating import MIGRATED
from tests.passwords import PASSWORD
from tests.ports import free_port
from tests.waiting import wait_for

# `make run` without settings, whatever servers the other tests use.
EMBEDDED = {"MYSQL_HOST": "", "REDIS_HOST": ""}


def processes() -> dict[int, int]:
    """The running processes of the machine: id -> parent's id."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,stat="], capture_output=True, text=True, check=True).stdout
    rows = (line.split() for line in listed.splitlines())
    return {int(pid): int(parent) for pid, parent, state, *_ in rows if not state.startswith("Z")}


PREPARE = """
import django; django.setup()
from django.core.management import call_command
call_command("migrate", interactive=False, verbosity=0)
call_command("collectstatic", interactive=False, verbosity=0)
from django_celery_beat.models import IntervalSchedule
IntervalSchedule.objects.filter(every=30).update(every=5)  # the sweeps, as staff may set it in the admin
"""


def prepare(data_dir: Path, shared: Path) -> None:
    """Copy the data of a first start, without a catalogue; created once in `shared` for all test processes.

    Its database is that of the tests, if one is migrated already.
    """
    made = shared / "prepared"
    with open(shared / "prepared.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            part = shared / "prepared.part"
            part.mkdir()
            if (migrated := shared / MIGRATED).exists():
                shutil.copy(migrated, part / "db.sqlite3")
            settings_module = {"DJANGO_SETTINGS_MODULE": "productbackend.settings", "DATA_DIR": str(part)}
            environment = os.environ | EMBEDDED | settings_module
            subprocess.run([sys.executable, "-c", PREPARE], cwd=settings.BASE_DIR, env=environment, check=True)
            part.rename(made)
    shutil.copytree(made, data_dir, dirs_exist_ok=True)


class Service(HttpClient):
    """A running service; `log` is its output."""

    def __init__(self, data_dir: Path, *, has_demo: bool = True, **environment: str) -> None:
        self.port = free_port()
        super().__init__(f"http://127.0.0.1:{self.port}")
        self.data_dir = data_dir
        if not has_demo:
            data_dir.mkdir(parents=True, exist_ok=True)
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
        wait_for(self.is_ready, seconds=150)  # the machine may be busy
        return self

    def is_ready(self) -> bool:
        assert self.process.poll() is None, self.log
        return self.is_reachable() and "ready." in self.log

    def is_reachable(self) -> bool:
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
        """All processes of the service."""
        family, added = set(), {self.process.pid}
        while added:
            family |= added
            added = {child for child, parent in processes().items() if parent in family} - family
        return family

    def stop(self, signum: int = signal.SIGTERM, *, to_group: bool = False) -> int:
        """Stop it by a signal, as a terminal or a supervisor does; return its exit code."""
        if to_group:
            os.killpg(self.process.pid, signum)
        elif self.process.poll() is None:
            self.process.send_signal(signum)
        return self.process.wait(timeout=15)

    def assert_nothing_is_left(self, family: set[int]) -> None:
        """Assert that these processes have ended and that the port is free."""
        wait_for(lambda: not family & set(processes()), seconds=2)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", self.port))

    def load_demo(self, *, products: int, pictures: int) -> None:
        """Load a part of the demo catalogue, since drawing all its pictures takes long."""
        demo = [sys.executable, "manage.py", "demo", "--products", str(products), "--pictures", str(pictures)]
        subprocess.run(demo, cwd=settings.BASE_DIR, env=self.environment, capture_output=True, check=True)
