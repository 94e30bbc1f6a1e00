"""Lists with one product of each family: with a million products and with few. Needs MySQL or MariaDB.

    python -m benchmarks.families --mysql-port PORT --database-small NAME --database-large NAME

A fifth of the products are in families of 2 to 12. The page with all products, at the larger size, is the yardstick.
The figures are processor time, of the service in one process and of the server's thread, which must run on this
machine. Both databases stay, and can be those of benchmarks.catalogue.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import products, shop
from benchmarks.admin_pages import processor_time, server_thread
from benchmarks.catalogue import large_database
from benchmarks.catalogue_latency import category, last_page
from benchmarks.figures import spread

# Products that follow each other by name are a family, as the sizes of a shirt are: in each 35 products there is one of
# 2 to 12. One in fifty has another colour too, which is rare, and so have the others of the first 200, in any shop.
MEMBERS = """CREATE TEMPORARY TABLE members (id BIGINT PRIMARY KEY, family BIGINT, position INT, is_lead INT,
    size VARCHAR(9), colour VARCHAR(9)) AS
    SELECT id, family, position, ROW_NUMBER() OVER (PARTITION BY family
    ORDER BY is_active AND quantity > 0 DESC, is_active DESC, position) = 1 AS is_lead,
    ELT(1 + position % 4, 'S', 'M', 'L', 'XL') AS size,
    ELT(1 + position DIV 4, IF(family % 50, IF(family < 200, 'Silver', 'Red'), 'Gold'), 'Green', 'Blue') AS colour
    FROM (SELECT id, quantity, is_active, (place - 1) DIV 35 AS family, (place - 1) % 35 AS position
    FROM (SELECT id, quantity, is_active, ROW_NUMBER() OVER (ORDER BY name_key, id) AS place
    FROM products_product) AS placed) AS numbered WHERE position < 2 + family % 11"""
FAMILY = """INSERT INTO products_family (id, name, name_key, slug, description, brand, axes, created_at, updated_at,
    category_id) SELECT family + 1, name, name_key, slug, '', brand, JSON_ARRAY('Size', 'Colour'), created_at,
    updated_at, category_id FROM members JOIN products_product USING (id) WHERE position = 0"""
OPTION = """INSERT INTO products_option (product_id, axis_key, value_key)
    SELECT id, axis, LOWER(IF(axis = 'size', size, colour)) FROM members
    JOIN (SELECT 'size' AS axis UNION ALL SELECT 'colour') AS axes"""
JOIN = """UPDATE products_product JOIN members USING (id) SET family_id = family + 1, family_position = position,
    products_product.is_lead = members.is_lead, options_key = LPAD(id, 32, '0'),
    options = CONCAT('{"Size": "', size, '", "Colour": "', colour, '"}')"""
ONE = "one_per_family=true"
PRICES = "min_price=50&max_price=200"


def make_families(options: argparse.Namespace, database: str) -> None:
    """Make families of the products, unless there are some."""
    connection = shop.connect(options, database)
    cursor = connection.cursor()
    cursor.execute("SET SESSION foreign_key_checks = 0, sql_log_bin = 0")
    cursor.execute("SELECT COUNT(*) FROM products_option")
    if not cursor.fetchone()[0]:
        for statement in (MEMBERS, FAMILY, JOIN, OPTION):
            cursor.execute(statement)
        connection.commit()
        cursor.execute("ANALYZE TABLE products_product, products_family, products_option")
        cursor.fetchall()
    connection.close()


class Service:
    """The service in this process, without its page cache."""

    def __init__(self) -> None:
        import django

        django.setup()
        from rest_framework.test import APIClient

        self.client = APIClient(headers={"Host": "localhost"})

    def get(self, path: str) -> bytes:
        response = self.client.get(path)
        assert response.status_code == 200, (path, response.content[:500])
        return bytes(response.content)


def paths(web: Service) -> dict[str, str]:
    """The pages, with the ids and cursors of this service, each with one product of each family."""
    leaf, ten, hundred = (category(web, name) for name in ("Leaf 0", "Ten 0", "Hundred"))
    found = {
        "by name": "/products/?",
        "by name, the last page": last_page(web, "", "name", f"&{ONE}"),
        "a category": f"/products/?category={leaf}",
        "a subtree of 10 categories": f"/products/?category={ten}",
        "a subtree of 100 categories, ordering=-price": f"/products/?category={hundred}&ordering=-price",
        "a category and a price range": f"/products/?category={leaf}&min_price=20&ordering=price",
        "a price range": f"/products/?{PRICES}",
        "in stock, well rated": "/products/?in_stock=true&min_rating=4",
        "search, a common word": "/products/?search=wool",
        "search, a common word, ordering=price": "/products/?search=wool&ordering=price",
        "search, a common word, an option": "/products/?search=wool&option=Size:M",
        "search, a word of each thousandth product": "/products/?search=single0000",
        "search, a word of 1,000 products": "/products/?search=copy0001",
        "search, a word of 1,000 products, ordering=price": "/products/?search=copy0001&ordering=price",
        "search, a word of 1,000 products, an option": "/products/?search=copy0001&option=Size:M",
        "name_contains": "/products/?name_contains=shoe",
    }
    found |= paths_of_options(leaf) | paths_of_facets(leaf)
    for field in ("price", "rating", "quantity", "created_at"):
        for sign in ("", "-"):
            found[f"ordering={sign}{field}"] = f"/products/?ordering={sign}{field}"
    return {name: path if ONE in path else f"{path}&{ONE}".replace("?&", "?") for name, path in found.items()}


def paths_of_options(leaf: int) -> dict[str, str]:
    return {
        "an option": "/products/?option=Size:M",
        "an option, ordering=-price": "/products/?option=Size:M&ordering=-price",
        "two options": "/products/?option=Size:M&option=Colour:Green",
        "a rare option": "/products/?option=Colour:Gold",
        "a rare option, ordering=price": "/products/?option=Colour:Gold&ordering=price",
        "an option of 196 families": "/products/?option=Colour:Silver",
        "an option of 196 families, a price range": f"/products/?option=Colour:Silver&{PRICES}&ordering=price",
        "an option of 196 families, in a category": f"/products/?option=Colour:Silver&category={leaf}",
        "an option in a category": f"/products/?option=Size:M&category={leaf}",
        "an option, a price range, by price": f"/products/?option=Size:M&{PRICES}&ordering=price",
        "an option, a price range, by time": f"/products/?option=Size:M&{PRICES}&ordering=-created_at",
        "an option, a small price range, by price": "/products/?option=Size:M&max_price=60&min_price=50&ordering=price",
        "an option, from a price on, by price": "/products/?option=Size:M&min_price=120&ordering=price",
    }


def paths_of_facets(leaf: int) -> dict[str, str]:
    return {
        "facets": "/products/facets/?",
        "facets of a category": f"/products/facets/?category={leaf}",
        "facets of an option": "/products/facets/?option=Size:M",
        "facets of an option of 196 families": "/products/facets/?option=Colour:Silver",
        "facets of a price range and an option": f"/products/facets/?{PRICES}&option=Size:M",
        "facets of an option in a category": f"/products/facets/?option=Size:M&category={leaf}",
        "facets of a search": "/products/facets/?search=wool",
        "facets of a search, a word of 1,000 products": "/products/facets/?search=copy0001",
    }


def measure(only: str, times: int) -> None:
    """Print the matches of each page, its processor's ms `times` times, and those with all products; as JSON."""
    service = Service()
    thread = server_thread()
    for name, path in paths(service).items():
        if only in name:
            figures = [spent(service, thread, each, times) for each in (path, path.replace(ONE, ""))]
            print(json.dumps([name, matches(service, path), *figures]))


def matches(service: Service, path: str) -> str:
    """How many the page counts, with a + if there are more."""
    try:
        page = json.loads(service.get(path))
    except AssertionError:
        return ""
    return f"{page['count']:,}{'' if page.get('exact', page.get('count_is_exact')) else '+'}"


def spent(service: Service, thread: Path, path: str, times: int) -> list[float]:
    """What one page took, or nothing if it was refused, since it takes too long."""
    found = []
    for _ in range(times + 1):
        began = processor_time(thread)
        try:
            service.get(path)
        except AssertionError:
            return []
        found.append((processor_time(thread) - began) * 1000)
    return found[1:]


def measured(options: argparse.Namespace, database: str) -> dict[str, list[Any]]:
    command = [sys.executable, "-m", "benchmarks.families", "--measure", options.only, str(options.times)]
    settings = {"MYSQL_DATABASE": database, "DJANGO_SETTINGS_MODULE": "benchmarks.yardstick_settings"}
    environment = os.environ | settings | {"CATALOGUE_CACHE": "off"}
    printed = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout
    rows = [json.loads(line) for line in printed.splitlines() if line.startswith("[")]
    return {name: figures for name, *figures in rows}


def show(options: argparse.Namespace, small: str, large: str) -> None:
    """Each page at both sizes, by turns, and at the larger one with all products."""
    sizes = f"matches at {options.small:,} | at {options.large:,} | ms at {options.small:,} | ms at {options.large:,}"
    print(f"\n| page | {sizes} | times | all products, ms | of these |\n|{' --- |' * 8}")
    rounds = [(measured(options, small), measured(options, large)) for _ in range(options.rounds)]
    for name in rounds[0][0]:
        counts = f"{name} | {rounds[0][0][name][0]} | {rounds[0][1][name][0]}"
        less, more, everything = (
            [median(found[size][name][kind]) for found in rounds if found[size][name][kind]]
            for size, kind in ((0, 1), (1, 1), (1, 2))
        )
        if not (less and more and everything):
            both = (spread(each, 1) if each else "refused" for each in (less, more))
            print(f"| {counts} | {' | '.join(both)} |")
            continue
        figures = f"{spread(less, 1)} | {spread(more, 1)} | {median(more) / median(less):.2f} | {spread(everything, 1)}"
        print(f"| {counts} | {figures} | {median(more) / median(everything):.2f} |", flush=True)


def main() -> None:
    parser = shop.arguments("Lists with one product of each family.")
    parser.add_argument("--large", type=int, default=1_000_000)
    parser.add_argument("--small", type=int, default=10_000)
    parser.add_argument("--database-large", required=True, help="its name")
    parser.add_argument("--database-small", required=True, help="its name")
    parser.add_argument("--only", default="", help="measure the pages with this text in their names")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--times", type=int, default=5, help="requests in each round")
    options = parser.parse_args()
    with shop.database(options, options.database_small) as small:
        products.make_base()
        products.grow(options, small, options.small)
        large = large_database(options, small).name
        for name in (small, large):
            make_families(options, name)
        print(shop.versions(options))
        show(options, small, large)
        print(f"\nAt the end: {shop.load()}.")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(sys.argv[2], int(sys.argv[3]))
    else:
        main()
