"""Latency of a page for one client: with a million products and with ten thousand, and compared with the bare SQL."""

import argparse
import json
import statistics
from typing import Any, Protocol
from urllib.parse import quote

from benchmarks import shop
from benchmarks.catalogue_web import Web, Work, alternating, spread

FIELDS = ("name", "price", "rating", "quantity", "created_at")


def pages(options: argparse.Namespace, small: str, large: str) -> None:
    """Each page at both sizes, alternating."""
    with Web(cache=False, database=small) as few, Web(cache=False, database=large) as many:
        clients = [(few, few.client()), (many, many.client())]
        print(f"\n| page | ms at {options.small:,} | ms at {options.large:,} | times |\n| --- | --- | --- | --- |")
        at_both = [paths(web) for web in (few, many)]
        for name in at_both[0]:
            works = [_reading(web, client, found[name]) for (web, client), found in zip(clients, at_both, strict=True)]
            times = 2 if "naive" in name else options.times
            less, more = alternating(*works, times, options.rounds)
            times_more = statistics.median(more) / statistics.median(less)
            print(f"| {name} | {spread(less, 1)} | {spread(more, 1)} | {times_more:.2f} |", flush=True)


def _reading(web: Web, client: Any, path: str) -> Work:
    return lambda: web.get(path, client)


def paths(web: Web) -> dict[str, str]:
    """The pages, with the ids and cursors of this service."""
    one, ten, hundred = (category(web, name) for name in ("Leaf 0", "Ten 0", "Hundred"))
    leaf = json.loads(web.get("/products/1/"))["category"]  # phones, with several pages in that price range
    found = {
        "nothing (/health/live/)": "/health/live/",
        "first page": "/products/",
        "a category and a price range": f"/products/?category={leaf}&min_price=160&max_price=500&ordering=price",
        "a subtree of 1 category, ordering=-price": f"/products/?category={one}&ordering=-price",
        "a subtree of 10 categories, ordering=-price": f"/products/?category={ten}&ordering=-price",
        "a subtree of 100 categories, ordering=-price": f"/products/?category={hundred}&ordering=-price",
    }
    for field in FIELDS:
        for sign in ("", "-"):
            found[f"ordering={sign}{field}"] = f"/products/?ordering={sign}{field}"
            found[f"last page, ordering={sign}{field}"] = last_page(web, sign, field)
    total = 0.9 * int(json.loads(web.get("/naive/products/?limit=1"))["count"])
    found["a naive project's page at 90%"] = f"/naive/products/?offset={total:.0f}"
    return found


class Pages(Protocol):
    """What answers with the bytes of a page."""

    def get(self, path: str) -> bytes: ...


def category(web: Pages, name: str) -> int:
    [row] = json.loads(web.get(f"/categories/?name={name.replace(' ', '+')}"))["results"]
    return int(row["id"])


def last_page(web: Pages, sign: str, field: str, filters: str = "") -> str:
    """The page after the 21st row from the end, which is on the first page of the opposite order."""
    from productbackend.api import cursors
    from products.naming import name_key

    opposite = json.loads(web.get(f"/products/?ordering={'' if sign else '-'}{field}&limit=21{filters}"))
    row = opposite["results"][20]
    column, value = ("name_key", name_key(row["name"])) if field == "name" else (field, row[field])
    values = {"o": [f"{sign}{column}", f"{sign}id"], "d": "n", "v": [value, row["id"]]}
    cursor = cursors.encode("/products/", values)
    path = f"/products/?ordering={sign}{field}&cursor={cursor}{filters}"
    page = json.loads(web.get(path))
    assert (len(page["results"]), page["next"]) == (20, None), path
    return path


def searches(options: argparse.Namespace, database: str) -> None:
    """Searches, each alternating with its bare SQL statements."""
    print(
        "\n| search | matches | ms over HTTP | ms of the bare SQL | allowed, ms | of that |"
        "\n| --- | --- | --- | --- | --- | --- |"
    )
    cursor = shop.connect(options, database).cursor()
    cursor.execute("SET optimizer_switch = 'index_merge_intersection=off'")  # as in the service
    with Web(cache=False, database=database) as web:
        client = web.client()
        for name, (path, where, statements) in bare_sql().items():
            cursor.execute(f"SELECT COUNT(*) FROM products_product WHERE {where}")
            [matches] = cursor.fetchone()
            over, bare = alternating(
                _reading(web, client, path), _running(cursor, statements), options.times, options.rounds
            )
            allowed = statistics.median(bare) * 1.5 + 3
            share = statistics.median(over) / allowed
            row = f"| {name} | {matches:,} | {spread(over, 1)} | {spread(bare, 1)} | {allowed:.1f} | {share:.2f} |"
            print(row, flush=True)


def _running(cursor: Any, statements: list[str]) -> Work:
    def run() -> None:
        for statement in statements:
            cursor.execute(statement)
            cursor.fetchall()

    return run


def bare_sql() -> dict[str, tuple[str, str, list[str]]]:
    """Each search: its path, its condition, and its bare statements."""

    def match(path: str, words: str) -> tuple[str, str, list[str]]:
        where = f"MATCH (search_text) AGAINST ('{words}' IN BOOLEAN MODE)"
        return f"/products/?search={path}", where, [f"SELECT id, name FROM products_product WHERE {where} LIMIT 20"]

    def contains(part: str) -> tuple[str, str, list[str]]:
        where = f"is_active = 1 AND name_key LIKE '%{part}%'"
        ids = f"SELECT id FROM products_product WHERE {where} ORDER BY name_key"
        return (
            f"/products/?name_contains={quote(part)}",
            where,
            [
                f"SELECT COUNT(*) FROM ({ids} LIMIT 1001) AS found",
                f"SELECT p.id, p.name FROM products_product p JOIN ({ids}, id LIMIT 20) AS page USING (id)",
            ],
        )

    return {
        "search, a word in every second product": match("years", "+(qqyears* qqyear)"),
        "search, a common word": match("wool", "+qqwool*"),
        "search, a rare word": match("copy0007", "+qqcopy0007*"),
        "search, a word of one product": match("single0007", "+qqsingle0007*"),
        "search, two words": match("coat+copy0003", "+qqcoat +qqcopy0003*"),
        "name_contains, common": contains("shoe"),
        "name_contains, rare": contains("shoe, black 77"),
        "name_contains, nothing": contains("zzz"),
    }
