"""Checkouts by clients that retry with their key, while workers are killed and the database restarts.

    python -m benchmarks.checkout_faults --mysql-port 3307 --restart-command "..." [--checkouts 5000]

The server must be dedicated to the benchmark: the command stops it in any way, starts it again and
returns. At the end invariants are checked in the tables; the exit status is 1 if one is violated.
"""

import argparse
import http.client
import json
import os
import random
import secrets
import signal
import subprocess
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from tqdm import tqdm

from benchmarks import shop

CLIENTS = 32
KILL_EVERY = 2.0
PRODUCTS = 20
STOCK_SHARE = 0.9  # of the wanted pieces: some checkouts must fail with a shortage
PATIENCE = 120.0  # seconds that a client retries for


@dataclass
class Seen:
    """The responses that the clients got."""

    orders: dict[str, str] = field(default_factory=dict)  # key -> number in a 201
    refused: int = 0
    gave_up: int = 0
    other: Counter[int] = field(default_factory=Counter)  # by status
    no_answer: int = 0


@dataclass
class Faults:
    kills: int = 0
    restarts: int = 0


def checkout_with_retries(client: shop.Client, cart: int, token: str, seen: Seen) -> None:
    """One checkout with retries: with one key, until there is a final response."""
    key = secrets.token_hex(12)
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            status, body = client.checkout(cart, token, key)
        except (OSError, http.client.HTTPException):
            seen.no_answer += 1
        else:
            if status == 201:
                seen.orders[key] = json.loads(body)["number"]
                return
            if status == 409:
                seen.refused += 1
                return
            seen.other[status] += 1
        time.sleep(random.uniform(0.05, 0.3))
    seen.gave_up += 1


def kill_workers(web: shop.Web, done: threading.Event, faults: Faults) -> None:
    while not done.wait(KILL_EVERY):
        if workers := web.workers():
            os.kill(random.choice(workers), signal.SIGKILL)
            faults.kills += 1


def restart(command: str, progress: Any, total: int, done: threading.Event, faults: Faults) -> None:
    """Restart the database after one third and after two thirds of the checkouts."""
    for third in (total // 3, 2 * total // 3):
        while progress.n < third:
            if done.wait(0.1):
                return
        subprocess.run(command, shell=True, check=True, stdout=subprocess.DEVNULL)
        faults.restarts += 1


def load(web: shop.Web, options: argparse.Namespace, carts: list[tuple[int, str]]) -> tuple[Seen, Faults]:
    seen, faults, done = Seen(), Faults(), threading.Event()
    jobs = iter(carts)
    progress = tqdm(total=len(carts), unit=" checkouts", disable=None)
    counted = threading.Lock()

    def run(_: int) -> None:
        client = shop.Client(web.port)
        for cart, token in jobs:
            checkout_with_retries(client, cart, token, seen)
            with counted:
                progress.n += 1  # also counted without a progress bar
                progress.refresh()

    fault_threads = [
        threading.Thread(target=kill_workers, args=(web, done, faults)),
        threading.Thread(target=restart, args=(options.restart_command, progress, len(carts), done, faults)),
    ]
    for thread in fault_threads:
        thread.start()
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(run, range(CLIENTS)))
    done.set()
    for thread in fault_threads:
        thread.join()
    progress.close()
    return seen, faults


INVARIANTS = {
    "products below zero, or sold beyond their stock": """
        SELECT COUNT(*) FROM products_product p WHERE p.quantity < 0 OR p.quantity != (
            SELECT SUM(m.delta) FROM products_stockmovement m WHERE m.product_id = p.id AND m.reason = 'initial'
        ) - COALESCE((SELECT SUM(l.quantity) FROM orders_orderline l WHERE l.product_id = p.id), 0)""",
    "keys with more than one order": """
        SELECT COUNT(*) FROM (SELECT 1 FROM orders_order GROUP BY idempotency_key HAVING COUNT(*) > 1) more""",
    "orders whose cart still exists": """
        SELECT COUNT(*) FROM orders_order o JOIN carts_cart c ON c.id = o.cart_id""",
    "orders whose lines are not their total": """
        SELECT COUNT(*) FROM orders_order o WHERE o.total !=
            COALESCE((SELECT SUM(l.quantity * l.unit_price) FROM orders_orderline l WHERE l.order_id = o.id), -1)""",
    "orders without exactly one mail": """
        SELECT COUNT(*) FROM orders_order o WHERE 1 !=
            (SELECT COUNT(*) FROM outbox_mail m WHERE m.kind = 'order-confirmation' AND m.reference = o.number)""",
}


def violations(options: argparse.Namespace, name: str, seen: Seen, carts: int) -> dict[str, int]:
    """The violations of each invariant, as counts that must be 0."""
    from products.inventory import ledger

    cursor = shop.connect(options, name).cursor()
    counts = {}
    for invariant, sql in INVARIANTS.items():
        cursor.execute(sql)
        [counts[invariant]] = cursor.fetchone()
    cursor.execute("SELECT idempotency_key, number FROM orders_order")
    orders = dict(cursor.fetchall())
    counts["201s that a client saw without their order"] = sum(orders.get(k) != n for k, n in seen.orders.items())
    cursor.execute("SELECT COUNT(*) FROM carts_cart")
    counts["lost carts: neither a cart nor an order"] = carts - len(orders) - cursor.fetchone()[0]
    counts["products whose ledger is wrong"] = sum(not balance.is_correct for balance in ledger.balances())
    print(f"orders in the tables: {len(orders)}; seen by a client: {len(seen.orders)}")
    return counts


def make_carts(count: int) -> list[tuple[int, str]]:
    """Carts of one or two products; together they need more than the stock."""
    from benchmarks import carts

    users = carts.make_users(count)
    products = carts.make_products(PRODUCTS, int(count * 1.5 * STOCK_SHARE / PRODUCTS))
    wanted = [[(pk, 1) for pk in random.sample(products, 1 + number % 2)] for number in range(count)]
    ids = carts.fill([pk for pk, _ in users], wanted)
    return [(cart, token) for cart, (_, token) in zip(ids, users, strict=True)]


def main() -> None:
    parser = shop.arguments("Checkouts while workers are killed and the database restarts.")
    parser.add_argument("--restart-command", required=True, help="ends the database server and starts it again")
    parser.add_argument("--checkouts", type=int, default=5_000)
    options = parser.parse_args()
    with shop.database(options) as name, shop.Web() as web:
        from django.db import connection

        carts = make_carts(options.checkouts)
        connection.close()
        print(shop.versions(options))
        started = time.monotonic()
        seen, faults = load(web, options, carts)
        seconds = time.monotonic() - started
        print(f"{len(carts)} checkouts by {CLIENTS} clients in {seconds:.0f} s")
        print(f"workers killed: {faults.kills}; database restarts: {faults.restarts}")
        print(f"requests without an answer: {seen.no_answer}; answered and retried: {dict(seen.other)}")
        print(f"201: {len(seen.orders)}; 409: {seen.refused}; given up: {seen.gave_up}")
        counts = violations(options, name, seen, len(carts))
        connection.close()
    for invariant, count in counts.items():
        print(f"{invariant}: {count}")
    # A run without faults is a failure.
    quiet = faults.restarts < 2 or not faults.kills
    raise SystemExit(1 if any(counts.values()) or seen.gave_up or quiet else 0)


if __name__ == "__main__":
    main()
