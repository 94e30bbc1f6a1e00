"""The shop on a group of three MySQL servers, behind HAProxy with the configuration of deploy/haproxy/."""

import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

import MySQLdb
from django.conf import settings

from tests.ports import free_port
from tests.services.servers import PATH, Database, Missing, Server
from tests.services.stack import NAME, Stack
from tests.waiting import wait_for

NAME_OF_GROUP = "6f0d3f0a-0c5c-4b5e-9a53-0e6a3f9e2b11"
MEMBERS = "performance_schema.replication_group_members"
PRIMARY = f"SELECT MEMBER_PORT FROM {MEMBERS} WHERE MEMBER_ROLE = 'PRIMARY' AND MEMBER_STATE = 'ONLINE'"
CHECKER = "haproxy@localhost"  # as the configuration names it


class Member(Database):
    """A MySQL server of the group. The first one creates the group when it first starts."""

    def __init__(self, folder: Path, *, server_id: int, ports: list[int]) -> None:
        super().__init__(folder, server_id=server_id)
        self.ports = ports  # of the members' messages, in the order of the servers' ids
        self.has_joined = False

    def command(self) -> list[str]:
        return [
            *super().command(),
            *("--sync-binlog=0", "--innodb-flush-log-at-trx-commit=2"),  # a killed server loses nothing by that
            "--report-host=127.0.0.1",
            "--plugin-load-add=group_replication.so",
            f"--loose-group-replication-group-name={NAME_OF_GROUP}",
            f"--loose-group-replication-local-address=127.0.0.1:{self.ports[self.server_id - 1]}",
            f"--loose-group-replication-group-seeds={','.join(f'127.0.0.1:{port}' for port in self.ports)}",
            "--loose-group-replication-member-expel-timeout=0",
            f"--loose-group-replication-start-on-boot={'ON' if self.has_joined else 'OFF'}",
            "--loose-group-replication-recovery-get-public-key=ON",
        ]

    def start(self) -> None:
        super().start()
        if not self.has_joined:
            is_first = self.server_id == 1
            self.execute(
                f"CHANGE REPLICATION SOURCE TO SOURCE_USER='{self.user}' FOR CHANNEL 'group_replication_recovery'"
            )
            self.execute("SET GLOBAL group_replication_bootstrap_group = %s", is_first)
            self.execute("START GROUP_REPLICATION")
            self.execute("SET GLOBAL group_replication_bootstrap_group = 0")
            self.has_joined = True
            if is_first:
                self.execute(f"CREATE USER {CHECKER}")
                self.execute(f"GRANT SELECT ON {MEMBERS} TO {CHECKER}")

    def stop(self) -> None:
        self.kill()  # leaving the group would take seconds, and nobody needs it any more

    def states(self) -> list[str]:
        """The states of all members, as this one sees them."""
        return sorted(state for (state,) in self.execute(f"SELECT MEMBER_STATE FROM {MEMBERS}"))


def members_in(folder: Path) -> list[Member]:
    """Three members of one group, which do not run yet."""
    ports = [free_port() for _ in range(3)]
    members = []
    for server_id in range(1, 4):
        (own := folder / f"member{server_id}").mkdir()
        members.append(Member(own, server_id=server_id, ports=ports))
    return members


def initialise(members: list[Member]) -> None:
    """Create the data of all members, as copies of the first one's."""
    first, *others = members
    first.initialise()
    for member in others:
        shutil.copytree(first.data, member.data, ignore=shutil.ignore_patterns("auto.cnf"))  # has the server's uuid


class Proxy(Server):
    """HAProxy, which forwards its port to the primary."""

    def __init__(self, folder: Path, members: list[Member]) -> None:
        (own := folder / "proxy").mkdir()
        super().__init__(own)
        self.members = members
        self.config = settings.BASE_DIR / "deploy" / "haproxy" / "mysql.cfg"

    def command(self) -> list[str]:
        program = shutil.which("haproxy", path=PATH)
        if not program:
            raise Missing("haproxy is missing: install it (on Debian: apt install haproxy).")
        addresses = [f"SERVER_{member.server_id}=127.0.0.1:{member.port}" for member in self.members]
        return ["env", f"BIND=127.0.0.1:{self.port}", *addresses, program, "-f", str(self.config)]

    def is_reachable(self) -> bool:
        """Whether it leads to the primary alone; right after its start it has not checked the servers yet."""
        return all(self.leads_to() for _ in self.members)

    def leads_to(self) -> int | None:
        """The port of the primary that it leads to; None if it leads to none."""
        server = {
            "host": "127.0.0.1",
            "port": self.port,
            "user": Database.user,
            "connect_timeout": 3,
            "read_timeout": 3,
        }
        try:
            with closing(MySQLdb.connect(**server)) as connection, connection.cursor() as cursor:
                cursor.execute("SELECT @@port FROM dual WHERE NOT @@super_read_only")
                rows = cursor.fetchall()
        except MySQLdb.Error:
            return None
        return rows[0][0] if rows else None


class Grouped(Stack):
    """`members` are the servers of the group; web, workers and beat know the port of `proxy` alone. Customers pay at
    the test provider."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.members = members_in(folder)
        self.proxy = Proxy(folder, self.members)
        self.servers = [*self.members, self.proxy, self.redis]
        self.commands["provider"] = "exec python manage.py test_provider"
        self.environment |= {
            "MYSQL_PORT": str(self.proxy.port),
            "SITE_URL": self.url,
            "PAYMENT_METHODS": "test",
            "TEST_PROVIDER_URL": f"http://127.0.0.1:{free_port()}",
        }

    def start(self) -> None:
        initialise(self.members)
        super().start()

    def execute(self, sql: str, *values: Any, database: str = NAME) -> list[tuple[Any, ...]]:
        """Run one statement on the primary."""
        return self.primary().execute(sql, *values, database=database)

    def primary(self) -> Member:
        """The primary, as the servers that run see it."""
        ports = {port for member in self.running_members() for (port,) in member.execute(PRIMARY)}
        [primary] = [member for member in self.members if member.port in ports and member.process]
        return primary

    def heal(self) -> None:
        super().heal()
        wait_for(self.is_complete, seconds=120, every=0.5)

    def running_members(self) -> list[Member]:
        return [member for member in self.members if member.process]

    def is_complete(self) -> bool:
        """Whether each of the three servers sees three online."""
        return [member.states() for member in self.members] == [["ONLINE"] * 3] * 3
