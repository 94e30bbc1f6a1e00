"""Reads of the catalogue during a flood of sign-ins: their p95 with and without it, in the same run.

    python -m benchmarks.sign_in_flood [--posts 40] [--pause 1] [--seconds 10] [--rounds 5]

Gunicorn runs as deployed, on SQLite and a cache of files, without a limit of sign-ins by address, since all come from
one. One client reads a page of products, which costs some milliseconds, 50 times a second, with a new query each time,
so that none is cached. 40 clients post a name and a wrong password to /admin/login/, each again a second after its
response, or immediately with --pause 0: then the clients and the refusals use all of a small machine, as any requests
would. The yardstick is the same reading without the flood, alternating.
"""

import argparse
import http.client
import multiprocessing
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks import shop
from tests.ports import free_port

READ_EVERY = 0.02  # seconds
PRODUCTS = 500
RATIO_MAX = 3.0  # of the p95 without the flood


def fill() -> None:
    import django

    django.setup()
    from products.models import Product

    for number in range(PRODUCTS):
        Product.objects.create(name=f"Travel mug {number}", quantity=9, price=number)


def read(port: int, seconds: float) -> list[float]:
    """Milliseconds of each read."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    taken: list[float] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        begin = time.perf_counter()
        connection.request("GET", f"/products/?limit=20&min_price={secrets.randbelow(10**6) / 10**4:.2f}")
        response = connection.getresponse()
        response.read()
        assert response.status == 200, response.status
        taken.append((time.perf_counter() - begin) * 1000)
        time.sleep(max(0.0, READ_EVERY - taken[-1] / 1000))
    return taken


def post(port: int, pause: float, ended: Any, statuses: "Counter[int]") -> None:
    """Post a password, again after each response, with a new connection each."""
    token = "a" * 32
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": f"csrftoken={token}"}
    body = f"csrfmiddlewaretoken={token}&username=admin&password=wrong"
    while not ended.is_set():
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.request("POST", "/admin/login/", body, headers)
            response = connection.getresponse()
            response.read()
            statuses[response.status] += 1
        except (OSError, http.client.HTTPException):
            statuses[0] += 1
        finally:
            connection.close()
        ended.wait(pause)


def flood(port: int, posts: int, pause: float, ended: Any, results: Any) -> None:
    """Runs in a separate process, so that the reader does not wait for its threads."""
    statuses: Counter[int] = Counter()
    threads = [threading.Thread(target=post, args=(port, pause, ended, statuses)) for _ in range(posts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results.put(statuses)


@contextmanager
def flooded_by(port: int, posts: int, pause: float, statuses: "Counter[int]") -> Iterator[None]:
    ended, results = multiprocessing.Event(), multiprocessing.Queue()
    process = multiprocessing.Process(target=flood, args=(port, posts, pause, ended, results))
    process.start()
    time.sleep(1)
    try:
        yield
    finally:
        ended.set()
        statuses += results.get(timeout=90)
        process.join()


def p95(taken: list[float]) -> float:
    return statistics.quantiles(taken, n=20)[-1]


def main(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(prefix="productbackend-benchmark-") as data:
        os.environ |= {
            "ENV_FILE": os.devnull, "SECRET_KEY": secrets.token_hex(32), "DATA_DIR": data, "MYSQL_HOST": "",
            "REDIS_HOST": "", "PORT": str(free_port()), "DJANGO_SETTINGS_MODULE": "productbackend.settings",
            "THROTTLE_TOKEN": "1000000/min",
        }  # fmt: skip
        for command in (["migrate"], ["collectstatic", "--no-input"]):
            subprocess.run([sys.executable, "manage.py", *command, "--verbosity=0"], cwd=shop.ROOT, check=True)
        fill()
        alone: list[float] = []
        flooded: list[float] = []
        statuses: Counter[Any] = Counter()
        with shop.Web("--max-requests", "0") as web:
            read(web.port, 2)
            for _ in range(options.rounds):
                alone.append(p95(read(web.port, options.seconds)))
                with flooded_by(web.port, options.posts, options.pause, statuses):
                    flooded.append(p95(read(web.port, options.seconds)))
                print(f"{alone[-1]:.1f} ms alone, {flooded[-1]:.1f} ms under the flood, {shop.load()}", flush=True)
    share = statistics.median(flooded) / statistics.median(alone)
    print(f"| p95 alone | p95 with {options.posts} posting | ratio | answers to them |\n| --- | --- | --- | --- |")
    print(
        f"| {statistics.median(alone):.1f} ms | {statistics.median(flooded):.1f} ms | {share:.2f} | {dict(statuses)} |"
    )
    sys.exit(share > RATIO_MAX)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posts", type=int, default=40)
    parser.add_argument("--pause", type=float, default=1, help="seconds that each client waits after a response")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=5)
    main(parser.parse_args())
