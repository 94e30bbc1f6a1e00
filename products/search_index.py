"""The fulltext index over `Product.search_text`: InnoDB's on MySQL and MariaDB, FTS5 on SQLite.

On SQLite it is a table beside the products', filled by triggers. A migration that alters the
products' table makes that anew there and loses its triggers, so they are looked after whenever
migrations have run.
"""

import functools
import sqlite3
from typing import Any

from django.db import connections

TABLE = "products_search"

# Tokens are our own, with spaces between them: this tokenizer leaves all that is not ASCII as it is.
CREATE = """CREATE VIRTUAL TABLE products_search USING fts5(
    search_text, content='products_product', content_rowid='id', tokenize="ascii tokenchars '_'")"""
ADD = "INSERT INTO products_search(rowid, search_text) VALUES (new.id, new.search_text);"
TAKE = """INSERT INTO products_search(products_search, rowid, search_text)
    VALUES ('delete', old.id, old.search_text);"""
TRIGGERS = {
    "products_search_insert": f"AFTER INSERT ON products_product BEGIN {ADD} END",
    "products_search_delete": f"AFTER DELETE ON products_product BEGIN {TAKE} END",
    "products_search_update": f"""AFTER UPDATE OF search_text ON products_product
        WHEN old.search_text IS NOT new.search_text BEGIN {TAKE} {ADD} END""",
}


@functools.cache
def sqlite_has_fts5() -> bool:
    """Whether this Python's SQLite was built with it, as nearly all are."""
    try:
        sqlite3.connect(":memory:").execute("CREATE VIRTUAL TABLE probe USING fts5(text)")
    except sqlite3.OperationalError:
        return False
    return True


def look_after(using: str, **kwargs: Any) -> None:
    """Make what is missing of the index on SQLite, and fill it from the table."""
    connection = connections[using]
    if connection.vendor != "sqlite" or not sqlite_has_fts5():
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE name LIKE 'products_search%'")
        there = {name for (name,) in cursor.fetchall()}
        missing = [name for name in (TABLE, *TRIGGERS) if name not in there]
        if not missing or "products_product" not in connection.introspection.table_names(cursor):
            return
        if TABLE in missing:
            cursor.execute(CREATE)
        for name in missing:
            if name in TRIGGERS:
                cursor.execute(f"CREATE TRIGGER {name} {TRIGGERS[name]}")
        cursor.execute("INSERT INTO products_search(products_search) VALUES ('rebuild')")
