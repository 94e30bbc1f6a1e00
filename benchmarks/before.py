"""Compares this tree with an older commit, alternating in one run. Needs git, MySQL, Redis and wrk.

    python -m benchmarks.before COMMIT --mysql-port PORT --redis-port PORT

Both serve the same demo catalogue from separate databases. Only HTTP and `manage.py` are used, the interfaces that both
have. A share above 1 means that this tree is faster. The rates scatter by as much as the machine's speed does; the
processor time of the web processes for a request scatters less, and is what the rate comes from where the processor is
the limit.
"""

import argparse
import http.client
import json
import os
import re
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks import shop
from benchmarks.processes import family_of, processor_time
from tests.ports import free_port

CLIENTS = 8
STOCK = 1_000_000
Measure = Callable[["Side"], tuple[float, int]]  # requests per second, and how many they were


class Side:
    """A tree with its database and two services: one with the page cache, one without."""

    def __init__(self, tree: Path, options: argparse.Namespace, redis_database: int, cleanup: ExitStack) -> None:
        self.tree = tree
        self.ports = {cache: free_port() for cache in ("on", "off")}
        self.web: list[int] = []
        data = cleanup.enter_context(tempfile.TemporaryDirectory(prefix="productbackend-before-"))
        name = f"benchmark_{secrets.token_hex(4)}"
        self.environment = os.environ | {
            "ENV_FILE": os.devnull,
            "SECRET_KEY": secrets.token_hex(32),
            "DATA_DIR": data,
            "MYSQL_HOST": "127.0.0.1",
            "MYSQL_PORT": str(options.mysql_port),
            "MYSQL_USER": options.mysql_user,
            "MYSQL_PASSWORD": options.mysql_password,
            "MYSQL_DATABASE": name,
            "REDIS_HOST": "127.0.0.1",
            "REDIS_PORT": str(options.redis_port),
            "REDIS_DATABASE": str(redis_database),
            "ACCESS_TOKEN_LIFETIME": "1440",
            "THROTTLE_REGISTER": "100000/min",
            "THROTTLE_TOKEN": "100000/min",
            "THROTTLE_CHECKOUT": "100000/min",
            "PYTHONPATH": str(tree),
        }
        execute(options, f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        cleanup.callback(execute, options, f"DROP DATABASE {name}")
        self.manage("migrate", "--verbosity=0")
        self.manage("demo", "--products", str(options.products), "--pictures", "40")
        execute(options, f"UPDATE {name}.products_product SET quantity = {STOCK}")
        execute(options, f"ANALYZE TABLE {name}.products_product")
        for cache in self.ports:
            self.start(cache, Path(data), cleanup)
        first = json.loads(self.ask("GET", "/products/?in_stock=true&min_price=1&limit=1"))["results"][0]
        self.product, self.tag = first["id"], ""
        self.tokens = [self.register(number) for number in range(CLIENTS)]

    def manage(self, *arguments: str) -> None:
        command = [sys.executable, "manage.py", *arguments]
        subprocess.run(command, cwd=self.tree, env=self.environment, check=True, stdout=subprocess.DEVNULL)

    def start(self, cache: str, data: Path, cleanup: ExitStack) -> None:
        module = "productbackend.settings" if cache == "on" else "benchmarks.yardstick_settings"
        own = {"DJANGO_SETTINGS_MODULE": module, "CATALOGUE_CACHE": cache}
        log = cleanup.enter_context((data / f"{cache}.log").open("wb"))
        command = [sys.executable, "-m", "gunicorn", "--config", shop.CONFIG, "--access-logfile", os.devnull]
        process = subprocess.Popen(
            [*command, "--max-requests", "0", "productbackend.wsgi"],
            cwd=self.tree, env=self.environment | own | {"PORT": str(self.ports[cache])}, stdout=log, stderr=log,
        )  # fmt: skip
        self.web.append(process.pid)
        cleanup.callback(process.wait)
        cleanup.callback(process.terminate)
        for _ in range(300):
            try:
                self.ask("GET", "/health/live/", cache=cache)
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise SystemExit(f"{self.tree} does not start: {Path(log.name).read_text()[-2000:]}")

    def ask(self, method: str, path: str, body: Any = None, *, cache: str = "on", **headers: str) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.ports[cache], timeout=60)
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(
            method, path, json.dumps(body) if body is not None else None, {"Content-Type": "application/json"} | headers
        )
        response = connection.getresponse()
        content = response.read()
        assert response.status < 300, (method, path, response.status, content[:500])
        self.tag = response.headers.get("ETag", "")
        connection.close()
        return content

    def register(self, number: int) -> str:
        password = secrets.token_hex(8)
        account = {"username": f"buyer{number}", "email": f"buyer{number}@example.com", "password": password}
        self.ask("POST", "/register/", account | {"repeat_password": password})
        return json.loads(self.ask("POST", "/token/", {"username": account["username"], "password": password}))[
            "access"
        ]

    def processor_time(self) -> float:
        """The processor time that both services have used, in seconds."""
        return sum(processor_time(pid) for web in self.web for pid in family_of(web))

    def rate(self, path: str, *, cache: str = "on", seconds: int = 1, **headers: str) -> tuple[float, int]:
        """Measure requests, by wrk."""
        given = [part for name, value in headers.items() for part in ("-H", f"{name.replace('_', '-')}: {value}")]
        command = ["wrk", "-t1", f"-c{CLIENTS}", f"-d{seconds}s", *given]
        command.append(f"http://127.0.0.1:{self.ports[cache]}{path}")
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert "Non-2xx" not in printed, printed
        found = re.search(r"(\d+) requests in .*Requests/sec:\s+([0-9.]+)", printed, re.DOTALL)
        assert found, printed
        return float(found[2]), int(found[1])

    def unchanged(self, path: str) -> tuple[float, int]:
        self.ask("GET", path)
        return self.rate(path, If_None_Match=self.tag)

    def checkouts(self, each: int) -> tuple[float, int]:
        """Checkouts of CLIENTS customers; filling their carts is in the processor time, and not in the rate."""

        def buy(token: str) -> float:
            taken, bearer = 0.0, {"Authorization": f"Bearer {token}"}
            client = http.client.HTTPConnection("127.0.0.1", self.ports["on"], timeout=60)
            for _ in range(each):
                body = json.dumps({"product": self.product, "quantity": 1})
                client.request("POST", "/cart-items/", body, {"Content-Type": "application/json"} | bearer)
                response = client.getresponse()
                cart = json.loads(response.read())["cart"]
                key = {"Idempotency-Key": secrets.token_hex(8), "Content-Length": "0"}
                started = time.perf_counter()
                client.request("POST", f"/carts/{cart}/checkout/", headers=key | bearer)
                response = client.getresponse()
                content = response.read()
                taken += time.perf_counter() - started
                assert response.status == 201, content
            return taken

        with ThreadPoolExecutor(CLIENTS) as pool:
            return CLIENTS * each / (sum(pool.map(buy, self.tokens)) / CLIENTS), CLIENTS * each


def execute(options: argparse.Namespace, statement: str) -> None:
    connection = shop.connect(options)
    connection.cursor().execute(statement)
    connection.commit()
    connection.close()


def measures(options: argparse.Namespace) -> dict[str, Measure]:
    return {
        "list, cached": lambda side: side.rate("/products/"),
        "detail, cached": lambda side: side.rate(f"/products/{side.product}/"),
        "304": lambda side: side.unchanged("/products/"),
        "list, not cached": lambda side: side.rate("/products/", cache="off"),
        "detail, not cached": lambda side: side.rate(f"/products/{side.product}/", cache="off"),
        "checkout of one hot product": lambda side: side.checkouts(options.checkouts),
    }


def main() -> None:
    parser = shop.arguments("Compares this tree with an older commit, alternating in one run.")
    parser.add_argument("commit")
    parser.add_argument("--products", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--turns", type=int, default=10, help="of a second each, in each round")
    parser.add_argument("--checkouts", type=int, default=5, help="of each client in a turn")
    parser.add_argument("--only", nargs="+", help="the beginnings of the measures wanted")
    options = parser.parse_args()
    if not options.redis_port:
        parser.error("it needs --redis-port")
    with ExitStack() as cleanup:
        folder = cleanup.enter_context(tempfile.TemporaryDirectory(prefix="productbackend-before-"))
        tree = Path(folder, "tree")
        git = ["git", "-C", str(shop.ROOT), "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", str(tree), options.commit], check=True)
        cleanup.callback(subprocess.run, [*git, "remove", "--force", str(tree)], check=True)
        new = Side(shop.ROOT, options, options.redis_database, cleanup)
        old = Side(tree, options, options.redis_database - 2, cleanup)
        print(f"This tree against {options.commit}; {shop.load()}\n")
        print("| work | rate, of the old commit's: median (least to most) | old processor time, of the new |")
        print("| --- | --- | --- |")
        for name, measure in measures(options).items():
            if options.only and not name.startswith(tuple(options.only)):
                continue
            for side in (new, old):  # opens connections, warms up the code
                measure(side)
            rounds = [turns(measure, new, old, options.turns) for _ in range(options.rounds)]
            print("|", name, "|", " | ".join(spread(shares) for shares in zip(*rounds, strict=True)), "|", flush=True)
        print(f"\nAt the end: {shop.load()}.")


def turns(measure: Measure, new: Side, old: Side, count: int) -> tuple[float, float]:
    """The shares of one round, of rates and of processor time: new and old alternate, and each begins equally often."""
    rates, requests, used = Counter[Side](), Counter[Side](), Counter[Side]()
    for number in range(count):
        for side in (new, old) if number % 2 == 0 else (old, new):
            before = side.processor_time()
            rate, done = measure(side)
            used[side] += side.processor_time() - before
            rates[side] += rate
            requests[side] += done
    return rates[new] / rates[old], (used[old] / requests[old]) / (used[new] / requests[new])


def spread(shares: Sequence[float]) -> str:
    return f"{statistics.median(shares):.2f} ({min(shares):.2f} to {max(shares):.2f})"


if __name__ == "__main__":
    main()
