"""The shop on more than one machine's servers: a primary database and its replica, a Redis for the cache and one for
the queue."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.services.servers import Database, Redis
from tests.services.stack import NAME, Stack
from tests.waiting import wait_for

PASSWORD = "only for a test"
WEB, READER = "web", "reader"  # the web processes' own users, of the primary and of the replica


class Spread(Stack):
    """`redis` is the cache's server, `queue` the broker's. Web has a read-only user of the replica, and another user
    of the primary than worker and beat, so that the general log shows which process sent a statement."""

    follows = False

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        for name in ("replica", "queue"):
            (folder / name).mkdir()
        self.database = Database(folder / "mysql", server_id=1)
        self.replica = Database(folder / "replica", server_id=2)
        self.queue = Redis(folder / "queue")
        self.servers = [self.queue, self.replica, self.database, self.redis]
        self.environment |= {
            "MYSQL_PORT": str(self.database.port),
            "MYSQL_REPLICA_HOST": "127.0.0.1",
            "MYSQL_REPLICA_PORT": str(self.replica.port),
            "MYSQL_REPLICA_USER": READER,
            "MYSQL_REPLICA_PASSWORD": PASSWORD,
            "REDIS_BROKER_HOST": "127.0.0.1",
            "REDIS_BROKER_PORT": str(self.queue.port),
        }

    def start(self) -> None:
        super().start()  # without replication yet, which the shop tolerates
        for user, rights in ((READER, "SELECT"), (WEB, "ALL")):
            self.execute(f"CREATE USER {user} IDENTIFIED BY '{PASSWORD}'")
            self.execute(f"GRANT {rights} ON {NAME}.* TO {user}")
        self.replica.follow(self.database)
        self.follows = True
        self.apart = {"web": {"MYSQL_USER": WEB, "MYSQL_PASSWORD": PASSWORD}}
        self.restart("web")

    def heal(self) -> None:
        super().heal()
        if self.follows:
            self.apply(on=True)
            wait_for(self.has_caught_up, seconds=120)

    def has_caught_up(self) -> bool:
        counted = f"SELECT COUNT(*) FROM {NAME}.django_migrations"
        known = self.replica.execute("SHOW DATABASES LIKE %s", NAME)
        return bool(known) and self.replica.execute(counted) == self.database.execute(counted)

    def apply(self, *, on: bool) -> None:
        """Start or stop applying transactions on the replica; it keeps receiving them."""
        if self.replica.is_mariadb:
            self.replica.execute("START SLAVE SQL_THREAD" if on else "STOP SLAVE SQL_THREAD")
        else:
            self.replica.execute("START REPLICA SQL_THREAD" if on else "STOP REPLICA SQL_THREAD")

    @contextmanager
    def watched(self) -> Iterator[dict[str, list[str]]]:
        """Record the statements of web on "primary" and "replica"; filled when the context exits."""
        servers = {"primary": (self.database, WEB), "replica": (self.replica, READER)}
        asked: dict[str, list[str]] = {}
        [[began]] = self.database.execute("SELECT NOW(6)")  # one clock for both
        for server, _ in servers.values():
            server.execute("SET GLOBAL log_output = 'TABLE'")
            server.execute("SET GLOBAL general_log = 1")
        try:
            yield asked
        finally:
            for name, (server, user) in servers.items():
                server.execute("SET GLOBAL general_log = 0")
                rows = server.execute(
                    "SELECT CONVERT(argument USING utf8mb4) FROM mysql.general_log"
                    " WHERE event_time >= %s AND user_host LIKE %s",
                    began,
                    f"{user}[%",
                )
                asked[name] = [statement for (statement,) in rows if statement]
