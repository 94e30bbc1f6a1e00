"""The admin's home page, its job and its verifier at a million orders. Needs MySQL or MariaDB.

    python -m benchmarks.dashboard --mysql-port PORT --database NAME [--orders NUMBER] [--days NUMBER]

The orders are of the last `--days` days. The database is created and stays; seeding that was interrupted is continued.
The yardstick is the page of a member of staff who sees neither sales nor products: the admin's own index.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks import shop
from benchmarks.figures import spread

PRODUCTS = 10_000
SLICE = 50_000
ROUNDS, REQUESTS = 3, 20
NUMBERS = "WITH RECURSIVE numbers AS (SELECT {first} AS n UNION ALL SELECT n + 1 FROM numbers WHERE n < {last})"
# The earliest first: order n was placed as many days ago as its share of all orders says.
MOMENT = "UTC_TIMESTAMP() - INTERVAL FLOOR(({orders} - n) * {days} * 86400 / {orders}) SECOND"
PRODUCT = """INSERT INTO products_product (id, name, name_key, slug, sku, brand, brand_key, description, price,
    quantity, rating, is_active, tax_class, search_text, low_stock, created_at, updated_at)
    {numbers} SELECT n, CONCAT('Product ', n), CONCAT('product ', LPAD(n, 6, '0')), CONCAT('product-', n),
    CONCAT('SKU-', n), '', '', '', 19.90, n * 31 % 100, 5, n % 10 > 0, 'standard', '', IF(n % 50, NULL, 20),
    UTC_TIMESTAMP(), UTC_TIMESTAMP() FROM numbers"""
ORDER = """INSERT INTO orders_order (id, number, email, name_key, cart_id, status, total, refunded, currency,
    fingerprint, shipping_name, shipping_country, created_at, updated_at)
    {numbers} SELECT n, UPPER(LPAD(CONV(n * 7919 % 1000000007, 10, 36), 8, '0')), '', '', n,
    CASE WHEN n % 30 = 0 THEN 'cancelled' WHEN n > {orders} - 2000 THEN 'paid' ELSE 'fulfilled' END,
    59.70, IF(n % 40 = 1, 19.90, 0), 'EUR', '', '', 'DE', {moment}, {moment} FROM numbers"""
LINE = """INSERT INTO orders_orderline (order_id, product_id, sku, name, unit_price, quantity)
    {numbers} SELECT n, 1 + FLOOR(POW(n * {factor} % 100003 / 100003, 3) * {products}), 'SKU', 'Product', 19.90,
    {pieces} FROM numbers"""
PAYMENT = """INSERT INTO payments_payment (order_id, method, status, `key`, reference, amount, currency, client_secret,
    redirect_url, return_url, note, error, key_owner, fingerprint, created_at, updated_at)
    {numbers} SELECT n, 'stripe', IF(n % 25, 'succeeded', 'failed'), LPAD(n, 32, '0'), CONCAT('pi_', n), 59.70, 'EUR',
    '', '', '', '', '', '', '', {moment}, {moment} FROM numbers"""


def seed(options: argparse.Namespace, database: str) -> None:
    connection = shop.connect(options, database)
    cursor = connection.cursor()
    cursor.execute("SET SESSION cte_max_recursion_depth = 100000, sql_log_bin = 0, foreign_key_checks = 0")

    def fill(table: str, statements: list[str], rows: int) -> None:
        cursor.execute(f"SELECT COUNT(*) FROM {table}")
        for first in range(cursor.fetchone()[0], rows, SLICE):
            last = min(first + SLICE, rows)
            numbers, size = NUMBERS.format(first=first + 1, last=last), {"orders": options.orders, "days": options.days}
            for statement in statements:
                cursor.execute(statement.format(numbers=numbers, moment=MOMENT.format(**size), **size))
            connection.commit()
            print(f"{database}: {last:,} of {rows:,} in {table}", file=sys.stderr)

    lines = [
        LINE.format(numbers="{numbers}", factor=factor, products=PRODUCTS, pieces=pieces)
        for factor, pieces in ((7919, 1), (104729, 2))
    ]
    fill("products_product", [PRODUCT], PRODUCTS)
    fill("orders_order", [ORDER, *lines, PAYMENT], options.orders)
    for table in ("products_product", "orders_order", "orders_orderline", "payments_payment"):
        cursor.execute(f"ANALYZE TABLE {table}")
        cursor.fetchall()
    connection.close()


def seconds(call: Callable[[], Any]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def client(name: str, **fields: bool) -> Any:
    """A browser's session of a member of staff."""
    from django.contrib.auth import get_user_model
    from django.test import Client

    user, _ = get_user_model().objects.get_or_create(
        username=name, defaults={"username_key": name, "email": f"{name}@example.com", "is_staff": True, **fields}
    )
    signed_in = Client(headers={"host": "localhost"})
    signed_in.force_login(user)
    return signed_in


def page(client: Any, path: str = "/admin/") -> None:
    assert client.get(path).status_code == 200


def measure() -> None:
    from django.core.management import call_command

    from backoffice.dashboard import rollups

    call_command("collectstatic", verbosity=0, interactive=False)  # pages name static files by their manifest
    keeper, nobody = client("stella", is_superuser=True), client("nora")
    page(keeper)
    due, days = len(rollups.due_days(rollups.window())), rollups.window()
    print(f"| first fill, or what was due: {due} days | {seconds(rollups.roll_due):.1f} s |")
    print(f"| a run of the job afterwards | {1000 * seconds(rollups.roll_due):.0f} ms |")
    print(f"| `check_sales` | {seconds(lambda: call_command('check_sales')):.1f} s |")
    measure_page("home page", keeper, "/admin/")
    measure_page("home page of who sees nothing (yardstick)", nobody, "/admin/")
    measure_page("list behind today", keeper, f"/admin/orders/order/?sold=yes&day={days.last}")
    measure_page("list behind 30 days", keeper, f"/admin/orders/order/?sold=yes&day={days}")
    measure_page("list of what runs out", keeper, "/admin/products/product/?stock=low")
    show_statements(keeper)


def measure_page(name: str, who: Any, path: str) -> None:
    page(who, path)
    rounds, processor = [], []
    for _ in range(ROUNDS):
        began = time.process_time()
        times = sorted(seconds(lambda: page(who, path)) for _ in range(REQUESTS))
        processor.append(1000 * (time.process_time() - began) / REQUESTS)
        rounds.append(1000 * times[REQUESTS // 2])
    print(f"| {name} | {spread(rounds)} ms, of these {spread(processor)} ms of this process |", flush=True)


def show_statements(keeper: Any) -> None:
    """Print how many statements the home page executes, and the slowest."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        page(keeper)
    statements = captured.captured_queries
    print(f"\n{len(statements)} statements of the home page; the slowest:")
    for row in sorted(statements, key=lambda row: -float(row["time"]))[:5]:
        print(f"{1000 * float(row['time']):.0f} ms: {row['sql'][:300]}")


def main() -> None:
    parser = shop.arguments("The admin's home page at a million orders.")
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=365, help="over which they are spread")
    parser.add_argument("--database", required=True, help="its name")
    options = parser.parse_args()
    with shop.database(options, options.database, TIME_ZONE="Europe/Berlin") as name:
        seed(options, name)
        print(
            f"{shop.versions(options)}; load {os.getloadavg()[0]:.1f}\n\n| what | median of the rounds |\n| --- | --- |"
        )
        measure()


if __name__ == "__main__":
    main()
