"""Database time of suggestions at a million products, by the service's own statements. Needs MySQL or MariaDB.

    python -m benchmarks.suggestions --mysql-port PORT --database NAME

The database is created and kept; an interrupted seeding is continued. The fulltext index is not needed.
"""

import argparse
import time
from typing import Any

from benchmarks import products, shop
from benchmarks.catalogue_web import spread

TEXTS = ("la", "so", "ba", "de", "co", "wo", "mi", "ma", "blouse", "iris linen b", "slate grey", "zz")
# The names of the demo consist of ASCII words and commas.
WORDS = """INSERT INTO products_suggestion (kind, `key`, source)
    SELECT 'product', LEFT(SUBSTRING_INDEX(words, ' ', -number), 64), id
    FROM (SELECT id, LOWER(REPLACE(name, ',', '')) AS words,
        1 + LENGTH(name) - LENGTH(REPLACE(name, ' ', '')) AS total FROM products_product) AS named
    JOIN (WITH RECURSIVE numbers AS (SELECT 1 AS number UNION ALL SELECT number + 1 FROM numbers WHERE number < 8)
        SELECT number FROM numbers) AS numbers ON number <= total"""


def fill(options: argparse.Namespace, database: str) -> None:
    """Write the rows of all products, unless there are as many already."""
    connection = shop.connect(options, database)
    cursor = connection.cursor()
    cursor.execute("SELECT COUNT(*) FROM products_suggestion WHERE kind = 'product'")
    if cursor.fetchone()[0] < options.products:
        cursor.execute("DELETE FROM products_suggestion WHERE kind = 'product'")
        cursor.execute(WORDS)
        connection.commit()
        cursor.execute("ANALYZE TABLE products_suggestion")
        cursor.fetchall()
    connection.close()


def measure(options: argparse.Namespace) -> None:
    from django.db import connection
    from django.test import Client

    client, times = Client(), []

    def timed(execute: Any, *arguments: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(*arguments)
        finally:
            times.append((time.perf_counter() - began) * 1000)

    print("\n| text | suggestions | statements | ms of the database | the shortest times, added |")
    print("| --- | --- | --- | --- | --- |")
    for text in TEXTS:
        rounds = []
        for _ in range(options.times):
            times.clear()
            with connection.execute_wrapper(timed):
                found = client.get("/products/suggestions/", {"q": text}, headers={"Host": "localhost"}).json()
            rounds.append(list(times))
        totals, shortest = [sum(each) for each in rounds], sum(map(min, zip(*rounds, strict=True)))
        row = [text, len(found["results"]), len(rounds[0]), spread(totals, 1), f"{shortest:.1f}"]
        print(f"| {' | '.join(map(str, row))} |", flush=True)


def main() -> None:
    parser = shop.arguments("Database time of suggestions.")
    parser.add_argument("--products", type=int, default=1_000_000)
    parser.add_argument("--database", required=True, help="its name")
    parser.add_argument("--times", type=int, default=40)
    options = parser.parse_args()
    with shop.database(options, options.database) as name:
        products.make_base()
        products.grow(options, name, options.products)
        fill(options, name)
        print(shop.versions(options))
        measure(options)


if __name__ == "__main__":
    main()
