"""Time and memory of the sitemap and the Google feed, in a process of its own. Needs MySQL or MariaDB.

    python -m benchmarks.feeds --mysql-port PORT --database NAME [--products NUMBER]

The yardstick, in a process of its own too, reads the same columns by one query, and writes them to a file as they are.
The database is created and stays; seeding that was interrupted is continued. So it can be that of benchmarks.exports.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import shop
from benchmarks.exports import CATEGORIES, NUMBERS, PRODUCTS

SLICE = 50_000
# Nine of ten products have a picture, and each third was changed by somebody.
IMAGES = """INSERT INTO products_productimage (product_id, original, sha256, format, alt_text, position, status,
    error_code, error_detail, width, height, renditions, attempts, created_at)
    SELECT id, CONCAT('products/ab/', LPAD(id, 32, '0'), '.jpg'), LPAD(id, 64, '0'), 'JPEG', '', 0, 'ready', '', '',
    1200, 900, JSON_OBJECT('large', JSON_OBJECT('file', CONCAT('products/ab/', LPAD(id, 32, '0'), '-large.jpg'),
    'width', 1200, 'height', 900, 'others', JSON_ARRAY(CONCAT('products/ab/', LPAD(id, 32, '0'), '-large.webp')))),
    1, created_at FROM products_product WHERE id BETWEEN {first} AND {last} AND id % 10 > 1"""
CHANGES = """INSERT INTO backoffice_change (created_at, kind, object_id, object_name, action, fields, way, source)
    SELECT created_at, 'products.product', id, name, 'changed', JSON_OBJECT(), 'admin', ''
    FROM products_product WHERE id BETWEEN {first} AND {last} AND id % 3 = 0"""
READ = """SELECT id, name, slug, sku, brand, description, price, quantity, is_active, created_at, updated_at
    FROM products_product ORDER BY id"""


def seed(options: argparse.Namespace, database: str) -> None:
    connection = shop.connect(options, database)
    cursor = connection.cursor()
    cursor.execute("SET SESSION cte_max_recursion_depth = 100000, sql_log_bin = 0")

    def fill(table: str, statement: str, rows: int, counted: str = "COUNT(*)") -> None:
        cursor.execute(f"SELECT {counted} FROM {table}")
        for first in range(cursor.fetchone()[0] or 0, rows, SLICE):
            last = min(first + SLICE, rows)
            numbers = NUMBERS.format(first=first + 1, last=last)
            cursor.execute(statement.format(numbers=numbers, first=first + 1, last=last))
            connection.commit()
            print(f"{last:,} of {rows:,} in {table}", file=sys.stderr)

    fill("products_category", CATEGORIES, 100)
    fill("products_product", PRODUCTS, options.products)
    cursor.execute("SELECT MAX(id) FROM products_product")
    highest = cursor.fetchone()[0]
    for table, statement, column in (
        ("products_productimage", IMAGES, "product_id"),
        ("backoffice_change", CHANGES, "object_id"),
    ):
        cursor.execute(f"SELECT COUNT(*) FROM {table}")
        if not cursor.fetchone()[0] or table == "products_productimage":
            fill(table, statement, highest, counted=f"MAX({column})")
    cursor.execute("ANALYZE TABLE products_product, products_productimage, backoffice_change")
    cursor.fetchall()
    connection.close()


def megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(what: str) -> None:
    """Print a row of the table: the job, or the yardstick, in this process."""
    import django

    django.setup()
    from products.models import Product

    with tempfile.TemporaryDirectory() as folder:
        count = Product.objects.count()  # connects
        before, began, processor = megabytes(), time.perf_counter(), time.process_time()
        size = job(folder) if what == "make_feeds" else yardstick(Path(folder))
        spent, processor = time.perf_counter() - began, time.process_time() - processor
    times = f"{spent:.1f} | {processor:.1f}"
    print(f"| {what} | {count:,} | {size / 1e6:,.1f} | {times} | {before:.0f} | {megabytes():.0f} |", flush=True)


def job(folder: str) -> int:
    from django.conf import settings
    from django.core.management import call_command

    from backoffice.feeds.models import FeedBuild

    settings.MEDIA_ROOT = Path(folder)
    FeedBuild.objects.all().delete()  # the files of an earlier run are gone
    call_command("make_feeds", stdout=sys.stderr)
    build = FeedBuild.published().get()
    return sum(build.pieces) + sum(size for size, _ in build.parts)


def yardstick(folder: Path) -> int:
    """Read by a server-side cursor, and write the rows as text."""
    from django.db import connection
    from MySQLdb.cursors import SSCursor

    connection.ensure_connection()
    path = folder / "rows"
    with path.open("wb") as file:
        cursor = connection.connection.cursor(SSCursor)
        cursor.execute(READ)
        while rows := cursor.fetchmany(500):
            for row in rows:
                file.write(("\t".join(map(str, row)) + "\n").encode())
        cursor.close()
        os.fsync(file.fileno())
    return path.stat().st_size


def main() -> None:
    parser = shop.arguments("Time and memory of the sitemap and the Google feed.")
    parser.add_argument("--products", type=int, default=1_000_000)
    parser.add_argument("--database", required=True, help="its name")
    options = parser.parse_args()
    with shop.database(options, options.database, SHOP_PRODUCT_URL="https://shop.example/p/{slug}") as name:
        seed(options, name)
        print(shop.versions(options))
        print("\n| what | products | MB | seconds | processor, s | MB before | MB at most |")
        print("| --- | --- | --- | --- | --- | --- | --- |", flush=True)
        for what in ("yardstick", "make_feeds"):
            subprocess.run([sys.executable, "-m", "benchmarks.feeds", "--measure", what], check=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(sys.argv[2])
    else:
        main()
