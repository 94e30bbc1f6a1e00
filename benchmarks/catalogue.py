"""Reads of the catalogue, each figure against its yardstick in the same run. Needs MySQL, Redis and wrk.

    python -m benchmarks.catalogue --mysql-port PORT --redis-port PORT --redis-database NUMBER

Its two databases are seeded in some minutes and dropped at the end. With `--database-small NAME
--database-large NAME` they are kept, and an interrupted seeding is continued; `--only` names the parts
to be measured.
"""

import argparse

from benchmarks import catalogue_latency, catalogue_load, products, shop
from benchmarks.catalogue_web import Ask, Web, compare


def rates(options: argparse.Namespace) -> None:
    """Requests per second for cached and uncached pages."""
    from django.core.cache import cache

    from benchmarks.yardstick import BYTES, MISSES

    cache.clear()
    cache.set(MISSES, 0, None)
    rounds, seconds = range(options.rounds), options.seconds
    print(f"\n| work, {options.small:,} products | 1/s | yardstick, 1/s | share |\n| --- | --- | --- | --- |")
    with Web(cache=True) as web:
        for name, path in (("list, cached", "/products/"), ("detail, cached", "/products/1/"), ("304", "/products/")):
            cache.set(BYTES, web.get(path), None)
            known = {"If_None_Match": web.tag} if name == "304" else {}
            asks: list[Ask] = [(path, known), ("/bare/bytes/", {})]
            ours, bare = zip(*(web.rates(asks, seconds) for _ in rounds), strict=True)
            compare(name, ours, bare)
    with Web(cache=False) as web:
        asks = [(path, {}) for path in ("/products/", "/bare/list/", "/naive/products/", "/health/live/")]
        web.rates(asks, 1)  # opens connections, warms up the code
        ours, bare, naive, minimal = zip(*(web.rates(asks, seconds) for _ in rounds), strict=True)
        compare("list, cache off", ours, bare)
        compare("list, cache off, compared with a naive project", ours, naive)
        compare("list, cache off, compared with a response of fifteen bytes", ours, minimal)


def main() -> None:
    parts = ("rates", "latencies", "zipf", "memory")
    parser = shop.arguments("Reads of the catalogue, compared with its yardsticks.")
    parser.add_argument("--large", type=int, default=1_000_000)
    parser.add_argument("--small", type=int, default=10_000)
    parser.add_argument("--database-large", default="", help="its name, to keep and reuse it")
    parser.add_argument("--database-small", default="", help="its name, to keep and reuse it")
    parser.add_argument("--only", nargs="+", choices=parts, default=parts)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=8, help="of wrk in each cell of each round")
    parser.add_argument("--times", type=int, default=30, help="requests for a latency in each round")
    parser.add_argument(
        "--warm-seconds", type=int, default=75, help="of reading before pages by Zipf's law are counted"
    )
    parser.add_argument("--zipf-seconds", type=int, default=30)
    parser.add_argument("--memory-seconds", type=int, default=600)
    options = parser.parse_args()
    if not options.redis_port:
        parser.error("it needs --redis-port")
    with shop.database(options, options.database_small) as small:
        products.make_base()
        products.grow(options, small, options.small)
        print(shop.versions(options))
        if "rates" in options.only:
            rates(options)
        if "latencies" in options.only:
            with large_database(options, small) as large:
                catalogue_latency.pages(options, small, large)
                catalogue_latency.searches(options, large)
        if "zipf" in options.only:
            catalogue_load.zipf(options)
        if "memory" in options.only:
            catalogue_load.memory(options)
        print(f"\nAt the end: {shop.load()}.")


def large_database(options: argparse.Namespace, small: str) -> shop.Database:
    """Create the larger database, seeded from the smaller one's base."""
    large = shop.Database(options, options.database_large)
    products.copy_base(options, small, large.name)
    products.grow(options, large.name, options.large)
    return large


if __name__ == "__main__":
    main()
