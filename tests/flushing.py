"""Empties the tables of MySQL that a test wrote, and restores the rows that migrations created."""

from typing import Any

from django.db import connection


class MigratedRows:
    """The rows of a database that has just been migrated. Its methods replace functions of Django's `flush`."""

    def __init__(self) -> None:
        self.tables = sorted(
            set(connection.introspection.django_table_names(only_existing=True)) - {"django_migrations"}
        )
        self.sums = self.checksums()
        self.rows = {table: self.read(table) for table in self.tables}
        self.written: list[str] = []

    def checksums(self) -> dict[str, Any]:
        """A checksum of each table's rows; 0 for an empty table."""
        names = ", ".join(map(connection.ops.quote_name, self.tables))
        with connection.cursor() as cursor:
            cursor.execute(f"CHECKSUM TABLE {names}")
            return {name.partition(".")[2]: checksum for name, checksum in cursor.fetchall()}

    def read(self, table: str) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            return list(cursor.fetchall())

    def sql_flush(self, *args: Any, **options: Any) -> list[str]:
        """Delete the rows of the tables that have changed; the others are as they were migrated."""
        now = self.checksums()
        self.written = [table for table in self.tables if now[table] != self.sums[table]]
        deletes = [f"DELETE FROM {connection.ops.quote_name(table)}" for table in self.written]
        # Never empty: Django restores rows only after a statement.
        return ["SET FOREIGN_KEY_CHECKS = 0", *deletes, "SET FOREIGN_KEY_CHECKS = 1"]

    def restore(self, *args: Any) -> None:
        """Insert the rows of migrations into the tables whose rows were deleted."""
        with connection.constraint_checks_disabled(), connection.cursor() as cursor:
            for table in self.written:
                if rows := self.rows[table]:
                    values = ", ".join(["%s"] * len(rows[0]))
                    cursor.executemany(f"INSERT INTO {connection.ops.quote_name(table)} VALUES ({values})", rows)
