"""The cache and the queue each have a Redis server, and each works without the other."""

import pytest
import redis

from tests.services.servers import Redis
from tests.services.spread import Spread
from tests.services.test_redis_faults import mails_to
from tests.waiting import wait_for

pytestmark = pytest.mark.xdist_group("spread")


def names(server: Redis) -> set[str]:
    """The names of all keys in all its databases."""
    with redis.Redis(port=server.port) as client:
        numbers = [int(name.removeprefix("db")) for name in client.info("keyspace")]
    found = set()
    for number in numbers:
        with redis.Redis(port=server.port, db=number, decode_responses=True) as client:
            found |= set(client.keys())
    return found


def test_each_has_its_own(spread: Spread) -> None:
    spread.product("Kept in the cache alone")
    assert spread.request("GET", "/products/").status_code == 200
    spread.register("queued")
    wait_for(lambda: mails_to(spread, "queued"), seconds=30, every=0.5)
    cached, queued = names(spread.redis), names(spread.queue)
    assert any("catalogue:" in name for name in cached)
    assert any("_kombu" in name for name in queued)
    assert "counters:values" in queued  # of the throttle of /register/
    assert not any("_kombu" in name or name in ("celery", "images", "unacked") for name in cached)
    assert not any("catalogue:" in name for name in queued)
    assert not any("counters" in name or "throttle" in name for name in cached)


def test_without_the_cache_the_queue_works(spread: Spread) -> None:
    spread.redis.stop()
    health = spread.health()
    assert (health["cache"], health["broker"]) == ("unavailable", "ok")
    assert spread.request("GET", "/products/").status_code == 200
    spread.register("uncached")
    wait_for(lambda: mails_to(spread, "uncached"), seconds=30, every=0.5)


def test_without_the_queue_the_cache_works_and_tasks_run_later(spread: Spread) -> None:
    spread.product("Read while the queue is away")
    spread.queue.stop()
    health = spread.health()
    assert (health["cache"], health["broker"]) == ("ok", "unavailable")
    before = names(spread.redis)

    def page_is_cached() -> bool:
        assert spread.request("GET", "/products/?name=read+while+the+queue+is+away").json()["count"] == 1
        return any(":page:" in name for name in names(spread.redis) - before)

    wait_for(page_is_cached, seconds=10, every=0.5)  # the circuit breaker of a process is open for 2 s
    spread.register("unqueued")
    assert not mails_to(spread, "unqueued")
    spread.queue.start()
    wait_for(lambda: mails_to(spread, "unqueued"), seconds=60, every=0.5)
