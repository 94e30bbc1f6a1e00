"""Reads under load: many pages by Zipf's law during sales of a product, and the memory of the web processes."""

import argparse
import os
import random
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.catalogue_web import CONNECTIONS, Web, spread

PAGES = 10_000
DETAILS = 8_000
SALES_A_SECOND = 50
SETTLING = 5  # seconds at the beginning of a load that are not counted
SLICE = 2  # seconds of load between two measurements of the yardstick
# wrk requests the pages by Zipf's law: the first as often as the next two, and so on.
SCRIPT = """
local paths, sums, sum = {}, {}, 0
for line in io.lines("%s") do
  sum = sum + 1 / (#paths + 1)
  paths[#paths + 1], sums[#sums + 1] = line, sum
end
function init() math.randomseed(os.time()) end
function request()
  local wanted, low, high = math.random() * sum, 1, #sums
  while low < high do
    local middle = math.floor((low + high) / 2)
    if sums[middle] < wanted then low = middle + 1 else high = middle end
  end
  return wrk.format("GET", paths[low])
end
"""


def write_script() -> tuple[Path, list[str]]:
    """The client's script and its pages, the most requested ones first."""
    from products.models import Product

    ids = Product.objects.filter(is_active=True).order_by("id").values_list("pk", flat=True)[:DETAILS]
    pages = [f"/products/{pk}/" for pk in ids]
    pages += [f"/products/?limit=20&offset={offset}" for offset in range(PAGES - len(pages))]
    random.Random(1).shuffle(pages)
    listed, script = (Path(os.environ["DATA_DIR"], name) for name in ("pages.txt", "zipf.lua"))
    listed.write_text("\n".join(pages))
    script.write_text(SCRIPT % listed)
    return script, pages


def zipf(options: argparse.Namespace) -> None:
    """Alternate between no writes and sales, on a full cache that has begun to evict pages."""
    from django.core.cache import cache

    from benchmarks.yardstick import BYTES, MISSES

    script, pages = write_script()
    products = [page.split("/")[2] for page in pages if "limit" not in page]
    sold = {
        "no writes": None,
        f"the product that is read most sells {SALES_A_SECOND} times a second": products[0],
        f"another, the thousandth, sells {SALES_A_SECOND} times a second": products[1000],
    }
    cache.clear()
    cache.set(MISSES, 0, None)
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in sold}
    with Web(cache=True) as web:
        cache.set(BYTES, web.get("/products/"), None)
        web.rate("", options.warm_seconds, script=script)
        for number in range(options.rounds):
            for name in list(sold) if number % 2 == 0 else reversed(sold):
                found[name].append(_zipf_round(options, web, script, sold[name]))
    print(f"\n| {PAGES:,} pages by Zipf's law | 1/s | yardstick, 1/s | hit rate | share | of no writes |")
    print("| --- | --- | --- | --- | --- | --- |")
    unsold = statistics.median(rate / bare for rate, bare, _ in found["no writes"])
    for name, rounds in found.items():
        rates, bare, hits = zip(*rounds, strict=True)
        shares = [rate / yardstick for rate, yardstick in zip(rates, bare, strict=True)]
        row = [name, spread(rates), spread(bare), spread(hits, 3), spread(shares, 2)]
        print(f"| {' | '.join(row)} | {statistics.median(shares) / unsold:.2f} |", flush=True)


def _zipf_round(options: argparse.Namespace, web: Web, script: Path, product: str | None) -> tuple[float, float, float]:
    """Requests per second, those of the bare view in between, without sales, and the hit rate.

    This cancels out changes of the machine's speed.
    """
    from django.core.cache import cache

    from benchmarks.yardstick import MISSES

    rates, bare, missed = [], [], 0
    with selling(product) as seller:
        web.rate("", SETTLING, script=script)
        for _ in range(options.zipf_seconds // SLICE):
            before = cache.get(MISSES)
            rates.append(web.rate("", SLICE, script=script))
            missed += cache.get(MISSES) - before
            if seller:
                seller.send_signal(signal.SIGSTOP)
            bare.append(web.rate("/bare/bytes/", 1))
            if seller:
                seller.send_signal(signal.SIGCONT)
    return statistics.mean(rates), statistics.mean(bare), 1 - missed / (sum(rates) * SLICE)


@contextmanager
def selling(product: str | None) -> Iterator["subprocess.Popen[bytes] | None"]:
    """Sell the product continuously in a separate process; its load is part of the measurement."""
    if product is None:
        yield None
        return
    seller = subprocess.Popen([sys.executable, "-m", "benchmarks.catalogue_load", product], stdout=subprocess.PIPE)
    assert seller.stdout is not None
    seller.stdout.readline()  # waits until it has begun
    try:
        yield seller
    finally:
        seller.terminate()
        seller.send_signal(signal.SIGCONT)
        seller.wait()


def sell(product_id: int) -> None:
    import django

    django.setup()
    from products.inventory import stock

    number, due = 0, time.monotonic()
    while True:
        stock.adjust(product_id=product_id, delta=1 if number % 2 == 0 else -1, user=None)
        number += 1
        if number == 1:
            print("selling", flush=True)
        due = max(due + 1 / SALES_A_SECOND, time.monotonic())  # sales missed during SIGSTOP are skipped
        time.sleep(max(0.0, due - time.monotonic()))


def memory(options: argparse.Namespace) -> None:
    """Memory of each web process after its first thousand requests and after long load, half of it uncached pages."""
    script, pages = write_script()
    with Web(cache=True) as web:
        rng = random.Random(2)

        def ask(count: int) -> None:
            for number in range(count):
                if number % 10 == 0:
                    client = web.client()  # any web process may accept it
                web.get(rng.choice(pages), client, {"Accept": "application/json, text/csv"} if number % 2 else {})

        threads = [threading.Thread(target=ask, args=[2 * 1000 // CONNECTIONS]) for _ in range(CONNECTIONS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        before, requests = web.memory(), 0.0
        end = time.monotonic() + options.memory_seconds
        while time.monotonic() < end:
            requests += 10 * web.rate("", 10, script=script)
            requests += 10 * web.rate("/products/?ordering=-price", 10, Accept="application/json, text/csv")
        after = web.memory()
    print("\n| web process | kB after 1,000 requests | kB at the end | times |\n| --- | --- | --- | --- |")
    for number, (first, last) in enumerate(zip(before, after, strict=True), start=1):
        for name, early, late in zip(("resident", "of it not shared"), first, last, strict=True):
            print(f"| {number}, {name} | {early:,} | {late:,} | {late / early:.2f} |")
    print(f"\nIn between {requests:,.0f} requests in {options.memory_seconds} s.", flush=True)


if __name__ == "__main__":
    sell(int(sys.argv[1]))
