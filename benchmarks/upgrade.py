"""An upgrade from an older commit while customers buy; then both releases serve side by side. Needs git, MySQL, Redis.

    python -m benchmarks.upgrade COMMIT --mysql-port PORT --redis-port PORT [--products 1000000] [--minutes 5]

The older commit migrates, fills and serves a database. While customers browse and buy, this tree's migrations run. Then
web processes, workers and beats of both serve the same database, cache and queue for --minutes, each request by one of
them at random; at last this tree's alone. Customers count what fails, pages that are older than their last write, and
mails.
The exit status is 1 if something that must be 0 is not.
"""

import argparse
import http.client
import json
import os
import random
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller

from benchmarks import shop
from benchmarks.before import execute
from benchmarks.mailbox import Mailbox
from benchmarks.processes import end
from tests.ports import free_port

CUSTOMERS = 4
STOCK = 1_000_000
GROW = """
import argparse, sys, django
django.setup()
from benchmarks import products
options = argparse.Namespace(mysql_port=int(sys.argv[1]), mysql_user=sys.argv[2], mysql_password=sys.argv[3])
products.make_base()
products.grow(options, sys.argv[4], int(sys.argv[5]))
"""
JSON = {"Content-Type": "application/json"}


class Release:
    """A tree with its web processes, its worker and its beat."""

    def __init__(self, name: str, tree: Path, environment: Mapping[str, str]) -> None:
        self.name, self.tree, self.port = name, tree, free_port()
        own = {"PORT": str(self.port), "PYTHONPATH": str(tree)}
        self.environment = {**environment, **own}
        self.processes: list[subprocess.Popen[bytes]] = []

    def manage(self, *arguments: str) -> None:
        self.run("manage.py", *arguments)

    def run(self, *arguments: str) -> None:
        subprocess.run([sys.executable, *arguments], cwd=self.tree, env=self.environment, check=True)

    def start(self, log: Path) -> None:
        celery = ["celery", "--quiet", "--app", "productbackend"]
        commands = (
            ["gunicorn", "--config", shop.CONFIG, "--access-logfile", os.devnull, "productbackend.wsgi"],
            [*celery, "worker", "--queues", "celery", "--concurrency", "2"],
            [*celery, "beat", "--pidfile="],
        )
        for command in commands:
            with log.open("ab") as output:
                process = subprocess.Popen(
                    [sys.executable, "-m", *command],
                    cwd=self.tree, env=self.environment, stdout=output, stderr=output, start_new_session=True,
                )  # fmt: skip
            self.processes.append(process)
        for _ in range(600):
            with suppress(OSError):
                if ask(self.port, "GET", "/health/ready/")[0] == 200:
                    return
            time.sleep(0.1)
        raise SystemExit(f"{self.name} does not start: {log.read_text()[-2000:]}")

    def stop(self) -> None:
        end(self.processes)
        self.processes.clear()


def ask(port: int, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        connection.request(method, path, json.dumps(body) if body is not None else None, JSON | given)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


class Shoppers:
    """Customers who browse and buy, and a keeper who changes prices. They use the releases that are in `serving`."""

    def __init__(self) -> None:
        self.serving: list[Release] = []
        self.phase, self.lock = "", threading.Lock()
        self.done, self.failed, self.stale, self.named = (Counter[str]() for _ in range(4))
        self.slowest: dict[str, float] = {}
        self.orders: set[str] = set()
        self.is_over = threading.Event()

    def call(self, method: str, path: str, body: Any = None, by: Release | None = None, **headers: str) -> Any:
        """The body of the answer, or None if it failed."""
        with self.lock:
            release, phase = by or random.choice(self.serving), self.phase
        began = time.monotonic()
        try:
            status, content = ask(release.port, method, path, body, **headers)
        except (OSError, http.client.HTTPException) as error:
            status, content = 0, repr(error).encode()
        took = time.monotonic() - began
        with self.lock:
            self.done[phase] += 1
            self.slowest[phase] = max(self.slowest.get(phase, 0.0), took)
            if status == 409 and json.loads(content).get("order") in self.orders:
                self.named[phase] += 1
            elif not 200 <= status < 300:
                self.failed[phase] += 1
                print(f"{phase}: {release.name}: {method} {path}: {status} {content[:300]!r}", flush=True)
        return json.loads(content) if 200 <= status < 300 and content else None

    def compare(self, path: str, read: Any, wanted: Any) -> None:
        """Count the releases whose page does not have what was just written."""
        with self.lock:
            serving, phase = list(self.serving), self.phase
        for release in serving:
            page = self.call("GET", path, by=release)
            if page is not None and read(page) != wanted:
                with self.lock:
                    self.stale[phase] += 1
                print(f"{phase}: {release.name}: {path} has {read(page)}, not {wanted}", flush=True)

    def buy(self, token: str, product: int) -> None:
        """Buy pieces of a product that nobody else buys."""
        bearer, left = {"Authorization": f"Bearer {token}"}, STOCK
        while not self.is_over.is_set():
            self.call("GET", f"/products/?ordering=-price&limit=20&offset={random.randrange(500)}")
            self.call("GET", "/products/?search=wool")
            item = self.call("POST", "/cart-items/", {"product": product, "quantity": 1}, **bearer)
            if item is None:
                continue
            path, key = f"/carts/{item['cart']}/checkout/", secrets.token_hex(8)
            placed = self.call("POST", path, Idempotency_Key=key, **bearer)
            if placed is not None:
                left -= 1
                with self.lock:
                    self.orders.add(placed["number"])
            again = self.call("POST", path, Idempotency_Key=key, **bearer)
            if again is not None:
                with self.lock:
                    self.orders.add(again["number"])
            self.compare(f"/products/{product}/", lambda page: page["quantity"], left)

    def keep(self, token: str, product: int) -> None:
        """Change a price, and look for it in the detail and in a list."""
        bearer, cents = {"Authorization": f"Bearer {token}"}, 100
        while not self.is_over.wait(0.2):
            cents += 1
            price = f"{cents / 100:.2f}"
            if self.call("PATCH", f"/products/{product}/", {"price": price}, **bearer) is None:
                continue
            self.compare(f"/products/{product}/", lambda page: page["price"], price)
            self.compare(f"/products/?min_price={price}&max_price={price}&ordering=id", ids_of(product), product)


def ids_of(product: int) -> Any:
    return lambda page: product if product in [row["id"] for row in page["results"]] else None


@contextmanager
def shopping(shoppers: Shoppers, tokens: list[str], products: list[int]) -> Iterator[None]:
    work = [shoppers.keep, *[shoppers.buy] * CUSTOMERS]
    threads = [
        threading.Thread(target=each, args=given)
        for each, given in zip(work, zip(tokens, products, strict=True), strict=True)
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        shoppers.is_over.set()
        for thread in threads:
            thread.join()


def accounts(release: Release) -> list[str]:
    """Tokens of a superuser and of the customers."""
    tokens = []
    for number in range(CUSTOMERS + 1):
        name, password = f"person{number}", secrets.token_hex(8)
        if number == 0:
            release.environment["DJANGO_SUPERUSER_PASSWORD"] = password
            release.manage("createsuperuser", "--noinput", "--username", name, "--email", f"{name}@example.com")
        else:
            account = {"username": name, "email": f"{name}@example.com", "password": password}
            assert ask(release.port, "POST", "/register/", account | {"repeat_password": password})[0] == 201
        status, content = ask(release.port, "POST", "/token/", {"username": name, "password": password})
        assert status == 200, content
        tokens.append(json.loads(content)["access"])
    return tokens


def upgrade(options: argparse.Namespace, old: Release, new: Release, logs: Path) -> Shoppers:
    shoppers = Shoppers()
    old.start(logs / "old.log")
    shoppers.serving = [old]
    tokens, products = accounts(old), list(range(1, CUSTOMERS + 2))
    with shopping(shoppers, tokens, products):
        enter(shoppers, "the older release", [old], seconds=options.calm)
        enter(shoppers, "while it migrates", [old])
        began = time.monotonic()
        new.manage("migrate", "--skip-checks")
        print(f"The migrations took {time.monotonic() - began:.1f} s", flush=True)
        new.start(logs / "new.log")
        enter(shoppers, "side by side", [old, new], seconds=options.minutes * 60)
        enter(shoppers, "the newer release", [new], seconds=2)
        old.stop()
        time.sleep(options.calm)
    return shoppers


def enter(shoppers: Shoppers, phase: str, serving: list[Release], seconds: float = 0) -> None:
    with shoppers.lock:
        shoppers.phase, shoppers.serving = phase, serving
    time.sleep(seconds)


def mails(options: argparse.Namespace, name: str, shoppers: Shoppers, mailbox: Mailbox) -> dict[str, int]:
    """What is wrong with the orders and their mails, once the queue is empty."""
    connection = shop.connect(options, name)
    connection.autocommit(True)
    cursor = connection.cursor()

    def count(statement: str) -> int:
        cursor.execute(statement)
        return int(cursor.fetchone()[0])

    for _ in range(180):
        if not count("SELECT COUNT(*) FROM outbox_mail WHERE status NOT IN ('sent', 'failed')"):
            break
        time.sleep(1)
    cursor.execute("SELECT number FROM orders_order")
    stored = {number for (number,) in cursor.fetchall()}
    sent = Counter(each.message_id for every in mailbox.accepted.values() for each in every)
    confirmations = count("SELECT COUNT(*) FROM outbox_mail WHERE kind = 'order-confirmation' AND status = 'sent'")
    return {
        "orders lost, or more than customers know": len(stored ^ shoppers.orders),
        "confirmations that were not sent": len(stored) - confirmations,
        "mails sent twice": sum(sent.values()) - len(sent),
    }


def main() -> int:
    parser = shop.arguments("An upgrade while customers buy.")
    parser.add_argument("commit")
    parser.add_argument("--products", type=int, default=1_000, help="a multiple of a thousand")
    parser.add_argument("--minutes", type=float, default=5, help="of both releases side by side")
    parser.add_argument("--calm", type=float, default=20, help="seconds of each release alone")
    options = parser.parse_args()
    if not options.redis_port:
        parser.error("it needs --redis-port")
    mailbox = Mailbox(is_faulty=False)
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_port())
    with ExitStack() as cleanup:
        controller.start()
        cleanup.callback(controller.stop)
        folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="productbackend-upgrade-")))
        environment = shared_settings(options, folder, str(controller.port))
        name = environment["MYSQL_DATABASE"]
        execute(options, f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        cleanup.callback(execute, options, f"DROP DATABASE {name}")
        old, new = (
            Release(kind, tree, environment)
            for kind, tree in (("old", checked_out(options.commit, folder, cleanup)), ("new", shop.ROOT))
        )
        cleanup.callback(old.stop)
        cleanup.callback(new.stop)
        fill(options, old, name)
        shoppers = upgrade(options, old, new, folder)
        counts = mails(options, name, shoppers, mailbox)
        report(options, shoppers, counts)
        return int(any(counts.values()) or any(shoppers.failed.values()) or any(shoppers.stale.values()))


def shared_settings(options: argparse.Namespace, folder: Path, mail_port: str) -> dict[str, str]:
    """The environment of both releases."""
    limits = {f"THROTTLE_{each}": "1000000/min" for each in ("REGISTER", "TOKEN", "CHECKOUT")}
    return {**os.environ, **limits} | {
        "ENV_FILE": os.devnull,
        "SECRET_KEY": secrets.token_hex(32),
        "DATA_DIR": str(folder),
        "MYSQL_HOST": "127.0.0.1",
        "MYSQL_PORT": str(options.mysql_port),
        "MYSQL_USER": options.mysql_user,
        "MYSQL_PASSWORD": options.mysql_password,
        "MYSQL_DATABASE": f"benchmark_{secrets.token_hex(4)}",
        "REDIS_HOST": "127.0.0.1",
        "REDIS_PORT": str(options.redis_port),
        "REDIS_DATABASE": str(options.redis_database),
        "EMAIL_HOST": "127.0.0.1",
        "EMAIL_PORT": mail_port,
        "ACCESS_TOKEN_LIFETIME": "1440",
        "DJANGO_SETTINGS_MODULE": "productbackend.settings",
    }


def checked_out(commit: str, folder: Path, cleanup: ExitStack) -> Path:
    tree = folder / "tree"
    git = ["git", "-C", str(shop.ROOT), "worktree"]
    subprocess.run([*git, "add", "--quiet", "--detach", str(tree), commit], check=True)
    cleanup.callback(subprocess.run, [*git, "remove", "--force", str(tree)], check=True)
    return tree


def fill(options: argparse.Namespace, release: Release, name: str) -> None:
    release.manage("migrate", "--verbosity=0", "--skip-checks")
    server = (str(options.mysql_port), options.mysql_user, options.mysql_password, name)
    release.run("-c", GROW, *server, str(options.products))
    # The products of the customers and of the keeper.
    execute(options, f"UPDATE {name}.products_product SET quantity = {STOCK}, is_active = 1 WHERE id < 10")


def report(options: argparse.Namespace, shoppers: Shoppers, counts: Mapping[str, int]) -> None:
    print(f"\nFrom {options.commit}, {options.products:,} products; {shop.load()}; orders {len(shoppers.orders):,}\n")
    print("| phase | requests | failed | repeated, refused with the order's number | older than a write | slowest, s |")
    print("| --- | --- | --- | --- | --- | --- |")
    for phase, done in shoppers.done.items():
        print(
            f"| {phase} | {done:,} | {shoppers.failed[phase]} | {shoppers.named[phase]} | {shoppers.stale[phase]} "
            f"| {shoppers.slowest[phase]:.1f} |"
        )
    for what, count in counts.items():
        print(f"{what}: {count}")


if __name__ == "__main__":
    sys.exit(main())
