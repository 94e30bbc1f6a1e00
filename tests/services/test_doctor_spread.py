"""manage.py doctor on more than one machine's servers: a replica, a Redis for the queue, Sentinels; good and broken."""

import os
import re
import signal
from collections.abc import Callable

import pytest

from tests.ports import free_port
from tests.services.doctoring import doctor_until, finding, names, workers_are_ready
from tests.services.servers import Redis
from tests.services.spread import PASSWORD, WEB, Spread
from tests.services.test_sentinel import MASTER, asked
from tests.services.test_sentinel import follower as follower
from tests.waiting import wait_for

pytestmark = pytest.mark.xdist_group("spread")

FAILED_OVER = 60  # seconds


@pytest.fixture(autouse=True)
def workers_ready(spread: Spread) -> None:
    workers_are_ready(spread)


def bad_is(*expected: str) -> Callable[[list[str]], bool]:
    return lambda lines: names(lines, "bad") == {*expected}


def test_a_good_deployment(spread: Spread) -> None:
    code, lines = doctor_until(spread, bad_is())
    assert code == 0, lines
    assert finding(lines, "replica") == "good  replica: caught up with the primary"
    assert f"127.0.0.1:{spread.redis.port}/" in finding(lines, "cache")
    assert f"127.0.0.1:{spread.queue.port}/" in finding(lines, "queue")
    assert {"cache", "queue", "persistence", "workers", "beat"} <= names(lines, "good")


@pytest.mark.parametrize("end", ["killed", "hangs", "refuses the password"])
def test_a_replica_that_cannot_be_read(spread: Spread, end: str) -> None:
    """The shop goes on with the primary, and its other findings stay good."""
    assert spread.replica.process is not None
    if end == "killed":
        spread.replica.kill()
    elif end == "hangs":
        os.kill(spread.replica.process.pid, signal.SIGSTOP)
    password = {"MYSQL_REPLICA_PASSWORD": "another"} if end == "refuses the password" else {}
    try:
        code, lines = doctor_until(spread, bad_is("replica"), **password)
    finally:
        if end == "hangs":
            os.kill(spread.replica.process.pid, signal.SIGCONT)
    assert code == 1
    assert names(lines, "bad") == {"replica"}, lines
    assert {"database", "database writes", "site"} <= names(lines, "good"), lines


def test_a_replica_that_is_behind(spread: Spread) -> None:
    """A warning: whoever reads meanwhile reads the primary."""
    spread.apply(on=False)
    spread.product("Not on the replica yet")
    code, lines = doctor_until(spread, bad_is())
    assert code == 0, lines
    assert "SHOW REPLICA STATUS" in finding(lines, "replica")
    assert "replica" in names(lines, "warn")


def test_a_replica_in_place_of_the_primary(spread: Spread) -> None:
    spread.replica.execute("SET GLOBAL read_only = 1")  # a restart has ended that
    swapped = {"MYSQL_PORT": str(spread.replica.port), "MYSQL_REPLICA_PORT": str(spread.database.port)}
    user = {"MYSQL_USER": WEB, "MYSQL_PASSWORD": PASSWORD}  # root may write there
    # On MariaDB a replica without a binary log of what it applies has no GTIDs to compare with.
    expected = {"database writes", "replica"} if spread.database.is_mariadb else {"database writes"}
    code, lines = doctor_until(spread, bad_is(*expected), **swapped, **user)
    assert code == 1
    assert names(lines, "bad") == expected, lines
    assert "read" in finding(lines, "database writes")


@pytest.mark.parametrize(("server", "check"), [("redis", "cache"), ("queue", "queue")])
def test_one_of_the_two_redis_servers_is_away(spread: Spread, server: str, check: str) -> None:
    """The check of the other one stays good."""
    getattr(spread, server).stop()
    [other] = {"cache", "queue"} - {check}
    code, lines = doctor_until(spread, lambda lines: check in names(lines, "bad") and other in names(lines, "good"))
    assert code == 1
    assert {check, "site"} <= names(lines, "bad"), lines
    assert {other, "replica", "database"} <= names(lines, "good"), lines
    assert "refused" in finding(lines, check).lower()


def test_sentinels_name_the_master_also_after_it_failed(spread: Spread, follower: Redis) -> None:
    workers_are_ready(spread)
    code, lines = doctor_until(spread, bad_is())
    assert code == 0, lines
    assert f"127.0.0.1:{spread.queue.port}/" in finding(lines, "queue")
    spread.queue.kill()
    wait_for(lambda: asked(follower, "ROLE")[0] == "master", seconds=FAILED_OVER, every=0.5)
    code, lines = doctor_until(spread, bad_is())
    assert code == 0, lines
    assert f"127.0.0.1:{follower.port}/" in finding(lines, "queue")


@pytest.mark.parametrize("fault", ["unreachable", "unknown"])
def test_sentinels_that_name_no_master(spread: Spread, follower: Redis, fault: str) -> None:
    usual = spread.environment["REDIS_BROKER_SENTINELS"]
    if fault == "unreachable":
        wrong = {"REDIS_BROKER_SENTINELS": re.sub(r":\d+", lambda port: f":{free_port()}", usual)}
    else:
        wrong = {"REDIS_BROKER_HOST": f"not-{MASTER}"}
    code, lines = doctor_until(spread, bad_is("queue"), **wrong)
    assert code == 1
    assert names(lines, "bad") == {"queue"}, lines
    assert {"eviction", "persistence", "workers"} <= names(lines, "warn"), lines
    assert {"cache", "database", "replica", "site"} <= names(lines, "good"), lines
