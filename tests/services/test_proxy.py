"""HAProxy with the configuration of deploy/haproxy/ leads to the primary of a group, without a shop."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.services.group import Proxy, initialise, members_in
from tests.waiting import wait_for

pytestmark = pytest.mark.xdist_group("group")


def test_it_leads_to_the_primary_and_no_other(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    first, second, third = members = members_in(tmp_path)
    if first.is_mariadb:
        pytest.skip("MariaDB has no group replication")
    initialise(members)
    proxy = Proxy(tmp_path, members)
    with ExitStack() as cleanup:
        for server in (*members, proxy):
            cleanup.callback(server.stop)
            server.start()
        assert {proxy.leads_to() for _ in range(6)} == {first.port}
        first.kill()
        killed = time.monotonic()
        wait_for(lambda: proxy.leads_to() is None, seconds=10)
        wait_for(proxy.leads_to, seconds=60)
        record_property("counts", f"another primary after {time.monotonic() - killed:.1f} s")
        assert {proxy.leads_to() for _ in range(6)} < {second.port, third.port}
        first.start()
        wait_for(lambda: first.states() == ["ONLINE"] * 3, seconds=60)
        assert proxy.leads_to() != first.port
