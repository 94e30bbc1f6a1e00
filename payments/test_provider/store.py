"""The store of the test provider: a SQLite file that is not the shop's database."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# Amounts are in cents, times in seconds since 1970.
SCHEMA = """
PRAGMA journal_mode=WAL;
PRAGMA synchronous=NORMAL;
CREATE TABLE IF NOT EXISTS payment (
    id INTEGER PRIMARY KEY,
    reference TEXT NOT NULL UNIQUE,
    key TEXT NOT NULL UNIQUE,
    order_number TEXT NOT NULL,
    cents INTEGER NOT NULL CHECK (cents > 0),
    currency TEXT NOT NULL,
    return_url TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'open',
    error TEXT NOT NULL DEFAULT '',
    bad_answers INTEGER NOT NULL DEFAULT 0,
    created_at REAL NOT NULL,
    updated_at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS payment_updated ON payment (updated_at, id);
CREATE TABLE IF NOT EXISTS movement (
    id INTEGER PRIMARY KEY,
    reference TEXT NOT NULL UNIQUE,
    payment INTEGER NOT NULL REFERENCES payment,
    kind TEXT NOT NULL,
    cents INTEGER NOT NULL CHECK (cents > 0),
    state TEXT NOT NULL DEFAULT 'done',
    key TEXT UNIQUE,
    error TEXT NOT NULL DEFAULT '',
    occurred_at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS movement_payment ON movement (payment);
CREATE TABLE IF NOT EXISTS event (
    id INTEGER PRIMARY KEY,
    body TEXT NOT NULL,
    due_at REAL,
    attempts INTEGER NOT NULL DEFAULT 0,
    status TEXT NOT NULL DEFAULT '',
    created_at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS event_due ON event (due_at);
CREATE TABLE IF NOT EXISTS step (
    id INTEGER PRIMARY KEY,
    payment INTEGER NOT NULL REFERENCES payment,
    kind TEXT NOT NULL,
    movement INTEGER REFERENCES movement,
    due_at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS step_due ON step (due_at);
CREATE INDEX IF NOT EXISTS step_payment ON step (payment);
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""

Row = sqlite3.Row


class Store:
    """One connection, which the threads use in turn."""

    def __init__(self, path: Path) -> None:
        self.lock = threading.RLock()
        self.connection = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
        self.connection.row_factory = sqlite3.Row
        self.connection.executescript(SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, and no other thread in between. Within another one, a part of it."""
        with self.lock:
            if self.connection.in_transaction:
                yield
                return
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self.connection.execute("ROLLBACK")
                raise
            self.connection.execute("COMMIT")

    def run(self, sql: str, *values: Any) -> int:
        """Execute one statement; return the id of the new row."""
        with self.lock:
            return self.connection.execute(sql, values).lastrowid or 0

    def rows(self, sql: str, *values: Any) -> list[Row]:
        with self.lock:
            return self.connection.execute(sql, values).fetchall()

    def row(self, sql: str, *values: Any) -> Row | None:
        found = self.rows(sql, *values)
        return found[0] if found else None

    def number(self, sql: str, *values: Any) -> int:
        """The single number that the statement selects; 0 for none."""
        [[found]] = self.rows(sql, *values)
        return int(found or 0)

    def close(self) -> None:
        with self.lock:
            self.connection.close()
