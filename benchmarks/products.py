"""Any number of products, copied in SQL from the first thousand of the demo, and a tree of a hundred categories."""

import argparse
import sys
import time
from typing import Any

from benchmarks import shop

BASE = 1_000
COPIES = 20  # of the base in one statement: an interruption loses at most these
NUMBERS = "WITH RECURSIVE numbers AS (SELECT {first} AS n UNION ALL SELECT n + 1 FROM numbers WHERE n < {last})"
# Adds a word for each copy, a word in a single product per copy, and keeps the base's words in all copies.
COPY = """INSERT INTO products_product (name, name_key, slug, sku, brand, brand_key, description, category_id, price,
    quantity, rating, is_active, search_text, created_at, updated_at) {numbers}
    SELECT CONCAT(name, ' ', n), CONCAT(name_key, ' ', n), CONCAT(slug, '-', n), CONCAT(sku, '-', n), brand,
    brand_key, description, category_id, price + (n * 37 % 5000) / 100, (quantity + n * 7) % 500,
    1 + (n + id) % 40 / 10, n % 50 > 0, CONCAT(search_text, 'qqcopy', LPAD(n, 4, '0'), ' ',
    IF(id = 1, CONCAT('qqsingle', LPAD(n, 4, '0'), ' '), '')),
    created_at + INTERVAL n * 1013 SECOND, updated_at FROM products_product JOIN numbers WHERE id <= {base}"""
PICTURE = """INSERT INTO products_productimage (product_id, original, sha256, format, alt_text, position, status,
    error_code, error_detail, width, height, renditions, attempts, created_at)
    SELECT id, CONCAT('products/', id, '.jpg'), id, 'JPEG', name, 0, 'ready', '', '', 800, 600,
    JSON_OBJECT('full', JSON_OBJECT('file', CONCAT('products/', id, '-full.jpg'), 'width', 500, 'height', 375),
    'thumb', JSON_OBJECT('file', CONCAT('products/', id, '-thumb.jpg'), 'width', 100, 'height', 75)), 1, NOW(6)
    FROM products_product WHERE id > {last} ORDER BY id LIMIT {rows}"""
REMAINING_INDEXES = "product_category_name", "product_family_price"  # foreign keys need them
SEARCH_INDEX = "product_search"


def make_base() -> None:
    """Create the demo's first thousand products, every second one in a tree of a hundred categories."""
    from products import categories
    from products.management.demo import catalogue
    from products.models import Product

    if Product.objects.count() >= BASE:
        return
    for _ in catalogue.make_products(BASE, seed=1, demo_categories=catalogue.make_categories()):
        pass
    root = categories.create(name="Hundred")
    leaves = [categories.create(name=f"Leaf {number}", parent=root) for number in range(9)]
    for group in range(9):
        ten = categories.create(name=f"Ten {group}", parent=root)
        leaves += [categories.create(name=f"Leaf {group}-{number}", parent=ten) for number in range(9)]
    for number, leaf in enumerate(leaves):
        Product.objects.filter(pk__in=range(2 * number + 2, BASE + 1, 2 * len(leaves))).update(category=leaf)


def copy_base(options: argparse.Namespace, source: str, database: str) -> None:
    """Copy the base of one database to another, unless that has one."""
    connection = shop.connect(options, database)
    cursor = connection.cursor()
    cursor.execute("SELECT COUNT(*) FROM products_category")
    if not cursor.fetchone()[0]:
        cursor.execute("SET foreign_key_checks = 0")
        for table, where in (("products_category", ""), ("products_product", f"WHERE id <= {BASE}")):
            columns = "id, " + ", ".join(_columns(cursor, source, table))
            cursor.execute(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {source}.{table} {where}")
        connection.commit()
    connection.close()


def _columns(cursor: Any, database: str, table: str) -> list[str]:
    cursor.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = %s AND table_name = %s "
        "AND column_name <> 'id' ORDER BY ordinal_position",
        [database, table],
    )
    return [name for (name,) in cursor.fetchall()]


def grow(options: argparse.Namespace, database: str, total: int) -> None:
    """Add products up to `total`, a multiple of a thousand, each with a picture, and update the statistics.

    Continues an interrupted call. Indexes are created after all rows: that is ten times as fast.
    """
    connection = shop.connect(options, database)
    cursor = connection.cursor()
    cursor.execute("SET SESSION foreign_key_checks = 0, unique_checks = 0, sql_log_bin = 0")
    cursor.execute("SELECT COUNT(*) FROM products_product")
    copies, wanted = cursor.fetchone()[0] // BASE, total // BASE
    if copies < wanted:
        _drop_indexes(cursor)
    for first in range(copies, wanted, COPIES):
        numbers = NUMBERS.format(first=first, last=min(first + COPIES, wanted) - 1)
        cursor.execute(COPY.format(numbers=numbers, base=BASE))
        connection.commit()
        _progress(f"{database}: {min(first + COPIES, wanted) * BASE:,} of {total:,} products")
    while True:
        cursor.execute("SELECT COALESCE(MAX(product_id), 0) FROM products_productimage")
        if not cursor.execute(PICTURE.format(last=cursor.fetchone()[0], rows=COPIES * BASE)):
            break
        connection.commit()
    _progress(f"{database}: pictures are written")
    _add_indexes(cursor)
    cursor.execute("ANALYZE TABLE products_product, products_productimage, products_category")
    cursor.fetchall()
    connection.close()


def _indexes() -> dict[str, str]:
    from products.models import Product

    column = {field.name: field.column for field in Product._meta.concrete_fields}
    found = {index.name: ", ".join(column[name] for name in index.fields) for index in Product._meta.indexes}
    return {name: columns for name, columns in found.items() if name not in REMAINING_INDEXES}


def _existing_indexes(cursor: Any) -> set[str]:
    cursor.execute("SHOW INDEX FROM products_product")
    return {row[2] for row in cursor.fetchall()}


def _drop_indexes(cursor: Any) -> None:
    names = {*_indexes(), SEARCH_INDEX} & _existing_indexes(cursor)
    if names:
        cursor.execute("ALTER TABLE products_product " + ", ".join(f"DROP INDEX {name}" for name in sorted(names)))


def _add_indexes(cursor: Any) -> None:
    existing = _existing_indexes(cursor)
    for name, columns in _indexes().items():
        if name not in existing:
            cursor.execute(f"ALTER TABLE products_product ADD INDEX {name} ({columns})")
            _progress(f"{name} is created")
    if SEARCH_INDEX not in existing:
        cursor.execute(f"CREATE FULLTEXT INDEX {SEARCH_INDEX} ON products_product (search_text)")
        _progress(f"{SEARCH_INDEX} is created")


def _progress(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)
