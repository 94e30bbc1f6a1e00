"""Checks the database, in a session as the service opens it."""

from typing import Any

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import DatabaseError, connection, connections, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from productbackend.database import replica
from productbackend.doctor.findings import Findings, bad, brief, good, warn

STRICT = {"STRICT_TRANS_TABLES", "STRICT_ALL_TABLES"}
CATCH_UP_SECONDS = 2
GROUP = "SHOW GLOBAL VARIABLES WHERE Variable_name LIKE 'group_replication_%%'"


def rows(sql: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def variables(*names: str) -> dict[str, str]:
    """The session variables that the server has: MySQL and MariaDB name some differently."""
    return dict(rows("SHOW SESSION VARIABLES WHERE Variable_name IN %s", names))


def version() -> Findings:
    """The server's version. Django refuses to connect to an old one, with a message that names the minimum."""
    if connection.vendor == "sqlite":
        yield warn("SQLite, a file for one machine and few customers: set MYSQL_HOST for a shop")
        return
    address = f"{settings.DATABASES['default']['HOST']}:{settings.DATABASES['default']['PORT']}"
    try:
        product = "MariaDB" if connection.mysql_is_mariadb else "MySQL"  # type: ignore[attr-defined]
        yield good(f"{product} {connection.mysql_server_info} at {address}")  # type: ignore[attr-defined]
    except DatabaseError as error:
        yield bad(f"{address}: {brief(error)}; see the database's log, and MYSQL_*")


def replica_state() -> Findings:
    """Whether the replica, if there is one, is reachable and caught up."""
    if replica.REPLICA not in settings.DATABASES:
        return
    committed, arrival = replica.MARIADB if connection.mysql_is_mariadb else replica.MYSQL  # type: ignore[attr-defined]
    [(transactions,)] = rows(committed)
    if not transactions:
        yield bad("the primary's transactions have no GTIDs, so the replica cannot be checked: gtid_mode=ON")
        return
    try:
        with connections[replica.REPLICA].cursor() as cursor:
            cursor.execute(arrival, [transactions, CATCH_UP_SECONDS])
            [[state]] = cursor.fetchall()
    except DatabaseError as error:
        yield bad(f"{brief(error)}; the primary is read instead. See the replica's log, and MYSQL_REPLICA_*")
        return
    if state:
        yield warn(f"more than {CATCH_UP_SECONDS} s behind, and the primary is read instead: SHOW REPLICA STATUS")
    else:
        yield good("caught up with the primary")


def group_state() -> Findings:
    """Whether all servers of the group, if the database is one, are online, and this one is the primary."""
    variables = dict(rows(GROUP)) if connection.vendor == "mysql" else {}
    if not variables.get("group_replication_group_name"):
        return
    try:
        members = rows(
            "SELECT CONCAT(MEMBER_HOST, ':', MEMBER_PORT), MEMBER_STATE, MEMBER_ROLE, MEMBER_ID = @@server_uuid"
            " FROM performance_schema.replication_group_members ORDER BY 1"
        )
    except DatabaseError as error:
        user = settings.DATABASES["default"]["USER"]
        yield warn(
            f"{brief(error)}; to see the group: GRANT SELECT ON performance_schema.replication_group_members TO {user}"
        )
        return
    servers = len(variables["group_replication_group_seeds"].split(","))
    online = [address for address, state, _, _ in members if state == "ONLINE"]
    others = "".join(f", {address} is {state}" for address, state, _, _ in members if state != "ONLINE")
    primary = [address for address, _, role, is_this in members if role == "PRIMARY" and is_this]
    if len(online) < servers:
        yield bad(f"{len(online)} of {servers} servers are online{others}; see the log of each that is not")
    if not primary:
        yield bad("this server is not the primary; what forwards MYSQL_PORT has to lead to the primary")
    if variables["group_replication_consistency"] == "EVENTUAL":
        yield bad("a new primary may show old rows: group_replication_consistency=BEFORE_ON_PRIMARY_FAILOVER")
    if primary and len(online) >= servers:
        yield good(f"{len(online)} of {servers} servers are online, and {primary[0]} is the primary")


def writable() -> Findings:
    """Insert a row and roll back."""
    try:
        with transaction.atomic():
            Session.objects.create(session_key="doctor", session_data="", expire_date=timezone.now())
            transaction.set_rollback(True)
    except DatabaseError as error:
        connection.ensure_connection()  # raises if the database is unreachable and not only read-only
        yield bad(f"{brief(error)}; is its disk full, read_only set, or a privilege missing?")
    else:
        yield good("a row was written and rolled back")


def isolation() -> Findings:
    if connection.vendor == "sqlite":
        yield good("SQLite has one writer at a time")
        return
    [level] = set(variables("transaction_isolation", "tx_isolation").values())
    if level == "READ-COMMITTED":
        yield good("READ COMMITTED")
    else:
        yield bad(
            f"{level}: it must be READ COMMITTED, or two buyers of the last piece would not see each other's writes. "
            "Does a proxy between the service and the database set it?"
        )


def sql_mode() -> Findings:
    if connection.vendor == "sqlite":
        return
    modes = variables("sql_mode")["sql_mode"].split(",")
    if STRICT & set(modes):
        yield good("strict")
    else:
        yield bad("not strict: values that are too long are truncated silently. Add STRICT_TRANS_TABLES to sql_mode")


def character_set() -> Findings:
    """The character sets of the session, of new tables, and of every column."""
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
        yield bad(f"the session uses {', '.join(sorted(set(session.values())))} and must use utf8mb4")
    if default != "utf8mb4":
        yield bad(f"new tables get {default}: ALTER DATABASE `{name}` CHARACTER SET utf8mb4")
    for table, columns in other:
        yield bad(
            f"{table} ({columns}) cannot hold every character: ALTER TABLE `{table}` MODIFY each of these "
            "columns with CHARACTER SET utf8mb4, while the service is stopped"
        )
    if set(session.values()) == {default} == {"utf8mb4"} and not other:
        yield good("utf8mb4 in the session, the database and every column")


def time_zones() -> Findings:
    """Whether the server's time zone tables are loaded. The service does not use them; reports in SQL may."""
    if connection.vendor == "sqlite":
        return
    [(converted,)] = rows("SELECT CONVERT_TZ('2000-01-01', 'UTC', 'Europe/Berlin')")
    if converted is None:
        yield warn(
            "not loaded. The service does not need them; reports by CONVERT_TZ would get NULL: "
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
        yield bad(f"{len(waiting)} unapplied ({names}{' ...' if len(waiting) > 3 else ''}): manage.py migrate")
    if unknown:
        names = ", ".join(sorted(".".join(key) for key in unknown)[:3])
        yield warn(f"{len(unknown)} applied ones are unknown to this release ({names}): is an older image running?")
    if not waiting and not unknown:
        yield good("all applied")
