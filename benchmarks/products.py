"""Products in any number, multiplied in SQL from the first thousand of the demo."""

import argparse

from benchmarks import shop
from products.demo import catalogue
from products.models import Product

BASE = 1_000
COPY = """INSERT INTO products_product (name, name_key, slug, sku, brand, brand_key, description, category_id, price,
    quantity, rating, is_active, search_text, created_at, updated_at)
    SELECT CONCAT(name, ' ', {n}), CONCAT(name_key, ' ', {n}), CONCAT(slug, '-', {n}), CONCAT(sku, '-', {n}), brand,
    brand_key, description, category_id, price + ({n} * 37 %% 5000) / 100, (quantity + {n} * 7) %% 500,
    1 + ({n} + id) %% 40 / 10, {n} %% 50 > 0, CONCAT(search_text, 'qqcopy{n} '),
    created_at + INTERVAL {n} * 1013 SECOND, updated_at FROM products_product WHERE id <= {base}"""
PICTURE = """INSERT INTO products_productimage (product_id, original, sha256, format, alt_text, position, status,
    error_code, error_detail, width, height, renditions, attempts, created_at)
    SELECT id, CONCAT('products/', id, '.jpg'), id, 'JPEG', name, 0, 'ready', '', '', 800, 600,
    JSON_OBJECT('full', JSON_OBJECT('file', CONCAT('products/', id, '-full.jpg'), 'width', 500, 'height', 375),
    'thumb', JSON_OBJECT('file', CONCAT('products/', id, '-thumb.jpg'), 'width', 100, 'height', 75)), 1, NOW(6)
    FROM products_product WHERE id > %s"""


def grow(options: argparse.Namespace, database: str, total: int) -> None:
    """Have `total` products, a thousand or a multiple of it, each with a picture, and fresh statistics."""
    there = Product.objects.count()
    if not there:
        for _ in catalogue.make_products(BASE, seed=1, sorts=catalogue.make_categories()):
            there = BASE
    connection = shop.connect(options, database)
    cursor = connection.cursor()
    cursor.execute("SELECT COALESCE(MAX(product_id), 0) FROM products_productimage")
    [last] = cursor.fetchone()
    for number in range(there // BASE, total // BASE):
        cursor.execute(COPY.format(n=number, base=BASE).replace("%%", "%"))
        connection.commit()
    cursor.execute(PICTURE, [last])
    connection.commit()
    cursor.execute("ANALYZE TABLE products_product, products_productimage")
    cursor.fetchall()
    connection.close()
