"""How fast the catalogue is read, each figure against its yardstick in the same run. Needs MySQL, Redis and wrk."""

import argparse
import http.client
import json
import os
import random
import re
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import shop

CONNECTIONS = 8
PAGES = 10_000
SALES_A_SECOND = 50


class Web(shop.Web):
    """Gunicorn with the yardsticks' paths; its workers stay, so that their memory can be watched."""

    def __init__(self, *, cache: bool) -> None:
        super().__init__()
        self.environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "benchmarks.yardstick_settings",
            "CATALOGUE_CACHE": "on" if cache else "off",
        }

    def __enter__(self) -> "Web":
        command = [sys.executable, "-m", "gunicorn", "--config", shop.CONFIG, "--access-logfile", os.devnull]
        self.log = Path(os.environ["DATA_DIR"], "gunicorn.log").open("wb")
        self.process = subprocess.Popen(
            [*command, "--max-requests", "0", "productbackend.wsgi"],
            cwd=shop.ROOT, env=self.environment, stdout=self.log, stderr=self.log, start_new_session=True,
        )  # fmt: skip
        self.wait()
        return self

    def get(self, path: str, connection: Any = None) -> bytes:
        connection = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", path)
        answer = connection.getresponse()
        body: bytes = answer.read()
        assert answer.status == 200, (path, answer.status, body[:500])
        self.tag = answer.headers.get("ETag", "")
        return body

    def rate(self, path: str, seconds: int, **headers: str) -> float:
        """Requests a second, by wrk."""
        given = [part for name, value in headers.items() for part in ("-H", f"{name.replace('_', '-')}: {value}")]
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", *given, f"http://127.0.0.1:{self.port}{path}"]
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert "Non-2xx" not in printed, printed
        return float(re.search(r"Requests/sec:\s+([0-9.]+)", printed)[1])  # type: ignore[index]

    def latency(self, path: str, times: int) -> float:
        """The median in ms of one client's requests."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        return median_ms(lambda: self.get(path, connection), times)

    def memory(self) -> int:
        """Kilobytes that the workers hold for themselves."""
        total = 0
        for pid in self.workers():
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
            total += sum(int(found) for found in re.findall(r"Private_\w+:\s+(\d+)", text))
        return total


def median_ms(work: Callable[[], Any], times: int) -> float:
    work()
    found = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        found.append((time.perf_counter() - start) * 1000)
    return statistics.median(found)


def spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.0f} ({min(values):.0f} to {max(values):.0f})"


def compare(name: str, ours: list[float], theirs: list[float]) -> None:
    share = statistics.median(ours) / statistics.median(theirs)
    print(f"| {name} | {spread(ours)} | {spread(theirs)} | {share:.2f} |", flush=True)


def rates(options: argparse.Namespace) -> None:
    """Requests a second of cached and of made pages."""
    from django.core.cache import cache

    from benchmarks.yardstick import BYTES, MISSES

    cache.set(MISSES, 0, None)
    rounds, seconds = range(options.rounds), options.seconds
    with Web(cache=True) as web:
        for name, path in (("list, cached", "/products/"), ("detail, cached", "/products/1/")):
            cache.set(BYTES, web.get(path), None)
            pairs = [(web.rate(path, seconds), web.rate("/bare/bytes/", seconds)) for _ in rounds]
            compare(name, [ours for ours, _ in pairs], [theirs for _, theirs in pairs])
        web.get("/products/")
        known = web.tag
        pairs = [
            (web.rate("/products/", seconds, If_None_Match=known), web.rate("/bare/bytes/", seconds)) for _ in rounds
        ]
        compare("304", [ours for ours, _ in pairs], [theirs for _, theirs in pairs])
    with Web(cache=False) as web:
        triples = [
            (web.rate("/products/", seconds), web.rate("/bare/list/", seconds), web.rate("/naive/products/", seconds))
            for _ in rounds
        ]
        compare("list, cache off", [row[0] for row in triples], [row[1] for row in triples])
        compare("list, cache off, beside a naive project", [row[0] for row in triples], [row[2] for row in triples])


def page_paths(web: Web) -> dict[str, str]:
    from products.models import Category, Product

    leaf = Product.objects.order_by("id")[0].category_id
    wide = Category.objects.filter(parent=None).order_by("id")[0].pk
    paths = {
        "first page": "/products/",
        "a leaf and a price range": f"/products/?category={leaf}&min_price=20&max_price=80&ordering=price",
        "a subtree": f"/products/?category={wide}&ordering=-price",
    }
    for field in ("name", "price", "rating", "quantity", "created_at"):
        for sign in ("", "-"):
            paths[f"ordering={sign}{field}"] = f"/products/?ordering={sign}{field}"
            # The last page of an order: back from the first of its opposite, as `previous` would lead there.
            page = json.loads(web.get(f"/products/?ordering={'' if sign else '-'}{field}&limit=40"))
            paths[f"last page, ordering={sign}{field}"] = behind(page["results"][20], f"{sign}{field}", field)
    return paths


def behind(row: dict[str, Any], ordering: str, field: str) -> str:
    """The page that begins behind this row."""
    from productbackend.api.pagination import write_cursor
    from products.models import Product

    column = "name_key" if field == "name" else field
    product = Product.objects.get(pk=row["id"])
    sign = "-" if ordering.startswith("-") else ""
    cursor = {"o": [sign + column, f"{sign}id"], "d": "n", "v": [getattr(product, column), product.pk]}
    return f"/products/?ordering={ordering}&cursor={write_cursor(cursor)}"


def bare_sql(options: argparse.Namespace, database: str) -> dict[str, tuple[str, Callable[[], Any]]]:
    """Searches, each with the statements that it comes down to."""
    connection = shop.connect(options, database)

    def run(*statements: str) -> Callable[[], Any]:
        def work() -> None:
            cursor = connection.cursor()
            for statement in statements:
                cursor.execute(statement)
                cursor.fetchall()

        return work

    def match(words: str) -> Callable[[], Any]:
        found = f"MATCH (search_text) AGAINST ('{words}' IN BOOLEAN MODE)"
        return run(f"SELECT id, name FROM products_product WHERE {found} LIMIT 20")

    def contains(part: str) -> Callable[[], Any]:
        where = f"is_active AND name_key LIKE '%{part}%'"
        return run(
            f"SELECT COUNT(*) FROM (SELECT 1 FROM products_product WHERE {where} LIMIT 1001) AS found",
            f"SELECT p.id, p.name FROM products_product p JOIN (SELECT id FROM products_product WHERE {where} "
            "ORDER BY name_key, id LIMIT 20) AS page USING (id)",
        )

    return {
        "search, a common word": ("/products/?search=wool", match("+qqwool*")),
        "search, a rare word": ("/products/?search=copy7", match("+qqcopy7*")),
        "search, two words": ("/products/?search=coat+copy3", match("+qqcoat +qqcopy3*")),
        "name_contains, common": ("/products/?name_contains=shoe", contains("shoe")),
        "name_contains, rare": ("/products/?name_contains=zzz", contains("zzz")),
    }


def latencies(options: argparse.Namespace, database: str) -> None:
    """Pages at both sizes, and searches at the larger beside their bare SQL."""
    from benchmarks.products import grow

    with Web(cache=False) as web:
        paths = page_paths(web)
        small = {name: web.latency(path, options.times) for name, path in paths.items()}
    grow(options, database, options.products)
    with Web(cache=False) as web:
        paths = page_paths(web)
        print(f"\n| page | ms at {options.small:,} | ms at {options.products:,} | ratio |\n| --- | --- | --- | --- |")
        for name, path in paths.items():
            large = web.latency(path, options.times)
            print(f"| {name} | {small[name]:.1f} | {large:.1f} | {large / small[name]:.2f} |", flush=True)
        naive = web.latency(f"/naive/products/?offset={int(options.products * 0.9)}", 3)
        print(f"| a naive project's page at 90% | | {naive:.1f} | |")
        print("\n| search | ms over HTTP | ms of the bare SQL | of 1.5 times plus 3 ms |\n| --- | --- | --- | --- |")
        for name, (path, work) in bare_sql(options, database).items():
            over, bare = web.latency(path, options.times), median_ms(work, options.times)
            print(f"| {name} | {over:.1f} | {bare:.1f} | {over / (bare * 1.5 + 3):.2f} |", flush=True)


def zipf(options: argparse.Namespace, *, sells: bool) -> tuple[float, float]:
    """Requests a second and the hit rate of many pages, a few of them asked for most."""
    from django.core.cache import cache

    from benchmarks.yardstick import MISSES
    from products import stock
    from products.models import Product

    ids = list(Product.objects.filter(is_active=True).order_by("id").values_list("pk", flat=True)[: PAGES * 4 // 5])
    paths = [f"/products/{pk}/" for pk in ids]
    paths += [f"/products/?limit=20&offset={offset}" for offset in range(PAGES - len(paths))]
    random.Random(1).shuffle(paths)
    weights = [1 / rank for rank in range(1, len(paths) + 1)]
    cache.clear()
    cache.set(MISSES, 0, None)
    end, done = time.monotonic() + options.zipf_seconds, []

    def ask(seed: int) -> None:
        chance = random.Random(seed)
        connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=60)
        count = 0
        while time.monotonic() < end:
            for path in chance.choices(paths, weights, k=100):
                web.get(path, connection)
                count += 1
        done.append(count)

    def sell() -> None:
        hot = int(next(path for path in paths if "limit" not in path).split("/")[2])
        while time.monotonic() < end:
            stock.adjust(product_id=hot, delta=random.choice((-1, 1)), user=None)
            time.sleep(1 / SALES_A_SECOND)

    with Web(cache=True) as web:
        end = time.monotonic() + options.zipf_seconds
        threads = [threading.Thread(target=ask, args=[seed]) for seed in range(CONNECTIONS)]
        threads += [threading.Thread(target=sell)] * sells
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sum(done) / options.zipf_seconds, 1 - cache.get(MISSES) / sum(done)


def memory(options: argparse.Namespace) -> None:
    with Web(cache=True) as web:
        for _ in range(1000):
            web.get(f"/products/?limit=20&offset={random.randrange(5000)}")
        before = web.memory()
        end = time.monotonic() + options.memory_seconds
        while time.monotonic() < end:
            web.rate(f"/products/?offset={random.randrange(5000)}", 1)
        after = web.memory()
        print(f"\nPrivate memory of the web processes: {before:,} kB after 1,000 requests, {after:,} kB after "
              f"{options.memory_seconds} s of load: {after / before:.2f} times.")  # fmt: skip


def main() -> None:
    parser = shop.arguments("How fast the catalogue is read, beside its yardsticks.")
    parser.add_argument("--products", type=int, default=1_000_000)
    parser.add_argument("--small", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=10, help="of wrk in each cell of each round")
    parser.add_argument("--times", type=int, default=50, help="requests for a latency")
    parser.add_argument("--zipf-seconds", type=int, default=60)
    parser.add_argument("--memory-seconds", type=int, default=600)
    options = parser.parse_args()
    if not options.redis_port:
        parser.error("it needs --redis-port")
    with shop.database(options) as name:
        from benchmarks.products import grow

        print(shop.versions(options))
        grow(options, name, options.small)
        print(f"\n| work, {options.small:,} products | 1/s | yardstick, 1/s | share |\n| --- | --- | --- | --- |")
        rates(options)
        latencies(options, name)
        print("\n| pages by Zipf's law | 1/s | hit rate |\n| --- | --- | --- |")
        for sells in (False, True):
            rate, hits = zipf(options, sells=sells)
            print(f"| {'one product sells all the time' if sells else 'no writes'} | {rate:.0f} | {hits:.3f} |")
        memory(options)


if __name__ == "__main__":
    main()
