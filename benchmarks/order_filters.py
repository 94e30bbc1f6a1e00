"""Database time of the filters of orders, at a million of them. Needs MySQL or MariaDB.

    python -m benchmarks.order_filters --mysql-port PORT --database NAME [--orders NUMBER]

The database is created and kept; seeding that was interrupted is continued.
"""

import argparse
import sys
import time
from typing import Any

from benchmarks import shop
from benchmarks.figures import spread

CUSTOMERS = 1_000
SLICE = 50_000
SEED = """INSERT INTO orders_order (number, user_id, email, name_key, cart_id, status, total, currency, fingerprint,
    shipping_name, shipping_country, created_at, updated_at)
    WITH RECURSIVE numbers AS (SELECT {first} AS n UNION ALL SELECT n + 1 FROM numbers WHERE n < {last})
    SELECT UPPER(LPAD(CONV(n * 7919 % 1000000007, 10, 36), 8, '0')),
    (SELECT MIN(id) FROM accounts_user) + n % {customers},
    CONCAT('customer', n % {customers}, '@example.com'), CONCAT('name ', LPAD(n * 31 % 100003, 6, '0')), n,
    ELT(1 + (n % 50 = 0) + 2 * (n % 50 = 1), 'fulfilled', 'paid', 'cancelled'), n % 500, 'EUR', '', 'Name', 'DE',
    '2020-01-01' + INTERVAL n MINUTE, '2020-01-01' + INTERVAL n + n % 1000 MINUTE FROM numbers"""
FILTERS = [
    "",
    "status=paid",
    "status=paid&status=cancelled",
    "created_after=2020-01-05T00:00:00Z&created_before=2020-01-06T00:00:00Z",
    "updated_after=2020-01-05T00:00:00Z&ordering=updated_at",
    "status=cancelled&created_after=2020-01-03T00:00:00Z",
    "email=customer7@example.com",
    "customer={customer}",
    "search=000",
    "search=customer7",
    "search=name 0001",
    "ordering=-total",
]


def seed(options: argparse.Namespace, database: str, orders: int) -> None:
    from accounts.models import User

    missing = CUSTOMERS - User.objects.count()
    User.objects.bulk_create(
        [User(username=f"u{n}", username_key=f"u{n}", email=f"customer{n}@example.com") for n in range(max(missing, 0))]
    )
    connection = shop.connect(options, database)
    cursor = connection.cursor()
    cursor.execute("SET SESSION cte_max_recursion_depth = 100000, sql_log_bin = 0")
    cursor.execute("SELECT COUNT(*) FROM orders_order")
    for first in range(cursor.fetchone()[0], orders, SLICE):
        last = min(first + SLICE, orders)
        cursor.execute(SEED.format(first=first + 1, last=last, customers=CUSTOMERS))
        connection.commit()
        print(f"{database}: {last:,} of {orders:,} orders", file=sys.stderr)
    cursor.execute("ANALYZE TABLE orders_order")
    cursor.fetchall()
    connection.close()


def measure(times: int) -> dict[str, list[float]]:
    """The milliseconds that the database took for each filter, `times` times."""
    from django.db import connection
    from rest_framework.test import APIClient

    from accounts.models import User

    staff, _ = User.objects.get_or_create(username="stella", defaults={"is_staff": True, "is_superuser": True})
    customer = User.objects.exclude(pk=staff.pk).order_by("pk")[7].pk
    client = APIClient(headers={"Host": "localhost"})
    client.force_authenticate(staff)
    taken = 0.0

    def timed(execute: Any, *arguments: Any) -> Any:
        nonlocal taken
        began = time.perf_counter()
        try:
            return execute(*arguments)
        finally:
            taken += (time.perf_counter() - began) * 1000

    found: dict[str, list[float]] = {query: [] for query in FILTERS}
    for _ in range(times):
        for query, spent in found.items():
            taken = 0.0
            with connection.execute_wrapper(timed):
                response = client.get(f"/orders/?{query.format(customer=customer)}")
            assert response.status_code == 200, response.content
            assert response.json()["results"], query
            spent.append(taken)
    return found


def main() -> None:
    parser = shop.arguments("Database time of the filters of orders.")
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--database", required=True, help="its name")
    parser.add_argument("--times", type=int, default=15)
    options = parser.parse_args()
    with shop.database(options, options.database) as name:
        seed(options, name, options.orders)
        print(shop.versions(options))
        print("\n| filter | ms of the database |\n| --- | --- |")
        for query, spent in measure(options.times).items():
            print(f"| `{query or 'none'}` | {spread(spent, 1)} |")


if __name__ == "__main__":
    main()
