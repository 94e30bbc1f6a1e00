"""Searches the whole database, as text."""

import json
from typing import Any

from django.db import connection


def dump() -> dict[str, str]:
    """The text of each table: every column of every row, casefolded."""
    tables = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            tables[table] = "\n".join(_text(value) for row in cursor.fetchall() for value in row).casefold()
    return tables


def tables_that_say(text: str) -> list[str]:
    """Every table with a row that contains the text, in any case."""
    return [table for table, contents in dump().items() if text.casefold() in contents]


def _text(value: Any) -> str:
    text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    if text.startswith(("{", "[")):  # SQLite stores JSON with escapes
        try:
            return json.dumps(json.loads(text), ensure_ascii=False)
        except ValueError:
            return text
    return text
