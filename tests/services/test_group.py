"""The primary of a group of three servers is lost while customers buy and pay; the proxy leads to the next one."""

import os
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.services.group import Grouped, Member
from tests.services.shoppers import Shop, Shopper, shopping
from tests.services.stack import NAME
from tests.waiting import wait_for

pytestmark = [pytest.mark.xdist_group("group"), pytest.mark.release]  # test_proxy.py is the short one

SERVED_WITHIN = 60  # seconds
PAID_WITHIN = 60
# Of a table that each checkout writes.
ORDERS = f"SELECT COUNT(*), MAX(id), SUM(total) FROM {NAME}.orders_order"
UNPAID = "SELECT COUNT(*) FROM orders_order WHERE status <> 'paid'"


class Payer(Shopper):
    """Pays each order at the page of the test provider."""

    def after(self, order: str) -> None:
        body = {"method": "test", "return_url": self.stack.url}
        key = {"Idempotency-Key": uuid.uuid4().hex}
        payment = self.send("POST", f"/orders/{order}/payments/", 200, 201, json=body, headers=key)
        if payment:
            page = {"course": "pays", "seconds": "0"}
            paid = requests.post(payment["redirect_url"], data=page, allow_redirects=False, timeout=20)
            assert paid.status_code == 303, paid.text


def kill(primary: Member, group: Grouped) -> None:
    primary.kill()


def hang(primary: Member, group: Grouped) -> None:
    assert primary.process is not None
    os.kill(primary.process.pid, signal.SIGSTOP)


def hand_over(primary: Member, group: Grouped) -> None:
    """What an operator does before a restart of the primary."""
    following = group.members[primary.server_id % 3]
    [(server,)] = following.execute("SELECT @@server_uuid")
    primary.execute("SELECT group_replication_set_as_primary(%s)", server)


def recover(member: Member) -> None:
    if member.process is None:
        member.start()
    else:
        os.kill(member.process.pid, signal.SIGCONT)


def wait_for_another(group: Grouped, former: Member) -> Member:
    """Wait until the proxy leads to another primary, and return it."""
    others = {member.port: member for member in group.members if member is not former}
    return others[wait_for(lambda: among(others, group.proxy.leads_to()), seconds=SERVED_WITHIN)]


def among(others: dict[int, Member], port: int | None) -> int:
    """The port, if it is one of the others'; else 0."""
    return port if port in others else 0


@pytest.mark.parametrize("fault", [kill, hand_over, hang])
def test_another_server_becomes_the_primary(
    group: Grouped, fault: Callable[[Member, Grouped], None], record_property: Callable[[str, object], None]
) -> None:
    former, workers, token = group.primary(), group.children("web"), group.token()
    with shopping(group, kind=Payer) as shop:
        shop.wait_for_orders(10)
        began = time.monotonic()
        fault(former, group)
        if fault is not hand_over:
            wait_for(lambda: is_unavailable(group, token), seconds=SERVED_WITHIN, every=0.05)
        primary = wait_for_another(group, former)
        changed = time.monotonic() - began
        shop.wait_for_orders(1, seconds=SERVED_WITHIN)
        served = time.monotonic() - began
        shop.wait_for_orders(10)
        recover(former)
        wait_for(group.is_complete, seconds=120, every=0.5)
        shop.wait_for_orders(10)
        counts = shop.check_books()
    record_property("counts", f"{fault.__name__}: primary after {changed:.1f} s, order after {served:.1f} s; {counts}")
    check_answers(shop, expected=fault is not hand_over)
    assert group.primary() is primary
    assert group.children("web") == workers
    wait_for(lambda: group.number(UNPAID) == 0, seconds=PAID_WITHIN, every=0.5)
    group.manage("verify")
    group.manage("check_payments", "--provider")
    wait_for(lambda: len({tuple(member.execute(ORDERS)) for member in group.members}) == 1, seconds=30)


def test_control_a_proxy_that_keeps_connections_leaves_requests_waiting(group: Grouped, tmp_path: Path) -> None:
    former, token = group.primary(), group.token()
    with proxy_without(group, " on-marked-down shutdown-sessions", tmp_path / "mysql.cfg"):
        ask(group, token)  # so that the threads of the service have connections
        hang(former, group)
        try:
            wait_for_another(group, former)
            with pytest.raises(requests.Timeout):
                ask(group, token)
        finally:
            recover(former)


def ask(group: Grouped, token: str) -> None:
    """Send more requests than the service has threads, one after another."""
    for _ in range(20):
        requests.get(f"{group.url}/orders/", headers={"Authorization": f"Bearer {token}"}, timeout=10)


@contextmanager
def proxy_without(group: Grouped, option: str, path: Path) -> Iterator[None]:
    """Run the proxy without an option of its configuration."""
    usual = group.proxy.config
    text = usual.read_text()
    assert text.count(option) == 1
    path.write_text(text.replace(option, ""))
    group.proxy.stop()
    group.proxy.config = path
    group.proxy.start()
    try:
        yield
    finally:
        group.proxy.stop()
        group.proxy.config = usual
        group.proxy.start()


def is_unavailable(group: Grouped, token: str) -> bool:
    """Whether the service says that it cannot reach its database, and when to try again."""
    answer = group.request("GET", "/orders/", token=token)
    if answer.status_code == 200:
        return False
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/unavailable"), answer.text
    return bool(answer.headers["Retry-After"])


def check_answers(shop: Shop, *, expected: bool) -> None:
    """Assert that each request had an answer, and none but a 503 was an error; some were, if `expected`."""
    statuses = shop.statuses()
    assert set(statuses) <= {200, 201, 503}, statuses
    assert statuses[503] > 0 or not expected
    assert not sum(shopper.unanswered for shopper in shop.shoppers)
