"""Time and memory of an import that changes five columns of each product, against plain UPDATEs of the same columns.

    python -m benchmarks.imports --mysql-port PORT --database NAME [--rows NUMBER]

The database is created, and stays. Each part runs in a process of its own. It needs MySQL or MariaDB.
"""

import argparse
import csv
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks import shop

# Five columns that change. With the name, the words by which a product is suggested change too.
WITH_NAME = ("name", "brand", "description", "price", "quantity")
WITHOUT_NAME = ("brand", "price", "quantity", "is_active", "tax_class")
SLICE = 500


def seed(rows: int) -> None:
    """The demo catalogue, with its ledger and suggestions."""
    from products.management.demo import catalogue

    done_so_far = 0
    for size, _ in catalogue.make_products(rows, seed=1, demo_categories=catalogue.make_categories()):
        done_so_far += size
        if done_so_far % 20_000 == 0:
            print(f"{done_so_far:,} of {rows:,} products", file=sys.stderr)


def write_file(path: Path, columns: Sequence[str], suffix: str, rows: int) -> None:
    """A file in which each of the columns differs from the product's."""
    from products.models import Product

    changes: dict[str, Callable[[Any], Any]] = {
        "price": lambda price: f"{price + 1:.2f}".replace(".", ","),
        "quantity": lambda quantity: quantity + 1,
        "is_active": lambda is_active: "false" if is_active else "true",
        "tax_class": lambda tax_class: f"class {suffix}",
    }
    products = Product.objects.order_by("pk").values_list("sku", *columns)[:rows]
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(["sku", *columns])
        for sku, *values in products.iterator(2_000):
            changed = [
                changes[name](value) if name in changes else f"{value.partition(' #')[0]} #{suffix}"
                for name, value in zip(columns, values, strict=True)
            ]
            writer.writerow([sku, *changed])


def measured(name: str, work: Callable[[], Any]) -> Any:
    """Run `work`, and print a row of the table."""
    began, processor = time.perf_counter(), time.process_time()
    result = work()
    spent, processor = time.perf_counter() - began, time.process_time() - processor
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"| {name} | {spent:.1f} | {processor:.1f} | {megabytes:.0f} |", flush=True)
    return result


def import_file(path: Path) -> None:
    from backoffice.imports import planning, progress, starting, uploading
    from backoffice.imports.models import Import

    def upload() -> Import:
        with path.open("rb") as file:
            return uploading.upload(
                file=file,
                size=path.stat().st_size,
                kind="products",
                mode=Import.Mode.ROW_BY_ROW if "row" in path.name else Import.Mode.ALL_OR_NOTHING,
                user_id=None,
                may=planning.PERMISSIONS,
                is_local=True,
            )

    def work() -> Import:
        held = progress.Claim.of(Import.objects.get(pk=row.pk))
        while progress.do_slices(held, seconds=progress.TIME_MAX):
            pass
        return Import.objects.get(pk=row.pk)

    row = measured(f"{path.stem}: upload", upload)
    checked = measured(f"{path.stem}: check", work)
    assert (checked.status, checked.changed) == ("checked", checked.rows), checked.message
    starting.start(import_id=row.pk, user_id=None, may=planning.PERMISSIONS, is_local=True)
    done = measured(f"{path.stem}: run", work)
    assert (done.status, done.changed) == ("done", done.rows), done.message


def update_plainly(path: Path) -> None:
    """The yardstick: the same columns by plain UPDATEs, without the rules, the derived columns and the ledger."""
    from django.db import connection, transaction

    boolean = {"true": 1, "false": 0}

    def update() -> None:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = csv.reader(file, delimiter=";")
            _, *columns = next(lines)
            statement = f"UPDATE products_product SET {', '.join(f'{name}=%s' for name in columns)} WHERE sku=%s"
            while rows := list(islice(lines, SLICE)):
                with transaction.atomic(), connection.cursor() as cursor:
                    cursor.executemany(
                        statement,
                        [[*(boolean.get(cell, cell.replace(",", ".")) for cell in cells), sku] for sku, *cells in rows],
                    )

    measured(path.stem, update)


PARTS: dict[str, Callable[[Path], None]] = {"import": import_file, "plain": update_plainly}


def main() -> None:
    parser = shop.arguments("Time and memory of imports.")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--database", required=True, help="its name")
    options: argparse.Namespace = parser.parse_args()
    with shop.database(options, options.database), tempfile.TemporaryDirectory() as folder:
        seed(options.rows)
        print(shop.versions(options))
        print("\n| part | s | processor, s | MB at most |\n| --- | --- | --- | --- |", flush=True)
        for part, name, columns in (
            ("plain", "plain UPDATEs, with the name", WITH_NAME),
            ("import", "row by row, with the name", WITH_NAME),
            ("import", "all or nothing, with the name", WITH_NAME),
            ("plain", "plain UPDATEs, without the name", WITHOUT_NAME),
            ("import", "row by row, without the name", WITHOUT_NAME),
        ):
            path = Path(folder) / f"{name}.csv"
            write_file(path, columns, f"{time.time_ns() % 100_000}", options.rows)
            subprocess.run([sys.executable, "-m", "benchmarks.imports", "--measure", part, str(path)], check=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        import django

        django.setup()
        PARTS[sys.argv[2]](Path(sys.argv[3]))
    else:
        main()
