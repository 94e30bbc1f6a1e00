"""Every list and form of the admin, at 100,000 products and a million orders. Needs MySQL or MariaDB.

    python -m benchmarks.admin_pages --mysql-port PORT --database NAME [--products NUMBER] [--orders NUMBER]

Of each list: as it opens, searched, by each of its filters, ordered by each of its columns; of each model the form of a
row from the middle, and the form of a new one. The database is created and stays; seeding that was interrupted is
continued. The yardstick is the admin's index for a member of staff who may see nothing. The processor time is that of
this process and of the server's thread, which must run on this machine: with other work it says more than the time.
"""

import argparse
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import dashboard, history, imports, order_filters, shop

TIMES = 5
AIM = 300  # ms
SEARCHES = {"orders.order": "customer7@example.com", "products.product": "parka", "accounts.user": "customer77"}
CHOICES_MAX = 12  # of a filter that are measured
# Of each order a line, a payment, its movement, the provider's event, a movement of stock and a mail.
FURTHER = {
    "orders_orderline": """INSERT INTO orders_orderline (order_id, product_id, sku, name, unit_price, quantity)
        SELECT id, (SELECT MIN(id) FROM products_product) + id * 7919 % {products}, 'SKU', 'Product', 19.90, 1
        FROM orders_order WHERE id BETWEEN {first} AND {last}""",
    "payments_payment": """INSERT INTO payments_payment (order_id, method, status, `key`, reference, amount, currency,
        client_secret, redirect_url, return_url, note, error, key_owner, fingerprint, created_at, updated_at)
        SELECT id, 'stripe', IF(id % 25, 'succeeded', 'failed'), LPAD(id, 32, '0'), CONCAT('pi_', id), total, 'EUR',
        '', '', '', '', '', '', '', created_at, updated_at FROM orders_order WHERE id BETWEEN {first} AND {last}""",
    "payments_moneymovement": """INSERT INTO payments_moneymovement (payment_id, order_id, kind, amount, currency,
        provider, reference, occurred_at, created_at) SELECT id, order_id, 'capture', amount, 'EUR', 'stripe',
        CONCAT('ch_', id), created_at, created_at FROM payments_payment WHERE order_id BETWEEN {first} AND {last}""",
    "payments_providerevent": """INSERT INTO payments_providerevent (provider, event_id, kind, reference, processed_at,
        attempts, created_at) SELECT 'stripe', CONCAT('evt_', id), 'payment_intent.succeeded', CONCAT('pi_', id),
        created_at, 1, created_at FROM orders_order WHERE id BETWEEN {first} AND {last}""",
    "products_stockmovement": """INSERT INTO products_stockmovement (product_id, sku, delta, reason, order_number,
        created_at) SELECT product_id, CONCAT('SKU-', product_id), -1, 'sale', number, created_at FROM orders_order
        JOIN orders_orderline ON order_id = orders_order.id WHERE order_id BETWEEN {first} AND {last}""",
    "outbox_mail": """INSERT INTO outbox_mail (kind, user_id, recipient, reference, status, attempts, due_at, sent_at,
        last_error, created_at) SELECT 'order-placed', user_id, email, number, 'sent', 1, created_at, created_at, '',
        created_at FROM orders_order WHERE id BETWEEN {first} AND {last}""",
}


def seed(options: argparse.Namespace, database: str) -> None:
    from products.models import Product

    if not Product.objects.exists():
        imports.seed(options.products)
    order_filters.seed(options, database, options.orders)
    connection = shop.connect(options, database)
    cursor = connection.cursor()
    cursor.execute("SET SESSION sql_log_bin = 0, foreign_key_checks = 0")
    cursor.execute("SELECT (SELECT COALESCE(MAX(order_id), 0) FROM orders_orderline), MAX(id) FROM orders_order")
    done, highest = cursor.fetchone()
    for first in range(done + 1, highest + 1, order_filters.SLICE):
        last = first + order_filters.SLICE - 1
        for statement in FURTHER.values():
            cursor.execute(statement.format(first=first, last=last, products=options.products))
        connection.commit()
    cursor.execute(f"ANALYZE TABLE {', '.join(FURTHER)}")
    cursor.fetchall()
    connection.close()


def pages(client: Any) -> Iterator[str]:
    """The paths of the lists and forms."""
    from django.contrib import admin

    for model, model_admin in admin.site._registry.items():
        path = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        answer = client.get(path)
        if answer.status_code != 200 or not hasattr(answer, "context_data"):
            continue
        yield path
        found = answer.context_data["cl"]
        for spec in found.filter_specs:
            choices = [f"{path}{choice['query_string']}" for choice in spec.choices(found)]
            yield from choices[1 : 1 + CHOICES_MAX]
        columns = enumerate(found.list_display)
        yield from (f"{path}?o={sign}{n}" for n, name in columns if name in found.sortable_by for sign in ("", "-"))
        if found.search_fields:
            yield f"{path}?q={SEARCHES.get(model._meta.label_lower, 'lamp')}"
        if model_admin.has_add_permission(answer.wsgi_request):
            yield f"{path}add/"
        rows = model._default_manager.order_by("pk")
        if (count := rows.count()) > 0:
            yield f"{path}{rows.values_list('pk', flat=True)[count // 2]}/change/"


def server_thread() -> Path:
    """The file with the processor time of the server's thread of this connection, in nanoseconds."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT thread_os_id FROM performance_schema.threads WHERE processlist_id = CONNECTION_ID()")
        return next(Path("/proc").glob(f"[0-9]*/task/{cursor.fetchone()[0]}/schedstat"))


def measure(client: Any, path: str, thread: Path) -> tuple[float, float, float, int] | None:
    """Median and slowest of a page's times in ms, the processor's, and the number of statements."""
    from django.db import connection

    statements: list[str] = []

    def count(execute: Any, sql: str, *arguments: Any) -> Any:
        statements.append(sql)
        return execute(sql, *arguments)

    with connection.execute_wrapper(count):
        answer = client.get(path)
    if answer.status_code != 200:
        print(f"| `{path}` | answers {answer.status_code} | | | |", flush=True)
        return None
    spent, processor = [], []
    for _ in range(TIMES):
        began, busy = time.perf_counter(), processor_time(thread)
        client.get(path)
        spent.append((time.perf_counter() - began) * 1000)
        processor.append((processor_time(thread) - busy) * 1000)
    return median(spent), max(spent), median(processor), len(statements)


def processor_time(thread: Path) -> float:
    return time.process_time() + int(thread.read_text().split()[0]) / 1e9


def main() -> None:
    parser = shop.arguments("Every list and form of the admin.")
    parser.add_argument("--products", type=int, default=100_000)
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--database", required=True, help="its name")
    parser.add_argument("--all", action="store_true", help="print every page, not only those above a third of the aim")
    options = parser.parse_args()
    with shop.database(options, options.database) as name:
        history.collect_static()
        seed(options, name)
        logging.disable(logging.INFO)  # a line for each request
        keeper, nobody = dashboard.client("stella", is_superuser=True), dashboard.client("nora")
        thread = server_thread()
        print(f"{shop.versions(options)}\n")
        print("| page | median, ms | slowest, ms | processor, ms | statements |\n| --- | --- | --- | --- | --- |")
        times, busy = [], []
        for who, path in [(nobody, "/admin/"), *((keeper, path) for path in dict.fromkeys(pages(keeper)))]:
            if (found := measure(who, path, thread)) is None:
                continue
            times.append(found[0])
            busy.append(found[2])
            if options.all or who is nobody or found[0] > AIM / 3:
                print(f"| `{path}` | {found[0]:.0f} | {found[1]:.0f} | {found[2]:.0f} | {found[3]} |", flush=True)
        slow = sum(each > AIM for each in times)
        print(f"\n{len(times)} pages: median {median(times):.0f} ms, slowest {max(times):.0f}; {slow} above {AIM} ms")
        print(f"Of the processor: median {median(busy):.0f} ms, most {max(busy):.0f}. {shop.load()}.")


if __name__ == "__main__":
    main()
