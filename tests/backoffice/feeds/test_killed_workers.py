"""Workers killed by SIGKILL at each of their statements and files, with real processes."""

import os
import signal
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections
from django.utils import timezone
from rest_framework.test import APIClient

from backoffice.feeds import building, files
from backoffice.feeds.models import FeedBuild
from backoffice.feeds.writing import Limits
from tests import factories
from tests.backoffice.feeds.reading import items, pages, picture

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.thorough]

OLD = ([["https://shop.example/p/old"]], ["OLD"])
NEW = ([[f"https://shop.example/p/{name}"] for name in ("old", "a", "b")], ["OLD", "A", "B"])


def killed_at(number: int) -> bool:
    """Work in a process that is killed before its statement or file of this number. Returns whether it came there."""
    connections.close_all()
    child = os.fork()
    if child == 0:
        numbers, save = count(), files.save

        def die() -> None:
            if next(numbers) == number:
                os.kill(os.getpid(), signal.SIGKILL)

        def execute(call: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            die()
            return call(sql, params, many, context)

        def save_or_die(name: str, file: Any) -> None:
            die()
            Path(f"{files.default_storage.path(name)}.part").write_bytes(b"<half")
            die()
            save(name, file)
            die()

        try:
            files.save = save_or_die
            with connection.execute_wrapper(execute):
                building.start()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def expire() -> None:
    FeedBuild.objects.filter(is_running=True).update(
        claimed_at=timezone.now() - building.LEASE - timedelta(seconds=1), attempts=0
    )


def test_what_is_served_is_whole_wherever_a_worker_is_killed(
    api: APIClient, monkeypatch: pytest.MonkeyPatch, front_end: Path
) -> None:
    picture(factories.product("old", sku="OLD"))
    building.make()
    for name in "ab":
        picture(factories.product(name, sku=name.upper()))
    monkeypatch.setattr(building, "step", partial(building.step, limits=Limits(urls=1)))
    seen, kills = [], 0
    for number in range(60):  # of a whole run there are fewer
        kills += killed_at(number)
        seen.append((pages(api), [item["id"] for item in items(api)]))
        expire()
    assert 30 < kills < 60
    assert seen[0] == OLD
    assert all(each in (OLD, NEW) for each in seen)
    assert (pages(api), [item["id"] for item in items(api)]) == NEW
    moment = building.now() + building.STORED_FOR + timedelta(seconds=1)
    monkeypatch.setattr(building, "now", lambda: moment)
    building.remove_old()
    served = FeedBuild.published().get()
    assert {path.name for path in front_end.iterdir()} == {
        Path(name(served.token, number)).name for name in (files.part_name, files.piece_name) for number in (1, 2, 3)
    }
