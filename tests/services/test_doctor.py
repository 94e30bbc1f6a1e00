"""manage.py doctor on a whole deployment, first without faults, then with one fault at a time."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
import redis
from django.conf import settings

from tests.ports import free_port
from tests.services.doctoring import doctor, doctor_until, finding, names, workers_are_ready
from tests.services.stack import NAME, Stack
from tests.waiting import wait_for

pytestmark = pytest.mark.xdist_group("deployment")


@pytest.fixture(autouse=True)
def workers_ready(stack: Stack) -> None:
    workers_are_ready(stack)


def test_a_good_deployment(stack: Stack, record_property: Callable[[str, object], None]) -> None:
    with on_redis(stack, "maxmemory", "100mb"), on_redis(stack, "maxmemory-policy", "volatile-lru"):
        code, lines = doctor_until(stack, lambda lines: not names(lines, "bad"))
    assert code == 0, lines
    # The stack has no certificate, no proxy and no time zone tables, and its Python may lack a patch release.
    assert names(lines, "warn") <= {"settings", "time zones", "python"}, lines
    assert not names(lines, "bad")
    assert len(names(lines, "good")) >= 20
    record_property("counts", f"{len(lines)} findings")


@contextmanager
def on_redis(stack: Stack, name: str, value: str) -> Iterator[None]:
    with redis.Redis(port=stack.redis.port) as client:
        before = client.config_get(name)[name]
        client.config_set(name, value)
        try:
            yield
        finally:
            client.config_set(name, before)


@contextmanager
def nearly_full(stack: Stack) -> Iterator[None]:
    """Nearly full only: a worker whose commands are refused would stop responding."""
    with redis.Redis(port=stack.redis.port, db=9) as client:
        client.set("filler", bytes(100_000_000))
        try:
            with on_redis(stack, "maxmemory", "110000000"):
                yield
        finally:
            client.flushdb()


@contextmanager
def following(stack: Stack) -> Iterator[None]:
    """Redis is a replica."""
    with redis.Redis(port=stack.redis.port) as client:
        client.replicaof("127.0.0.1", free_port())
        try:
            yield
        finally:
            client.replicaof("NO", "ONE")


@contextmanager
def on_database(stack: Stack, fault: str, cure: str) -> Iterator[None]:
    stack.execute(fault)
    try:
        yield
    finally:
        stack.execute(cure)


@contextmanager
def without(stack: Stack, process: str) -> Iterator[None]:
    stack.kill(process)
    yield
    length = len(stack.log(process))
    stack.heal()
    if process != "web":  # heal() waits for web
        wait_for(lambda: "ready." in stack.log(process)[length:], seconds=120)


COLUMN = "ALTER TABLE outbox_mail MODIFY last_error VARCHAR(500) CHARACTER SET {} NOT NULL"
TABLES = "ALTER DATABASE shop CHARACTER SET {}"
LAST = max(path.stem for path in Path(settings.BASE_DIR, "accounts", "migrations").glob("0*.py"))
ROW = f"FROM django_migrations WHERE app = 'accounts' AND name = '{LAST}'"
FAULTS: dict[str, tuple[str, Callable[[Stack], AbstractContextManager[None]]]] = {
    "a queue that may be evicted": ("eviction", lambda stack: on_redis(stack, "maxmemory-policy", "allkeys-lru")),
    "a queue that is nearly full": ("eviction", nearly_full),
    "a column of latin1": (
        "character set",
        lambda stack: on_database(stack, COLUMN.format("latin1"), COLUMN.format("utf8mb4")),
    ),
    "new tables of latin1": (
        "character set",
        lambda stack: on_database(stack, TABLES.format("latin1"), TABLES.format("utf8mb4")),
    ),
    "a migration that was not run": (
        "migrations",
        lambda stack: on_database(
            stack,
            f"DELETE {ROW}",
            f"INSERT INTO django_migrations (app, name, applied) VALUES ('accounts', '{LAST}', UTC_TIMESTAMP())",
        ),
    ),
    "no worker of pictures": ("workers", lambda stack: without(stack, "images")),
    "no worker of mails": ("workers", lambda stack: without(stack, "worker")),
    "no web": ("site", lambda stack: without(stack, "web")),
    "a mail that waits": (
        "waiting",
        lambda stack: on_database(
            stack,
            "INSERT INTO outbox_mail (kind, recipient, reference, status, attempts, due_at, claimed_at, last_error,"
            " created_at) VALUES ('order', 'a@example.com', '', 'pending', 1, UTC_TIMESTAMP() - INTERVAL 10 MINUTE,"
            " UTC_TIMESTAMP() + INTERVAL 25 SECOND, '', UTC_TIMESTAMP() - INTERVAL 10 MINUTE)",
            "DELETE FROM outbox_mail WHERE recipient = 'a@example.com'",
        ),
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named(stack: Stack, fault: str) -> None:
    name, cause = FAULTS[fault]
    with cause(stack):
        code, lines = doctor_until(stack, lambda lines: names(lines, "bad") == {name})
    assert code == 1
    assert names(lines, "bad") == {name}, lines


@pytest.mark.parametrize(
    ("name", "environment"),
    [
        ("settings", {"DEBUG": "true"}),
        ("mail server", {"EMAIL_PORT": str(free_port())}),
        ("settings", {"JWT_SIGNING_KEY": "change me, change me, change me, change me"}),
    ],
)
def test_a_wrong_setting_is_named(stack: Stack, name: str, environment: dict[str, str]) -> None:
    code, lines = doctor_until(stack, lambda lines: names(lines, "bad") == {name}, **environment)
    assert code == 1
    assert names(lines, "bad") == {name}, lines


@contextmanager
def without_gtids(stack: Stack) -> Iterator[None]:
    """MariaDB writes none without a binary log, as here; MySQL does, and turns them off step by step."""
    if stack.database.is_mariadb:
        yield
        return
    try:
        for mode in ("ON_PERMISSIVE", "OFF_PERMISSIVE", "OFF"):
            stack.execute(f"SET GLOBAL gtid_mode = {mode}")
        stack.execute("RESET BINARY LOGS AND GTIDS")
        yield
    finally:
        for mode in ("OFF_PERMISSIVE", "ON_PERMISSIVE", "ON"):
            stack.execute(f"SET GLOBAL gtid_mode = {mode}")


def test_a_primary_without_gtids(stack: Stack) -> None:
    """Nobody can know then whether a replica has its transactions."""
    replica = {"MYSQL_REPLICA_HOST": "127.0.0.1", "MYSQL_REPLICA_PORT": str(stack.database.port)}
    with without_gtids(stack):
        code, lines = doctor_until(stack, lambda lines: names(lines, "bad") == {"replica"}, **replica)
    assert code == 1
    assert names(lines, "bad") == {"replica"}, lines
    assert "gtid_mode=ON" in finding(lines, "replica")


def test_a_disk_that_is_not_the_web_servers(stack: Stack, tmp_path: Path) -> None:
    is_named = lambda lines: {"renditions"} <= names(lines, "bad") <= {"renditions", "static files"}  # noqa: E731
    code, lines = doctor_until(stack, is_named, DATA_DIR=str(tmp_path))
    assert code == 1
    assert is_named(lines), lines
    assert not list(tmp_path.rglob("*.png"))


def test_a_session_with_other_settings(stack: Stack) -> None:
    """A session that a proxy in front of the database changed."""
    options = "from productbackend import settings as s; o = s.DATABASES['default']['OPTIONS']; "
    loose = "o['isolation_level'] = 'repeatable read'; o['init_command'] = 'SET sql_mode = \"\"'"
    expected = {"isolation", "sql mode"}
    code, lines = doctor_until(stack, lambda lines: names(lines, "bad") == expected, before=options + loose)
    assert code == 1
    assert names(lines, "bad") == expected, lines


def test_a_user_who_may_not_write(stack: Stack) -> None:
    stack.execute("CREATE USER reader@localhost IDENTIFIED BY 'battery staple'")
    stack.execute(f"GRANT SELECT ON {NAME}.* TO reader@localhost")
    reader = {"MYSQL_USER": "reader", "MYSQL_PASSWORD": "battery staple"}
    code, lines = doctor_until(stack, lambda lines: names(lines, "bad") == {"database writes"}, **reader)
    assert code == 1
    assert names(lines, "bad") == {"database writes"}, lines


@pytest.mark.parametrize("end", ["stop", "hang"])
def test_an_unreachable_database_hides_no_other_findings(stack: Stack, end: str) -> None:
    assert stack.database.process
    if end == "stop":
        stack.database.stop()
    else:
        os.kill(stack.database.process.pid, signal.SIGSTOP)
    try:
        code, lines = doctor(stack)
    finally:
        if end == "stop":
            stack.database.start()
        else:
            os.kill(stack.database.process.pid, signal.SIGCONT)
    assert code == 1
    assert {"database", "site"} <= names(lines, "bad"), lines
    assert {"isolation", "migrations", "character set", "waiting"} <= names(lines, "warn"), lines
    assert {"queue", "persistence", "mail server", "storage", "renditions"} <= names(lines, "good"), lines


def test_a_redis_replica(stack: Stack) -> None:
    with following(stack):
        code, lines = doctor(stack)
    assert code == 1
    assert {"cache", "queue"} <= names(lines, "bad"), lines
    assert {"database", "mail server", "renditions"} <= names(lines, "good"), lines


def test_an_unreachable_redis_hides_no_other_findings(stack: Stack) -> None:
    stack.redis.stop()
    try:
        code, lines = doctor_until(stack, lambda lines: names(lines, "bad") == {"cache", "queue", "site"})
    finally:
        stack.redis.start()
    assert code == 1
    assert names(lines, "bad") == {"cache", "queue", "site"}, lines
    assert {"eviction", "workers"} <= names(lines, "warn"), lines
    assert {"database", "isolation", "mail server", "renditions"} <= names(lines, "good"), lines
