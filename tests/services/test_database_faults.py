"""The database becomes unreachable while customers buy."""

import time
from collections.abc import Callable

import pytest

from tests.services.shoppers import shopping
from tests.services.stack import Stack

pytestmark = pytest.mark.xdist_group("faults")


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_restart_is_a_503_and_the_same_workers_recover(
    stack: Stack, end: str, record_property: Callable[[str, object], None]
) -> None:
    workers, token = stack.children("web"), stack.token()
    with shopping(stack) as shop:
        shop.wait_for_orders(20)
        getattr(stack.database, end)()
        time.sleep(2)
        answer = stack.request("GET", "/products/", token=token)
        assert answer.status_code == 503
        assert answer.headers["Retry-After"]
        assert answer.json()["type"] == "/problems/unavailable"
        assert stack.health()["database"] == "unavailable"
        stack.database.start()
        shop.wait_for_orders(20)
        counts = shop.check_books()
    record_property("counts", counts)
    assert shop.statuses()[503] > 0
    assert stack.children("web") == workers
