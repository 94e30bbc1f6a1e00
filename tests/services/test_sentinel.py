"""The queue's server fails, and Sentinels promote its replica."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.services.servers import Redis, Sentinel
from tests.services.spread import Spread
from tests.services.test_redis_faults import mails_to
from tests.waiting import wait_for

pytestmark = pytest.mark.xdist_group("spread")

MASTER = "queue"


def asked(server: Redis, *command: Any) -> Any:
    with redis.Redis(port=server.port, decode_responses=True) as client:
        return client.execute_command(*command)


@pytest.fixture
def follower(spread: Spread, tmp_path: Path) -> Iterator[Redis]:
    """A replica of the queue's server, and three Sentinels, which web, worker and beat use."""
    usual = spread.environment
    with ExitStack() as cleanup:
        # Last: a Sentinel that still runs would make the queue's original server a replica when it restarts.
        cleanup.callback(_restart_with, spread, usual)
        follower = Redis(_folder(tmp_path / "follower"))
        sentinels = [Sentinel(_folder(tmp_path / f"sentinel{number}"), MASTER, spread.queue) for number in range(3)]
        for server in (follower, *sentinels):
            cleanup.callback(server.stop)
            server.start()
        asked(follower, "REPLICAOF", "127.0.0.1", spread.queue.port)
        wait_for(lambda: all(len(asked(each, "SENTINEL", "REPLICAS", MASTER)) == 1 for each in sentinels), seconds=60)
        wait_for(lambda: all(len(asked(each, "SENTINEL", "SENTINELS", MASTER)) == 2 for each in sentinels), seconds=60)
        sentinel_addresses = ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in sentinels)
        _restart_with(spread, usual | {"REDIS_BROKER_HOST": MASTER, "REDIS_BROKER_SENTINELS": sentinel_addresses})
        yield follower


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def _restart_with(spread: Spread, environment: dict[str, str]) -> None:
    spread.environment = environment
    for name in list(spread.running):
        spread.kill(name)
    spread.heal()


def test_the_queue_continues_at_the_promoted_replica(
    spread: Spread, follower: Redis, record_property: Callable[[str, object], None]
) -> None:
    spread.register("before")
    wait_for(lambda: mails_to(spread, "before"), seconds=60, every=0.5)
    spread.queue.kill()
    killed = time.monotonic()
    spread.register("meanwhile")
    wait_for(lambda: spread.health()["broker"] == "ok", seconds=60)
    back = time.monotonic() - killed
    spread.register("afterwards")
    for name in ("meanwhile", "afterwards"):
        wait_for(lambda name=name: mails_to(spread, name), seconds=120, every=0.5)  # type: ignore[misc]
    record_property("counts", f"the queue was back after {back:.1f} s, all mails after {time.monotonic() - killed:.1f}")
    assert asked(follower, "ROLE")[0] == "master"
    assert [len(mails_to(spread, name)) for name in ("before", "meanwhile", "afterwards")] == [1, 1, 1]
