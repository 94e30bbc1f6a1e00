"""Time and memory of exports, each in a process of its own. Needs MySQL or MariaDB.

    python -m benchmarks.exports --mysql-port PORT --database NAME [--rows NUMBER] [--only TEXT]

The database is created and kept; seeding that was interrupted is continued.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import shop

SLICE = 50_000
NUMBERS = "WITH RECURSIVE numbers AS (SELECT {first} AS n UNION ALL SELECT n + 1 FROM numbers WHERE n < {last})"
CATEGORIES = """INSERT INTO products_category (id, name, name_key, slug, sibling_key, lineage, position)
    {numbers} SELECT n, CONCAT('Category ', n), CONCAT('category ', n), CONCAT('category-', n), CONCAT(':', n),
    CONCAT('/', n, '/'), 0 FROM numbers"""
PRODUCTS = """INSERT INTO products_product (name, name_key, slug, sku, brand, brand_key, description, category_id,
    price, quantity, rating, is_active, tax_class, search_text, created_at, updated_at)
    {numbers} SELECT CONCAT('Product ', n), CONCAT('product ', LPAD(n * 31 % 100003, 6, '0')), CONCAT('product-', n),
    CONCAT('SKU-', n), CONCAT('Brand ', n % 100), CONCAT('brand ', n % 100),
    REPEAT('A text about it, with commas. ', 10), 1 + n % 100, n % 9000 / 10, n % 50, 5, n % 10 > 0, 'standard', '',
    '2020-01-01' + INTERVAL n MINUTE, '2020-01-01' + INTERVAL n MINUTE FROM numbers"""
ORDERS = """INSERT INTO orders_order (id, number, email, name_key, cart_id, status, total, tax, currency, fingerprint,
    shipping_name, shipping_line1, shipping_city, shipping_country, paid_at, created_at, updated_at)
    {numbers} SELECT n, UPPER(LPAD(CONV(n * 7919 % 1000000007, 10, 36), 8, '0')), CONCAT('customer', n % 1000,
    '@example.com'), 'name', n, 'paid', 39.80, 6.35, 'EUR', '', 'Name', 'Street 1', 'Berlin', 'DE', '2020-01-01',
    '2020-01-01' + INTERVAL n MINUTE, '2020-01-01' + INTERVAL n MINUTE FROM numbers"""
LINES = """INSERT INTO orders_orderline (order_id, sku, name, unit_price, quantity, tax_rate, tax)
    {numbers} SELECT n, 'SKU', 'Product', 19.90, 2, 19, 6.35 FROM numbers"""
PAYMENTS = """INSERT INTO payments_payment (order_id, method, status, `key`, reference, amount, currency, client_secret,
    redirect_url, return_url, note, error, key_owner, fingerprint, created_at, updated_at)
    {numbers} SELECT n, 'stripe', 'succeeded', LPAD(n, 32, '0'), CONCAT('pi_', n), 39.80, 'EUR', '', '', '', '', '', '',
    '', '2020-01-01', '2020-01-01' FROM numbers"""
# What is measured: a request, or a command.
REQUESTS = [
    "/exports/products/",
    "/exports/products/?name_contains=duct 00",
    "/exports/stock/",
    "/exports/orders/",
    "/exports/orders/?email=customer7@example.com",
    "/exports/products/?format=xlsx&{few}",
    "/exports/orders/?format=xlsx&{few_orders}",
]
COMMANDS = ["products.csv", "products.xlsx"]


def seed(options: argparse.Namespace, database: str) -> None:
    connection = shop.connect(options, database)
    cursor = connection.cursor()
    cursor.execute("SET SESSION cte_max_recursion_depth = 100000, sql_log_bin = 0")

    def fill(table: str, statements: list[str], rows: int) -> None:
        cursor.execute(f"SELECT COUNT(*) FROM {table}")
        for first in range(cursor.fetchone()[0], rows, SLICE):
            last = min(first + SLICE, rows)
            for statement in statements:
                cursor.execute(statement.format(numbers=NUMBERS.format(first=first + 1, last=last)))
            connection.commit()
            print(f"{database}: {last:,} of {rows:,} in {table}", file=sys.stderr)

    fill("products_category", [CATEGORIES], 100)
    fill("products_product", [PRODUCTS], options.rows)
    fill("orders_order", [ORDERS, LINES, PAYMENTS], options.rows)
    cursor.execute("ANALYZE TABLE products_product, orders_order, orders_orderline, payments_payment")
    cursor.fetchall()
    connection.close()


def megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(what: str) -> None:
    """Print a row of the table, for one request or command in this process."""
    import django

    django.setup()
    from rest_framework.test import APIClient

    from accounts.models import User

    staff, _ = User.objects.get_or_create(username="stella", defaults={"is_staff": True, "is_superuser": True})
    client = APIClient(headers={"Host": "localhost"})
    client.force_authenticate(staff)
    b"".join(client.get("/exports/stock/?ids=1").streaming_content)  # loads modules and connects
    before, began, first, size = megabytes(), time.perf_counter(), 0.0, 0
    processor = time.process_time()
    if what in COMMANDS:
        size = run_command(what)
    else:
        response: Any = client.get(what)
        assert response.status_code == 200, response.content
        first = time.perf_counter() - began
        for piece in response.streaming_content:
            size += len(piece)
    spent, processor = time.perf_counter() - began, time.process_time() - processor
    name = f"export_products {what}" if what in COMMANDS else what
    times = f"{first:.2f} | {spent:.1f} | {processor:.1f}"
    print(f"| `{name}` | {size / 1e6:,.1f} | {times} | {before:.0f} | {megabytes():.0f} |", flush=True)


def run_command(name: str) -> int:
    from django.core.management import call_command

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        call_command("export_products", str(path), verbosity=0)
        return path.stat().st_size


def main() -> None:
    parser = shop.arguments("Time and memory of exports.")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--database", required=True, help="its name")
    parser.add_argument("--only", default="", help="measure what has this text in its name")
    options = parser.parse_args()
    with shop.database(options, options.database) as name:
        seed(options, name)
        print(shop.versions(options))
        print("\n| export | MB | first byte, s | all, s | processor, s | MB before | MB at most |")
        print("| --- | --- | --- | --- | --- | --- | --- |", flush=True)
        few = f"ids={','.join(map(str, range(1, 101)))}" if options.rows < 1_000 else "min_price=810"
        for what in [*REQUESTS, *COMMANDS]:
            path = what.format(few=few, few_orders="email=customer7@example.com")
            if options.only in path:
                subprocess.run([sys.executable, "-m", "benchmarks.exports", "--measure", path], check=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(sys.argv[2])
    else:
        main()
