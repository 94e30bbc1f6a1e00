"""Migrates the test database once for all processes of a test run: the first one migrates, the others copy."""

import fcntl
import pickle
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from django.db import connection

# In the folder that the processes share.
MIGRATED = "migrated.sqlite3"
MIGRATED_TABLES = "migrated.pickle"  # of MySQL or MariaDB


def migrate_or_copy(shared: Path, migrate: Callable[[], object]) -> None:
    """Call `migrate`, and store what it made in the shared folder; copy that instead if it is there."""
    is_sqlite = connection.vendor == "sqlite"
    save, load = (save_sqlite, load_sqlite) if is_sqlite else (save_mysql, load_mysql)
    template = shared / (MIGRATED if is_sqlite else MIGRATED_TABLES)
    connection.ensure_connection()
    with one_process(shared / "migrated.lock"):
        if not template.exists():
            migrate()
            part = template.with_suffix(".part")
            save(part)
            part.rename(template)
            return
    load(template)


@contextmanager
def one_process(lock: Path) -> Iterator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def save_sqlite(path: Path) -> None:
    with closing(sqlite3.connect(path)) as copy:
        connection.connection.backup(copy)


def load_sqlite(path: Path) -> None:
    with closing(sqlite3.connect(path)) as source:
        source.backup(connection.connection)


def save_mysql(path: Path) -> None:
    """Write each table's statement and its rows."""
    tables = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            name = connection.ops.quote_name(table)
            cursor.execute(f"SHOW CREATE TABLE {name}")
            [(_, create)] = cursor.fetchall()
            cursor.execute(f"SELECT * FROM {name}")
            tables[name] = create, list(cursor.fetchall())
    path.write_bytes(pickle.dumps(tables))


def load_mysql(path: Path) -> None:
    tables: dict[str, tuple[str, list[Any]]] = pickle.loads(path.read_bytes())  # noqa: S301  (written by this test run)
    with connection.constraint_checks_disabled(), connection.cursor() as cursor:
        for name, (create, rows) in tables.items():
            cursor.execute(create)
            if rows:
                cursor.executemany(f"INSERT INTO {name} VALUES ({', '.join(['%s'] * len(rows[0]))})", rows)
