"""Runs the tests on MySQL and Redis: `python -m tests.services.run [pytest's arguments]`.

The servers are those of TEST_MYSQL_HOST, _PORT, _USER, _PASSWORD and TEST_REDIS_HOST, _PORT, _PASSWORD; else what
answers on this machine at the usual ports; else private ones, which end with the tests. Others'
data on a server is left alone: the databases have names of their own, and of Redis only numbers
that are empty are used.
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

from tests.services.servers import Database, Missing, Redis, mysql_answers, redis_answers

WORKERS_MAX = 4
CONNECTIONS = 1000  # for 200 buyers at once, while the server still closes those of the 200 before
# More than one core's worth, for the tests of faults mostly wait.
WORKERS = min(WORKERS_MAX, (os.cpu_count() or 1) + 1)


def main(arguments: list[str]) -> int:
    with ExitStack() as cleanup:
        try:
            environment = cleanup.enter_context(database()) | cleanup.enter_context(queue())
        except Missing as missing:
            print(f"productbackend: {missing}", file=sys.stderr)
            return 2
        command = [sys.executable, "-m", "pytest", "--quiet", "-m", "not embedded"]
        command += ["--numprocesses", str(WORKERS), "--dist", "loadgroup"]
        process = subprocess.Popen([*command, *arguments], env=os.environ | environment)
        try:
            return process.wait()
        except KeyboardInterrupt:  # the terminal told pytest too
            return process.wait()


@contextmanager
def database() -> Iterator[dict[str, str]]:
    """A name for databases on a server, all of which are dropped in the end."""
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
    host, port = given or "127.0.0.1", int(os.environ.get("TEST_MYSQL_PORT") or 3306)
    user, password = os.environ.get("TEST_MYSQL_USER") or "root", os.environ.get("TEST_MYSQL_PASSWORD") or ""
    if mysql_answers(host=host, port=port, user=user, password=password):
        return host, port, user, password
    if given:
        raise Missing(f"no database answers {user} at {host}:{port}: mend TEST_MYSQL_*, or unset TEST_MYSQL_HOST.")
    return None


def _private_database(cleanup: ExitStack) -> tuple[str, int, str, str]:
    server = Database(Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="productbackend-mysql-"))))
    cleanup.callback(server.stop)
    server.start()
    return "127.0.0.1", server.port, server.user, ""


@contextmanager
def _room_for_200_buyers(server: dict[str, Any]) -> Iterator[None]:
    """MariaDB takes 151 connections, where nobody says otherwise."""
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
        # pytest makes test_NAME_gw0 and so on, and a test may make NAME_... of its own.
        for (found,) in cursor.fetchall():
            if found.startswith((name, f"test_{name}")):
                cursor.execute(f"DROP DATABASE `{found}`")


@contextmanager
def queue() -> Iterator[dict[str, str]]:
    """Pairs of Redis's numbered databases, one pair a worker; emptied in the end."""
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
    if redis_answers(host=host, port=port, password=password):
        numbers = _free_numbers(cleanup, host=host, port=port, password=password)
        if len(numbers) == WORKERS:
            return host, port, password, numbers
        if given:
            raise Missing(f"Redis at {host}:{port} has too few empty databases: {2 * WORKERS} are needed.")
    elif given:
        raise Missing(f"no Redis answers at {host}:{port}: mend TEST_REDIS_*, or unset TEST_REDIS_HOST.")
    return None


def _free_numbers(cleanup: ExitStack, *, host: str, port: int, password: str) -> list[int]:
    """The first of each pair of databases that are empty, and that no other run on this machine has."""
    numbers: list[int] = []
    for number in range(14, 0, -2):
        held = ExitStack()
        lock = Path(tempfile.gettempdir()) / f"productbackend-redis-{host}-{port}-{number}.lock"
        file = held.enter_context(lock.open("w"))
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            sizes = [_size(host, port, password, database) for database in (number, number + 1)]
        except (BlockingIOError, redis.ResponseError):  # another has it, or the server keeps fewer
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
