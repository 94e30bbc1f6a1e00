"""Reads of the catalogue while a client sets stock, compared with no writes. Needs MySQL, Redis and wrk.

    python -m benchmarks.stock_writes --mysql-port PORT --redis-port PORT --redis-database NUMBER

wrk requests lists and details by Zipf's law, as in `benchmarks.catalogue`. Meanwhile a client sends 50 PATCH requests a
second, each for the quantity of another product. Its requests cost processor time, too: a second baseline sends the
quantities that the products have, which invalidates nothing.
"""

import argparse
import http.client
import json
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks import products, shop
from benchmarks.catalogue_load import write_script
from benchmarks.catalogue_web import Web, spread

WRITES_A_SECOND = 50
CONNECTIONS = 4  # of the client that writes
SETTLING = 3  # seconds at the beginning of a load that are not counted
# How much each write changes the quantity; None: no writes.
WRITES = {"no writes": None, "the quantities that the products have": 0, "other quantities": 1}


class Writer:
    """A client of staff that sets the quantities of products, in random order."""

    def __init__(self, port: int) -> None:
        from accounts.models import User
        from products.models import Product

        User.objects.create_superuser("boss", "boss@example.com", "correct horse battery")
        self.port, self.sent = port, 0
        login = {"username": "boss", "password": "correct horse battery"}
        self.headers = {"Content-Type": "application/json"}
        token = self.request(self.connect(), "POST", "/token/", login)["access"]
        self.headers["Authorization"] = f"Bearer {token}"
        rows = list(Product.objects.order_by("id").values_list("id", "quantity"))
        random.Random(3).shuffle(rows)
        self.stock = [dict(rows[number::CONNECTIONS]) for number in range(CONNECTIONS)]

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def request(self, connection: http.client.HTTPConnection, method: str, path: str, body: dict) -> dict:
        connection.request(method, path, json.dumps(body), self.headers)
        response = connection.getresponse()
        content = response.read()
        assert response.status == 200, (path, response.status, content[:500])
        return json.loads(content)

    @contextmanager
    def writing(self, delta: int | None) -> Iterator[None]:
        ended = threading.Event()
        threads = [threading.Thread(target=self.write, args=(stock, delta, ended)) for stock in self.stock]
        for thread in threads if delta is not None else []:
            thread.start()
        try:
            yield
        finally:
            ended.set()
            for thread in threads if delta is not None else []:
                thread.join()

    def write(self, stock: dict[int, int], delta: int, ended: threading.Event) -> None:
        connection, due = self.connect(), time.monotonic()
        for pk in list(stock):
            if ended.wait(max(0, due - time.monotonic())):
                break
            stock[pk] = self.request(connection, "PATCH", f"/products/{pk}/", {"quantity": stock[pk] + delta})[
                "quantity"
            ]
            self.sent += 1
            due += CONNECTIONS / WRITES_A_SECOND
            stock[pk] = stock.pop(pk)  # to the end: the next turn goes on with other products
        connection.close()


def measure(options: argparse.Namespace) -> None:
    from django.core.cache import cache

    from benchmarks.yardstick import MISSES

    script, _ = write_script()
    cache.clear()
    cache.set(MISSES, 0, None)
    rates: dict[str, list[float]] = {name: [] for name in WRITES}
    hits: dict[str, list[float]] = {name: [] for name in WRITES}
    with Web(cache=True) as web:
        writer = Writer(web.port)
        web.rate("", options.warm_seconds, script=script)
        for number in range(options.rounds):
            for name in list(WRITES) if number % 2 == 0 else reversed(WRITES):
                with writer.writing(WRITES[name]):
                    web.rate("", SETTLING, script=script)
                    missed, sent, started = cache.get(MISSES), writer.sent, time.monotonic()
                    rates[name].append(web.rate("", options.seconds, script=script))
                    sent, missed = writer.sent - sent, cache.get(MISSES) - missed
                    hits[name].append(1 - (missed - sent) / (rates[name][-1] * options.seconds))
                    written = sent / (time.monotonic() - started)
                print(f"{name}: {rates[name][-1]:.0f}/s, {written:.0f} writes a second, {shop.load()}", flush=True)
    report(rates, hits)


def report(rates: dict[str, list[float]], hits: dict[str, list[float]]) -> None:
    none, same, other = rates.values()
    print(f"\n| {WRITES_A_SECOND} writes a second | 1/s | hit rate |\n| --- | --- | --- |")
    for name, found in rates.items():
        print(f"| {name} | {spread(found)} | {spread(hits[name], 3)} |")
    print("\n| ratio | median (min to max) |\n| --- | --- |")
    for name, first, second in (
        ("other quantities to no writes", other, none),
        ("the quantities that the products have to no writes", same, none),
        ("other quantities to those that the products have", other, same),
    ):
        print(f"| {name} | {spread([one / two for one, two in zip(first, second, strict=True)], 2)} |")
    print(f"\nAt the end: {shop.load()}.")


def main() -> None:
    parser = shop.arguments("Reads of the catalogue while a client sets stock, compared with no writes.")
    parser.add_argument("--products", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=20, help="of reading in each part of a round")
    parser.add_argument("--warm-seconds", type=int, default=60)
    options = parser.parse_args()
    if not options.redis_port:
        parser.error("it needs --redis-port")
    with shop.database(options) as database:
        products.make_base()
        products.grow(options, database, options.products)
        print(shop.versions(options))
        measure(options)


if __name__ == "__main__":
    main()
