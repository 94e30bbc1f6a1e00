"""The database, as a session of the service has it."""

from typing import Any

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import DatabaseError, connection, connections, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from productbackend import replica
from productbackend.doctor.findings import Findings, bad, brief, good, warn

STRICT = {"STRICT_TRANS_TABLES", "STRICT_ALL_TABLES"}
ARRIVES_WITHIN = 2  # seconds


def rows(sql: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def variables(*names: str) -> dict[str, str]:
    """Those of the session's variables that the server knows: MySQL and MariaDB call some differently."""
    return dict(rows("SHOW SESSION VARIABLES WHERE Variable_name IN %s", names))


def version() -> Findings:
    """An old server is refused by Django as it connects, and its message says what it takes."""
    if connection.vendor == "sqlite":
        yield warn("SQLite, a file for one machine and few customers: set MYSQL_HOST for a shop")
        return
    where = f"{settings.DATABASES['default']['HOST']}:{settings.DATABASES['default']['PORT']}"
    try:
        product = "MariaDB" if connection.mysql_is_mariadb else "MySQL"  # type: ignore[attr-defined]
        yield good(f"{product} {connection.mysql_server_info} at {where}")  # type: ignore[attr-defined]
    except DatabaseError as error:
        yield bad(f"{where}: {brief(error)}; see the database's log, and MYSQL_*")


def copy() -> Findings:
    """The replica that the catalogue is read from, where there is one."""
    if replica.REPLICA not in settings.DATABASES:
        return
    committed, arrival = replica.MARIADB if connection.mysql_is_mariadb else replica.MYSQL  # type: ignore[attr-defined]
    [(transactions,)] = rows(committed)
    if not transactions:
        yield bad("the primary's transactions have no numbers by which to follow it: gtid_mode=ON")
        return
    try:
        with connections[replica.REPLICA].cursor() as cursor:
            cursor.execute(arrival, [transactions, ARRIVES_WITHIN])
            [[state]] = cursor.fetchall()
    except DatabaseError as error:
        yield bad(f"{brief(error)}; the primary is read in its place. See its log, and MYSQL_REPLICA_*")
        return
    if state:
        yield warn(f"more than {ARRIVES_WITHIN} s behind, and the primary is read in its place: SHOW REPLICA STATUS")
    else:
        yield good("it has all that the primary has")


def writable() -> Findings:
    """A row is written, and taken back before anybody sees it."""
    try:
        with transaction.atomic():
            Session.objects.create(session_key="doctor", session_data="", expire_date=timezone.now())
            transaction.set_rollback(True)
    except DatabaseError as error:
        connection.ensure_connection()  # else it is away, and not merely shut
        yield bad(f"{brief(error)}; is its disk full, read_only set, or a right missing?")
    else:
        yield good("a row was written and taken back")


def isolation() -> Findings:
    if connection.vendor == "sqlite":
        yield good("SQLite has one writer at a time")
        return
    [level] = set(variables("transaction_isolation", "tx_isolation").values())
    if level == "READ-COMMITTED":
        yield good("READ COMMITTED")
    else:
        yield bad(
            f"{level}: two buyers of the last piece would not see each other. Is something between the service "
            "and the database that sets it? READ COMMITTED it has to be"
        )


def sql_mode() -> Findings:
    if connection.vendor == "sqlite":
        return
    modes = variables("sql_mode")["sql_mode"].split(",")
    if STRICT & set(modes):
        yield good("strict")
    else:
        yield bad("not strict: what does not fit is cut off in silence. STRICT_TRANS_TABLES has to be in sql_mode")


def character_set() -> Findings:
    """Of the session, of what new tables get, and of each column that there is."""
    if connection.vendor == "sqlite":
        return
    session = variables("character_set_client", "character_set_connection", "character_set_results")
    [(default, name)] = rows(
        "SELECT default_character_set_name, schema_name FROM information_schema.schemata WHERE schema_name = DATABASE()"
    )
    other = rows(
        "SELECT table_name, GROUP_CONCAT(column_name ORDER BY column_name) FROM information_schema.columns"
        " WHERE table_schema = DATABASE() AND character_set_name <> 'utf8mb4' GROUP BY table_name ORDER BY table_name"
    )
    if set(session.values()) != {"utf8mb4"}:
        yield bad(f"the session speaks {', '.join(sorted(set(session.values())))} and has to speak utf8mb4")
    if default != "utf8mb4":
        yield bad(f"new tables get {default}: ALTER DATABASE `{name}` CHARACTER SET utf8mb4")
    for table, columns in other:
        yield bad(
            f"{table} ({columns}) cannot hold every character: ALTER TABLE `{table}` MODIFY each of these "
            "columns with CHARACTER SET utf8mb4, while the service stands still"
        )
    if set(session.values()) == {default} == {"utf8mb4"} and not other:
        yield good("utf8mb4 in the session, the database and every column")


def time_zones() -> Findings:
    """The service turns times into zones by itself; who reports in SQL has the tables from the server."""
    if connection.vendor == "sqlite":
        return
    [(converted,)] = rows("SELECT CONVERT_TZ('2000-01-01', 'UTC', 'Europe/Berlin')")
    if converted is None:
        yield warn(
            "not loaded. The service does without; reports by CONVERT_TZ would get NULL: "
            "mysql_tzinfo_to_sql /usr/share/zoneinfo | mysql -u root -p mysql"
        )
    else:
        yield good("loaded")


def migrations() -> Findings:
    executor = MigrationExecutor(connection)
    waiting = [migration for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())]
    unknown = set(executor.loader.applied_migrations) - set(executor.loader.disk_migrations)
    unknown = {key for key in unknown if key[0] in executor.loader.migrated_apps}
    if waiting:
        names = ", ".join(str(migration) for migration in waiting[:3])
        yield bad(f"{len(waiting)} to be applied ({names}{' ...' if len(waiting) > 3 else ''}): manage.py migrate")
    if unknown:
        names = ", ".join(sorted(".".join(key) for key in unknown)[:3])
        yield warn(f"{len(unknown)} of the database are unknown to this release ({names}): is an older image running?")
    if not waiting and not unknown:
        yield good("all applied")
