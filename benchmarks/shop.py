"""A shop for a benchmark: a private MySQL database, Gunicorn as deployed, and a client that checks out carts.

Everything is on the loopback interface, and removed at the end.
"""

import argparse
import http.client
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from benchmarks.processes import children_of, end
from tests.ports import free_port

ROOT = Path(__file__).resolve().parent.parent
CONFIG = "python:productbackend.gunicorn"
MIGRATE = [sys.executable, "manage.py", "migrate", "--verbosity=0", "--skip-checks"]


def arguments(description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--mysql-port", type=int, default=3306, help="of a server on 127.0.0.1")
    parser.add_argument("--mysql-user", default="root")
    parser.add_argument("--mysql-password", default="")
    parser.add_argument("--redis-port", type=int, help="of a server on 127.0.0.1; if unset, cache and queue are files")
    parser.add_argument(
        "--redis-database", type=int, default=14, help="the number of its queue; the cache has the next"
    )
    return parser


def connect(options: argparse.Namespace, database: str = "") -> Any:
    import MySQLdb  # `make test` has no MySQL, and its benchmark does without

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
def database(options: argparse.Namespace, name: str = "", **settings: str) -> Iterator[str]:
    """A migrated database, which this process's Django uses. It is kept if `name` is given.

    `settings` are the shop's own.
    """
    with environment(settings):
        os.environ |= {
            "MYSQL_HOST": "127.0.0.1",
            "MYSQL_PORT": str(options.mysql_port),
            "MYSQL_USER": options.mysql_user,
            "MYSQL_PASSWORD": options.mysql_password,
        }
        if options.redis_port:
            os.environ |= {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(options.redis_port)}
            os.environ["REDIS_DATABASE"] = str(options.redis_database)
        with Database(options, name) as created:
            os.environ["MYSQL_DATABASE"] = created
            import django  # the settings read the environment that was just set

            django.setup()
            yield created


@contextmanager
def sqlite(data: Path | None = None, **settings: str) -> Iterator[None]:
    """A migrated SQLite database, which this process's Django uses; cache and queue are files.

    It is that of the folder `data`, or one that is removed at the end.
    """
    with environment(settings | ({"DATA_DIR": str(data)} if data else {})):
        os.environ |= {"MYSQL_HOST": "", "REDIS_HOST": ""}
        if data is None:
            subprocess.run(MIGRATE, cwd=ROOT, check=True)
        import django  # the settings read the environment that was just set

        django.setup()
        yield


@contextmanager
def environment(settings: Mapping[str, str]) -> Iterator[None]:
    """The settings that every benchmark needs, in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="productbackend-benchmark-") as data:
        os.environ |= {
            "ENV_FILE": os.devnull,
            "SECRET_KEY": secrets.token_hex(32),
            "THROTTLE_CHECKOUT": "1000000/s",
            "DATA_DIR": data,
            "ACCESS_TOKEN_LIFETIME": "1440",
            "PORT": str(free_port()),
            "DJANGO_SETTINGS_MODULE": "productbackend.settings",
        } | dict(settings)
        yield


class Database:
    """A migrated database. With a `name` it is created if absent and kept; without, it is dropped at the end."""

    def __init__(self, options: argparse.Namespace, name: str = "") -> None:
        self.options, self.is_kept = options, bool(name)
        self.name = name or f"benchmark_{secrets.token_hex(4)}"
        self._execute(f"CREATE DATABASE IF NOT EXISTS {self.name} CHARACTER SET utf8mb4")
        subprocess.run(MIGRATE, cwd=ROOT, check=True, env=os.environ | {"MYSQL_DATABASE": self.name})

    def __enter__(self) -> str:
        return self.name

    def __exit__(self, *error: object) -> None:
        if not self.is_kept:
            self._execute(f"DROP DATABASE {self.name}")

    def _execute(self, statement: str) -> None:
        connection = connect(self.options)
        connection.cursor().execute(statement)
        connection.close()


class Web:
    """Gunicorn with the service's own settings."""

    def __init__(self, *arguments: str, application: str = "productbackend.wsgi", **environment: str) -> None:
        self.arguments = arguments  # for Gunicorn, override its settings
        self.application = application
        self.environment = os.environ | environment
        self.port = int(self.environment["PORT"])

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "gunicorn", "--config", CONFIG, "--access-logfile", os.devnull]
        self.log = Path(os.environ["DATA_DIR"], f"gunicorn-{self.port}.log").open("wb")
        self.process = subprocess.Popen(
            [*command, *self.arguments, self.application],
            cwd=ROOT,
            env=self.environment,
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,
        )
        self.wait()
        return self

    def __exit__(self, *error: object) -> None:
        end([self.process])
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
        return children_of(self.process.pid)


class Client:
    """A keep-alive connection, reopened after it was lost."""

    def __init__(self, port: int, timeout: float = 30) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)

    def checkout(self, cart: int, token: str, key: str) -> tuple[int, bytes]:
        """The status and the body. Raises OSError or HTTPException if there is no response."""
        return self.request("POST", f"/carts/{cart}/checkout/", token, key=key)

    def request(self, method: str, path: str, token: str, *, key: str = "", body: bytes = b"") -> tuple[int, bytes]:
        """The status and the body. Raises OSError or HTTPException if there is no response."""
        headers = {"Authorization": f"Bearer {token}", "Content-Length": str(len(body))}
        headers |= {"Content-Type": "application/json"} if body else {}
        headers |= {"Idempotency-Key": key} if key else {}
        try:
            self.connection.request(method, path, body, headers)
            response = self.connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            raise


def versions(options: argparse.Namespace) -> str:
    """The versions of the software, and the machine."""
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
