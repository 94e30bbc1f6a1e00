"""The fulltext index over `Product.search_text`: InnoDB's on MySQL and MariaDB, FTS5 on SQLite.

On SQLite it is a virtual table, filled by triggers on the table of products. A migration that alters
that table recreates it without the triggers, so missing ones are created after every `migrate`.
"""

import functools
import sqlite3
from typing import Any

from django.db import connections

TABLE = "products_search"

# The text consists of our own tokens, separated by spaces. This tokenizer does not change non-ASCII characters.
CREATE = """CREATE VIRTUAL TABLE products_search USING fts5(
    search_text, content='products_product', content_rowid='id', tokenize="ascii tokenchars '_'")"""
INSERT = "INSERT INTO products_search(rowid, search_text) VALUES (new.id, new.search_text);"
DELETE = """INSERT INTO products_search(products_search, rowid, search_text)
    VALUES ('delete', old.id, old.search_text);"""
TRIGGERS = {
    "products_search_insert": f"AFTER INSERT ON products_product BEGIN {INSERT} END",
    "products_search_delete": f"AFTER DELETE ON products_product BEGIN {DELETE} END",
    "products_search_update": f"""AFTER UPDATE OF search_text ON products_product
        WHEN old.search_text IS NOT new.search_text BEGIN {DELETE} {INSERT} END""",
}


@functools.cache
def sqlite_has_fts5() -> bool:
    """Whether this Python's SQLite was built with FTS5, as almost all are."""
    try:
        sqlite3.connect(":memory:").execute("CREATE VIRTUAL TABLE probe USING fts5(text)")
    except sqlite3.OperationalError:
        return False
    return True


def ensure_search_index(using: str, **kwargs: Any) -> None:
    """Create missing parts of the index on SQLite, and fill it from the table."""
    connection = connections[using]
    if connection.vendor != "sqlite" or not sqlite_has_fts5():
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE name LIKE 'products_search%'")
        existing = {name for (name,) in cursor.fetchall()}
        missing = [name for name in (TABLE, *TRIGGERS) if name not in existing]
        if not missing or "products_product" not in connection.introspection.table_names(cursor):
            return
        if TABLE in missing:
            cursor.execute(CREATE)
        for name in missing:
            if name in TRIGGERS:
                cursor.execute(f"CREATE TRIGGER {name} {TRIGGERS[name]}")
        cursor.execute("INSERT INTO products_search(products_search) VALUES ('rebuild')")
