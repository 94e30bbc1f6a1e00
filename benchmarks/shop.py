"""A shop of a benchmark's own: a private MySQL database, Gunicorn as it is deployed, carts to check out.

Everything is on the loopback interface, and gone at the end.
"""

import argparse
import http.client
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import MySQLdb

ROOT = Path(__file__).resolve().parent.parent
CONFIG = "python:productbackend.gunicorn"


def arguments(description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--mysql-port", type=int, default=3306, help="of a server on 127.0.0.1")
    parser.add_argument("--mysql-user", default="root")
    parser.add_argument("--mysql-password", default="")
    parser.add_argument("--redis-port", type=int, help="of a server on 127.0.0.1; else cache and queue are files")
    parser.add_argument(
        "--redis-database", type=int, default=14, help="the number of its queue; the cache has the next"
    )
    return parser


def connect(options: argparse.Namespace, database: str = "") -> Any:
    connection = MySQLdb.connect(
        host="127.0.0.1",
        port=options.mysql_port,
        user=options.mysql_user,
        password=options.mysql_password,
        database=database,
        charset="utf8mb4",
    )
    connection.cursor().execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
    return connection


@contextmanager
def database(options: argparse.Namespace, name: str = "") -> Iterator[str]:
    """A migrated database; this process's Django works on it. One that is given a name stays."""
    with tempfile.TemporaryDirectory(prefix="productbackend-benchmark-") as data:
        os.environ |= {
            "ENV_FILE": os.devnull,
            "SECRET_KEY": secrets.token_hex(32),
            "DATA_DIR": data,
            "MYSQL_HOST": "127.0.0.1",
            "MYSQL_PORT": str(options.mysql_port),
            "MYSQL_USER": options.mysql_user,
            "MYSQL_PASSWORD": options.mysql_password,
            "ACCESS_TOKEN_LIFETIME": "1440",
            "PORT": str(free_port()),
            "DJANGO_SETTINGS_MODULE": "productbackend.settings",
        }
        if options.redis_port:
            os.environ |= {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(options.redis_port)}
            os.environ["REDIS_DATABASE"] = str(options.redis_database)
        with Kept(options, name) as made:
            os.environ["MYSQL_DATABASE"] = made
            import django  # the settings read the environment that was just made

            django.setup()
            yield made


class Kept:
    """A migrated database: one of a name that is given is made where absent, and stays; else one that goes again."""

    def __init__(self, options: argparse.Namespace, name: str = "") -> None:
        self.options, self.stays = options, bool(name)
        self.name = name or f"benchmark_{secrets.token_hex(4)}"
        self._execute(f"CREATE DATABASE IF NOT EXISTS {self.name} CHARACTER SET utf8mb4")
        command = [sys.executable, "manage.py", "migrate", "--verbosity=0", "--skip-checks"]
        subprocess.run(command, cwd=ROOT, check=True, env=os.environ | {"MYSQL_DATABASE": self.name})

    def __enter__(self) -> str:
        return self.name

    def __exit__(self, *error: object) -> None:
        if not self.stays:
            self._execute(f"DROP DATABASE {self.name}")

    def _execute(self, statement: str) -> None:
        connection = connect(self.options)
        connection.cursor().execute(statement)
        connection.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Web:
    """Gunicorn with the service's own settings."""

    def __init__(self, *arguments: str) -> None:
        self.arguments = arguments  # of Gunicorn, over its own settings
        self.port = int(os.environ["PORT"])

    def __enter__(self) -> "Web":
        command = [sys.executable, "-m", "gunicorn", "--config", CONFIG, "--access-logfile", os.devnull]
        self.log = Path(os.environ["DATA_DIR"], "gunicorn.log").open("wb")
        self.process = subprocess.Popen(
            [*command, *self.arguments, "productbackend.wsgi"],
            cwd=ROOT,
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,
        )
        self.wait()
        return self

    def __exit__(self, *error: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.log.close()

    def wait(self) -> None:
        for _ in range(300):
            try:
                client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
                client.request("GET", "/health/live/")
                if client.getresponse().status == 200:
                    return
            except OSError:
                time.sleep(0.1)
        raise SystemExit(f"Gunicorn does not start: {Path(self.log.name).read_text()[-2000:]}")

    def workers(self) -> list[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in children.read_text().split()]


class Client:
    """One connection that is kept, opened anew where it was lost."""

    def __init__(self, port: int, timeout: float = 30) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)

    def checkout(self, cart: int, token: str, key: str) -> tuple[int, bytes]:
        """The status and the body; OSError or HTTPException where no answer came."""
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key, "Content-Length": "0"}
        try:
            self.connection.request("POST", f"/carts/{cart}/checkout/", headers=headers)
            answer = self.connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            raise


def versions(options: argparse.Namespace) -> str:
    """What was measured, and on what."""
    import django
    import gunicorn

    connection = connect(options)
    cursor = connection.cursor()
    cursor.execute("SELECT VERSION(), @@innodb_flush_log_at_trx_commit, @@sync_binlog")
    version, flush, binlog = cursor.fetchone()
    connection.close()
    return (
        f"{time.strftime('%Y-%m-%d')}, Python {sys.version.split()[0]}, Django {django.__version__}, "
        f"Gunicorn {gunicorn.__version__}, MySQL {version} (flush at commit {flush}, sync_binlog {binlog}), "
        f"{'Redis' if options.redis_port else 'a queue of files'}, {os.cpu_count()} cores shared by server, "
        f"database and clients, {load()}"
    )


def load() -> str:
    return f"load {os.getloadavg()[0]:.1f}"
