"""The pages of the history at a million changes, as a member of staff opens them. Needs MySQL or MariaDB.

    python -m benchmarks.history --mysql-port PORT --database NAME [--rows NUMBER]

The database is created and stays; seeding that was interrupted is continued.
"""

import argparse
import sys
import time
from statistics import median
from typing import Any

from benchmarks import shop

SLICE = 50_000
STAFF = 10
# Nine of ten changes are of products; each tenth of a rate, and of those each hundredth of a role.
SEED = """INSERT INTO backoffice_change (created_at, kind, object_id, object_name, action, fields, user_id, way, source)
    WITH RECURSIVE numbers AS (SELECT {first} AS n UNION ALL SELECT n + 1 FROM numbers WHERE n < {last})
    SELECT '2020-01-01' + INTERVAL n MINUTE,
    IF(n % 10, 'products.product', IF(n % 1000, 'taxes.taxrate', 'accounts.user')), 1 + n % 1000,
    CONCAT('Product ', n % 1000), 'changed', JSON_OBJECT('price', JSON_ARRAY('19.90', '17.50'), 'category',
    JSON_ARRAY('1', '2')), {staff} + n % {people}, IF(n % 3, 'admin', 'api'), LPAD(n, 32, '0') FROM numbers"""
TIMES = 9


def seed(options: argparse.Namespace, database: str, first_of_staff: int) -> None:
    connection = shop.connect(options, database)
    cursor = connection.cursor()
    cursor.execute("SET SESSION cte_max_recursion_depth = 100000, sql_log_bin = 0")
    cursor.execute("SELECT COUNT(*) FROM backoffice_change WHERE source <> 'celery'")
    for first in range(cursor.fetchone()[0], options.rows, SLICE):
        last = min(first + SLICE, options.rows)
        cursor.execute(SEED.format(first=first + 1, last=last, staff=first_of_staff, people=STAFF))
        connection.commit()
        print(f"{last:,} of {options.rows:,} changes", file=sys.stderr)
    cursor.execute("ANALYZE TABLE backoffice_change")
    cursor.fetchall()
    cursor.execute(
        "SELECT SUM(data_length + index_length) / 1e6 FROM information_schema.tables "
        "WHERE table_schema = DATABASE() AND table_name = 'backoffice_change'"
    )
    print(f"{cursor.fetchone()[0]:.0f} MB with the indexes", file=sys.stderr)
    connection.close()


def people() -> tuple[Any, Any, int]:
    """A superuser, a catalogue manager, and the first id of ten members of staff."""
    from django.contrib.auth.models import Group

    from accounts.models import User
    from productbackend.database.changes import unrecorded
    from products.models import Category, Product

    with unrecorded():
        boss, _ = User.objects.get_or_create(username="stella", defaults={"is_staff": True, "is_superuser": True})
        manager, _ = User.objects.get_or_create(username="mia", defaults={"is_staff": True})
        manager.groups.add(Group.objects.get(name="Catalogue managers"))
        staff = [User.objects.get_or_create(username=f"s{n}", defaults={"is_staff": True})[0] for n in range(STAFF)]
        for pk, name in ((1, "Shoes"), (2, "Boots")):
            Category.objects.get_or_create(pk=pk, defaults={"name": name})
        Product.objects.get_or_create(pk=7, defaults={"name": "Red shoe", "quantity": 1})
    return boss, manager, staff[0].pk


def collect_static() -> None:
    """The files that pages name, as a release has them."""
    from django.core.management import call_command

    call_command("collectstatic", interactive=False, verbosity=0)


def measure(user: Any, path: str) -> tuple[list[float], float]:
    """The milliseconds of a page, several times; and the median of this process's processor time for it."""
    from django.test import Client

    client, spent, processor = Client(headers={"Host": "localhost"}), [], []
    client.force_login(user)
    for _ in range(TIMES + 1):
        began, busy = time.perf_counter(), time.process_time()
        answer = client.get(path)
        assert answer.status_code == 200, answer
        spent.append((time.perf_counter() - began) * 1000)
        processor.append((time.process_time() - busy) * 1000)
    return spent[1:], median(processor[1:])


def main() -> None:
    parser = shop.arguments("The pages of the history.")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--database", required=True, help="its name")
    options = parser.parse_args()
    with shop.database(options, options.database) as name:
        collect_static()
        boss, manager, staff = people()
        seed(options, name, staff)
        print(shop.versions(options))
        print("\n| page | who | median, ms | slowest, ms | processor, ms |\n| --- | --- | --- | --- | --- |")
        changes = "/admin/backoffice/change/"
        for user, path in (
            (boss, changes),
            (manager, changes),
            (boss, f"{changes}?kind=taxes.taxrate"),
            (boss, f"{changes}?kind=accounts.user"),
            (boss, f"{changes}?person={staff}"),
            (manager, f"{changes}?person={staff}&kind=taxes.taxrate"),
            (boss, f"{changes}?kind=accounts.user&person={staff + 1}"),
            (boss, f"{changes}?created_at__gte=2021-01-01&created_at__lt=2021-01-02"),
            (boss, f"{changes}?p=100"),
            (boss, f"{changes}?kind=products.product&object_id=7"),
            (manager, "/admin/products/product/7/history/"),
        ):
            spent, processor = measure(user, path)
            times = f"{median(spent):.0f} | {max(spent):.0f} | {processor:.0f}"
            print(f"| `{path}` | {user.username} | {times} |", flush=True)


if __name__ == "__main__":
    main()
