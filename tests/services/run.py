"""Runs the tests on MySQL and Redis, and those that take long: `python -m tests.services.run [pytest's arguments]`.

The servers are those of TEST_MYSQL_HOST, _PORT, _USER, _PASSWORD and TEST_REDIS_HOST, _PORT, _PASSWORD; else
reachable ones on this machine at the default ports; else private ones, which stop with the tests. If TEST_MYSQLD has
the command of a server, and TEST_MYSQL_HOST is unset, the database is private. A private one does not wait for the
disk. Other data on a server is not touched: the databases have unique names, and only empty Redis databases are used.
"""

import fcntl
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import MySQLdb
import redis

from tests.redis_server import is_redis_reachable
from tests.services.servers import Database, Missing, Redis, is_mysql_reachable

WORKERS_MAX = 4
CONNECTIONS = 1000  # for 200 concurrent buyers, while the server still closes the connections of the previous 200
# More than one per core, since the tests of faults mostly wait.
WORKERS = min(WORKERS_MAX, (os.cpu_count() or 1) + 1)

# Of those that are left, `-m release` among the arguments chooses.
RELEVANT = "not release and (not embedded or thorough)"

# How many random examples some tests take; `make test` takes fewer.
THOROUGH = {
    "AMOUNTS_CARTS": "100000",  # of tests/orders/test_amounts.py
    "DAMAGED_PICTURES": "40",  # of tests/products/images/test_hostile_images.py, of each format
    "HYPOTHESIS_PROFILE": "medium",  # of tests/carts/test_checkout_machine.py and tests/examples.py
}


def main(arguments: list[str]) -> int:
    with ExitStack() as cleanup:
        try:
            environment = cleanup.enter_context(database()) | cleanup.enter_context(queue())
        except Missing as missing:
            print(f"productbackend: {missing}", file=sys.stderr)
            return 2
        command = [sys.executable, "-m", "pytest", "--quiet", "-m", RELEVANT]
        command += ["--numprocesses", str(WORKERS), "--dist", "loadgroup"]
        process = subprocess.Popen([*command, *arguments], env=THOROUGH | os.environ | environment)
        try:
            return process.wait()
        except KeyboardInterrupt:  # the terminal also signalled pytest
            return process.wait()


@contextmanager
def database() -> Iterator[dict[str, str]]:
    """Yield the settings of a database server; drop the databases afterwards."""
    with ExitStack() as cleanup:
        host, port, user, password = _given_or_local_database() or _private_database(cleanup)
        name = f"productbackend_{secrets.token_hex(4)}"
        with MySQLdb.connect(host=host, port=port, user=user, password=password) as connection:
            version = connection.get_server_info()
        print(f"Database: {version} at {host}:{port}", flush=True)
        server: dict[str, Any] = {"host": host, "port": port, "user": user, "password": password}
        cleanup.enter_context(_room_for_200_buyers(server))
        cleanup.callback(_drop, name, **server)
        yield {
            "TEST_MYSQL_HOST": host,
            "TEST_MYSQL_PORT": str(port),
            "TEST_MYSQL_USER": user,
            "TEST_MYSQL_PASSWORD": password,
            "TEST_MYSQL_DATABASE": name,
        }


def _given_or_local_database() -> tuple[str, int, str, str] | None:
    given = os.environ.get("TEST_MYSQL_HOST")
    if os.environ.get("TEST_MYSQLD") and not given:
        return None
    host, port = given or "127.0.0.1", int(os.environ.get("TEST_MYSQL_PORT") or 3306)
    user, password = os.environ.get("TEST_MYSQL_USER") or "root", os.environ.get("TEST_MYSQL_PASSWORD") or ""
    if is_mysql_reachable(host=host, port=port, user=user, password=password):
        return host, port, user, password
    if given:
        raise Missing(f"no database is reachable as {user} at {host}:{port}: see TEST_MYSQL_*.")
    return None


def _private_database(cleanup: ExitStack) -> tuple[str, int, str, str]:
    folder = cleanup.enter_context(tempfile.TemporaryDirectory(prefix="productbackend-mysql-"))
    server = Database(Path(folder), is_durable=False)  # no test of this server's tables cuts the power
    cleanup.callback(server.stop)
    server.start()
    return "127.0.0.1", server.port, server.user, ""


@contextmanager
def _room_for_200_buyers(server: dict[str, Any]) -> Iterator[None]:
    """Raise MariaDB's default limit of 151 connections."""
    with MySQLdb.connect(**server) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT @@GLOBAL.max_connections")
        [(before,)] = cursor.fetchall()
        if before < CONNECTIONS:
            cursor.execute("SET GLOBAL max_connections = %s", [CONNECTIONS])
    try:
        yield
    finally:
        if before < CONNECTIONS:
            with MySQLdb.connect(**server) as connection, connection.cursor() as cursor:
                cursor.execute("SET GLOBAL max_connections = %s", [before])


def _drop(name: str, **server: str | int) -> None:
    with MySQLdb.connect(**server) as connection, connection.cursor() as cursor:
        cursor.execute("SHOW DATABASES")
        # pytest creates test_NAME_gw0 and so on, and a test may create NAME_....
        for (found,) in cursor.fetchall():
            if found.startswith((name, f"test_{name}")):
                cursor.execute(f"DROP DATABASE `{found}`")


@contextmanager
def queue() -> Iterator[dict[str, str]]:
    """Yield pairs of Redis's numbered databases, one pair per worker; empty them afterwards."""
    with ExitStack() as cleanup:
        host, port, password, numbers = _given_or_local_redis(cleanup) or _private_redis(cleanup)
        with redis.Redis(host=host, port=port, password=password or None) as client:
            print(f"Redis: {client.info('server')['redis_version']} at {host}:{port}, {numbers}", flush=True)
        cleanup.callback(_empty, numbers, host=host, port=port, password=password)
        yield {
            "TEST_REDIS_HOST": host,
            "TEST_REDIS_PORT": str(port),
            "TEST_REDIS_PASSWORD": password,
            "TEST_REDIS_DATABASES": ",".join(str(number) for number in numbers),
        }


def _given_or_local_redis(cleanup: ExitStack) -> tuple[str, int, str, list[int]] | None:
    given = os.environ.get("TEST_REDIS_HOST")
    host, port = given or "127.0.0.1", int(os.environ.get("TEST_REDIS_PORT") or 6379)
    password = os.environ.get("TEST_REDIS_PASSWORD") or ""
    if is_redis_reachable(f"redis://{host}:{port}", password):
        numbers = _free_numbers(cleanup, host=host, port=port, password=password)
        if len(numbers) == WORKERS:
            return host, port, password, numbers
        if given:
            raise Missing(f"Redis at {host}:{port} has too few empty databases: {2 * WORKERS} are needed.")
    elif given:
        raise Missing(f"no Redis is reachable at {host}:{port}: see TEST_REDIS_*.")
    return None


def _free_numbers(cleanup: ExitStack, *, host: str, port: int, password: str) -> list[int]:
    """The first numbers of pairs of databases that are empty and that no other run on this machine uses."""
    numbers: list[int] = []
    for number in range(14, 0, -2):
        held = ExitStack()
        lock = Path(tempfile.gettempdir()) / f"productbackend-redis-{host}-{port}-{number}.lock"
        file = held.enter_context(lock.open("w"))
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            sizes = [_size(host, port, password, database) for database in (number, number + 1)]
        except (BlockingIOError, redis.ResponseError):  # another run uses it, or the server has fewer databases
            held.close()
            continue
        if any(sizes) or len(numbers) == WORKERS:
            held.close()
        else:
            numbers.append(number)
            cleanup.enter_context(held)
    return numbers


def _size(host: str, port: int, password: str, number: int) -> int:
    with redis.Redis(host=host, port=port, password=password or None, db=number) as client:
        return int(client.dbsize())


def _private_redis(cleanup: ExitStack) -> tuple[str, int, str, list[int]]:
    server = Redis(Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="productbackend-redis-"))))
    cleanup.callback(server.stop)
    server.start()
    return "127.0.0.1", server.port, "", [2 * number for number in range(WORKERS)]


def _empty(numbers: list[int], *, host: str, port: int, password: str) -> None:
    for number in (database for first in numbers for database in (first, first + 1)):
        with redis.Redis(host=host, port=port, password=password or None, db=number) as client:
            client.flushdb()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
