"""Checkouts per second over HTTP, compared with the same SQL statements sent by a bare mysqlclient loop.

python -m benchmarks.checkout --mysql-port 3306 [--redis-port 6379] [--checkouts 400] [--rounds 3]
"""

import argparse
import secrets
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tqdm import tqdm

from benchmarks import shop
from benchmarks.figures import spread

CLIENTS = [1, 8, 32]
PRODUCTS = ["one", "1,000"]
Work = Callable[[Any, int], int]


def measure(clients: int, count: int, begin: Callable[[], Any], work: Work) -> tuple[float, list[float], int]:
    """Run `count` jobs with `clients` clients: jobs per second, their latencies in ms, and how many failed."""
    jobs = iter(range(count))
    latencies: list[float] = []
    failed: list[int] = []

    def run(_: int) -> None:
        own = begin()
        for job in jobs:
            started = time.perf_counter()
            status = work(own, job)
            latencies.append((time.perf_counter() - started) * 1000)
            if status != 201:
                failed.append(status)

    started = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(run, range(clients)))
    return count / (time.perf_counter() - started), latencies, len(failed)


class Bench:
    def __init__(self, options: argparse.Namespace, name: str, port: int) -> None:
        from benchmarks import carts, floor

        self.options, self.name, self.port, self.carts, self.floor = options, name, port, carts, floor
        self.statements = floor.record()
        self.users = carts.make_users(options.checkouts)
        self.products = {"one": carts.make_products(1, 10_000_000), "1,000": carts.make_products(1_000, 1_000_000)}

    def filled(self, which: str) -> tuple[list[int], list[int]]:
        products = self.products[which]
        chosen = [products[number % len(products)] for number in range(self.options.checkouts)]
        return self.carts.fill([pk for pk, _ in self.users], [[(pk, 1)] for pk in chosen]), chosen

    def http(self, which: str, clients: int) -> tuple[float, list[float], int]:
        cart_ids, _ = self.filled(which)
        keys = [secrets.token_hex(8) for _ in cart_ids]

        def work(client: shop.Client, job: int) -> int:
            return client.checkout(cart_ids[job], self.users[job][1], keys[job])[0]

        return measure(clients, len(cart_ids), lambda: shop.Client(self.port), work)

    def bare(self, which: str, clients: int) -> tuple[float, list[float], int]:
        cart_ids, products = self.filled(which)

        def work(database: Any, job: int) -> int:
            own = {
                "cart": cart_ids[job],
                "user": self.users[job][0],
                "product": products[job],
                "number": secrets.token_hex(7),
                "key": secrets.token_hex(8),
                "mail": secrets.token_hex(16),
            }
            self.floor.play(database, self.statements, own)
            return 201

        return measure(clients, len(cart_ids), self.connected, work)

    def connected(self) -> Any:
        database = shop.connect(self.options, self.name)
        database.autocommit(True)
        return database


def main() -> None:
    parser = shop.arguments("Checkouts a second over HTTP, and the floor under them.")
    parser.add_argument("--checkouts", type=int, default=400, help="in each cell of the table")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clients", type=int, nargs="*", default=CLIENTS)
    parser.add_argument("--products", nargs="*", default=PRODUCTS, choices=PRODUCTS)
    options = parser.parse_args()
    with shop.database(options) as name, shop.Web() as web:
        bench = Bench(options, name, web.port)
        print(shop.versions(options))
        print(f"{options.rounds} rounds of {options.checkouts} checkouts: median (spread)\n")
        print(
            "| products | clients | over HTTP, 1/s | floor, 1/s | of the floor "
            "| median ms | p99 ms | p99 / median | failed |"
        )
        print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
        cells = [(which, clients) for which in options.products for clients in options.clients]
        bench.http("one", 8)  # warms the workers up; not measured
        for which, clients in tqdm(cells, disable=None):
            rounds = [(bench.http(which, clients), bench.bare(which, clients)) for _ in range(options.rounds)]
            over = [round_[0][0] for round_ in rounds]
            bare = [round_[1][0] for round_ in rounds]
            latencies = sorted(ms for round_ in rounds for ms in round_[0][1])
            middle, p99 = statistics.median(latencies), latencies[int(len(latencies) * 0.99)]
            share = statistics.median(over) / statistics.median(bare)
            failed = sum(round_[0][2] for round_ in rounds)
            print(
                f"| {which} | {clients} | {spread(over)} | {spread(bare)} | {share:.0%} "
                f"| {middle:.1f} | {p99:.1f} | {p99 / middle:.1f} | {failed} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
