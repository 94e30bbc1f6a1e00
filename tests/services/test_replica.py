"""The catalogue is read from a replica, with read-your-writes consistency."""

import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import requests
from django.conf import settings

from tests.services.spread import Spread
from tests.waiting import wait_for

pytestmark = pytest.mark.xdist_group("spread")

NEW = {"Accept": "application/json, text/csv"}  # not from the cache
LIMIT = r"(?:SET STATEMENT max_statement_time=\S+ FOR )?"  # MariaDB's time limit of a read
READS_CATALOGUE = re.compile(LIMIT + r"SELECT\b.*\bFROM `products_(product|category|productimage)`", re.DOTALL)
# The control: a process that reads from the replica without checking that it is caught up.
UNGUARDED = """
import django; django.setup()
from django.test import Client
from productbackend.database import replica
replica.is_caught_up = lambda: True
print(Client().get("/products/{}/", headers={{"Accept": "application/json, text/csv"}}).json()["price"])
"""


@pytest.fixture(autouse=True)
def replica_is_read(spread: Spread) -> None:
    wait_for(lambda: reads_replica(spread), seconds=30, every=0.5)


def read(spread: Spread, path: str, **options: Any) -> Any:
    headers = options.pop("headers", NEW)
    answer = requests.get(f"{spread.url}{path}", headers=headers, timeout=20, **options)
    assert answer.status_code == 200, (path, answer.status_code, answer.text)
    return answer.json()


def reads_replica(spread: Spread) -> bool:
    """Whether the web processes read from the replica: all of several reads do."""
    with spread.watched() as asked:
        for _ in range(8):
            read(spread, "/products/?limit=1")
    return len(catalogue_reads(asked["replica"])) >= 8 and not catalogue_reads(asked["primary"])


def catalogue_reads(statements: list[str]) -> list[str]:
    return [statement for statement in statements if READS_CATALOGUE.match(statement)]


def tables(statements: list[str]) -> set[str]:
    selects = [statement for statement in statements if re.match(f"{LIMIT}SELECT", statement)]
    return {table for statement in selects for table in re.findall(r"(?:FROM|JOIN) `([a-z_]+)`", statement)}


def test_reads_of_the_catalogue_and_no_others_go_to_the_replica(spread: Spread) -> None:
    product, token = spread.product("Read elsewhere", quantity=5), spread.token()
    spread.register("reader")
    customer = spread.token("reader")
    paths = [
        "/products/?ordering=-price&limit=5",
        "/products/?search=elsewhere",
        "/products/?in_stock=true&name_contains=else",
        f"/products/{product}/",
        f"/products/{product}/images/",
        "/products/facets/?search=elsewhere",
        "/categories/",
    ]
    for headers in (NEW, {}, {"Authorization": f"Bearer {customer}"}, {"Authorization": f"Bearer {token}"}):
        for path in paths:
            with spread.watched() as asked:
                read(spread, path, headers=headers)
            assert not catalogue_reads(asked["primary"]), (path, headers)
            if headers:  # without headers the page may be cached
                assert catalogue_reads(asked["replica"]), (path, headers)
            assert all(table.startswith("products_") for table in tables(asked["replica"])), asked["replica"]
    with spread.watched() as asked:
        item = {"product": product, "quantity": 1}
        assert spread.request("POST", "/cart-items/", token=customer, json=item).status_code == 201
        cart = spread.request("GET", "/carts/", token=customer).json()["results"][0]["id"]
        assert spread.request("POST", f"/carts/{cart}/checkout/", token=customer).status_code == 201
        assert spread.request("GET", "/orders/", token=customer).json()["count"] == 1
        changed = spread.request("PATCH", f"/products/{product}/", token=token, json={"price": "2.00"})
        assert changed.status_code == 200
    assert {"carts_cart", "orders_order", "products_product"} <= tables(asked["primary"])
    assert not tables(asked["replica"])


def test_a_write_is_read_immediately_while_the_replica_is_behind(spread: Spread) -> None:
    product, token = spread.product("Behind", quantity=50), spread.token()
    spread.register("customer")
    customer = spread.token("customer")
    old = read(spread, f"/products/{product}/")["price"]  # on the replica too, or soon
    wait_for(lambda: reads_replica(spread), seconds=30, every=0.5)
    spread.apply(on=False)
    for number in range(1, 21):
        price = f"{number}.50"
        changed = spread.request("PATCH", f"/products/{product}/", token=token, json={"price": price})
        assert changed.status_code == 200
        for headers in (NEW, {}, {"Authorization": f"Bearer {customer}"}):
            assert read(spread, f"/products/{product}/", headers=headers)["price"] == price
            assert read(spread, "/products/?search=behind", headers=headers)["results"][0]["price"] == price
    # The control: the replica is behind, and without the check it would have been read.
    command = [sys.executable, "-c", UNGUARDED.format(product)]
    unguarded = subprocess.run(
        command,
        cwd=settings.BASE_DIR,
        env=spread.environment | {"DJANGO_SETTINGS_MODULE": "productbackend.settings", "ALLOWED_HOSTS": "testserver"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert unguarded.stdout.strip() == old != price
    lines = [line for line in spread.log("web").splitlines() if "the replica is behind" in line]
    assert 1 <= len(lines) <= 2 * len(spread.children("web"))  # a line per process and minute, not per read
    spread.apply(on=True)
    wait_for(lambda: reads_replica(spread), seconds=30, every=0.5)
    assert read(spread, f"/products/{product}/")["price"] == price


def test_each_of_many_writes_is_read_immediately_from_the_replica(
    spread: Spread, record_property: Callable[[str, object], None]
) -> None:
    product, token = spread.product("Followed", quantity=1000), spread.token()
    fresh = read(spread, f"/products/{product}/")["quantity"]
    with spread.watched() as asked:
        for quantity in range(fresh - 1, fresh - 201, -1):
            body = {"quantity": quantity}
            assert spread.request("PATCH", f"/products/{product}/", token=token, json=body).status_code == 200
            for headers in (NEW, {}):
                assert read(spread, f"/products/{product}/", headers=headers)["quantity"] == quantity
    # Each PATCH reads the product on the primary, and so does each check before a page is cached.
    counted = len(catalogue_reads(asked["replica"]))
    record_property("counts", f"200 writes and 400 reads after them: {counted} statements on the replica")
    assert counted > 200


class Reader(threading.Thread):
    """Reads pages of the catalogue until it is stopped, and records the result and duration of each."""

    def __init__(self, spread: Spread, paths: list[str]) -> None:
        super().__init__()
        self.spread, self.paths = spread, paths
        self.is_over = threading.Event()
        self.statuses: Counter[int] = Counter()
        self.slowest = 0.0

    def run(self) -> None:
        with requests.Session() as session:
            while not self.is_over.is_set():
                for path in self.paths:
                    began = time.monotonic()
                    answer = session.get(f"{self.spread.url}{path}", headers=NEW, timeout=30)
                    self.slowest = max(self.slowest, time.monotonic() - began)
                    self.statuses[answer.status_code] += 1


@pytest.mark.parametrize("fault", ["kill", "hang"])
def test_reads_fall_back_to_the_primary_and_return_to_the_replica(
    spread: Spread, fault: str, record_property: Callable[[str, object], None]
) -> None:
    product = spread.product(f"Still there: {fault}")
    readers = [Reader(spread, ["/products/", f"/products/{product}/", "/products/facets/"]) for _ in range(4)]
    for reader in readers:
        reader.start()
    try:
        time.sleep(2)
        assert spread.replica.process is not None
        if fault == "kill":
            spread.replica.kill()
        else:
            spread.replica.process.send_signal(signal.SIGSTOP)
        before = sum(sum(reader.statuses.values()) for reader in readers)
        time.sleep(15)
        meanwhile = sum(sum(reader.statuses.values()) for reader in readers) - before
        if fault == "kill":
            spread.replica.start()
        else:
            spread.replica.process.send_signal(signal.SIGCONT)
        time.sleep(2)
    finally:
        for reader in readers:
            reader.is_over.set()
        for reader in readers:
            reader.join()
    statuses = sum((reader.statuses for reader in readers), Counter())
    slowest = max(reader.slowest for reader in readers)
    record_property("counts", f"{fault}: {dict(statuses)}, {meanwhile} meanwhile; the slowest took {slowest:.1f} s")
    assert set(statuses) == {200}
    assert meanwhile > 100
    assert slowest < 10
    wait_for(lambda: reads_replica(spread), seconds=60, every=0.5)
