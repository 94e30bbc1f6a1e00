"""Database and Redis servers of the tests: real processes on free ports, which a test may stop and kill."""

import os
import shlex
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import MySQLdb

from tests.ports import free_port
from tests.redis_server import is_redis_reachable

STARTED_WITHIN = 60  # seconds; the machine may be busy
STOPPED_WITHIN = 30
# With the folders of servers, which a user's PATH often lacks.
PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"])
_AUTO = "SOURCE_AUTO_POSITION=1, GET_SOURCE_PUBLIC_KEY=1, SOURCE_CONNECT_RETRY=1"


class Missing(Exception):
    """Something that a server needs is missing."""


def is_mysql_reachable(*, host: str, port: int, user: str, password: str) -> bool:
    try:
        MySQLdb.connect(host=host, port=port, user=user, password=password, connect_timeout=3).close()
    except MySQLdb.Error:
        return False
    return True


class Server:
    """A process that serves on 127.0.0.1:`port` and keeps its data in `folder` between two starts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        raise NotImplementedError

    def is_reachable(self) -> bool:
        raise NotImplementedError

    def start(self) -> None:
        log = self.folder / "server.log"
        with open(log, "ab") as output:
            self.process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
        end = time.monotonic() + STARTED_WITHIN
        while not self.is_reachable():
            if self.process.poll() is not None or time.monotonic() > end:
                self.kill()
                raise Missing(f"{self.command()[0]} does not start: {log.read_text()[-600:]}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop gracefully."""
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(STOPPED_WITHIN)
            except subprocess.TimeoutExpired:
                self.kill()
            self.process = None

    def kill(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None


class Database(Server):
    """MySQL or MariaDB, whichever is installed; user root, no password.

    TEST_MYSQLD is the start of the command, to use another server than the installed one.
    """

    user = "root"

    def __init__(self, folder: Path, *, server_id: int = 0, is_durable: bool = True) -> None:
        """With a `server_id` it writes a binary log with GTIDs, for a replica. One that is not durable does not wait
        for the disk."""
        super().__init__(folder)
        self.server_id, self.is_durable = server_id, is_durable
        self.data = folder / "data"
        # Its own: when MariaDB starts, it removes every temporary table of its folder, those of other servers too.
        self.temporary = folder / "tmp"
        self.temporary.mkdir(exist_ok=True)
        given = shlex.split(os.environ.get("TEST_MYSQLD", ""))
        found = shutil.which("mysqld", path=PATH) or shutil.which("mariadbd", path=PATH)
        if not given and not found:
            raise Missing("a database server is missing: install one (on Debian: apt install mariadb-server).")
        self.server = given or [str(found), "--no-defaults"]
        shown = subprocess.run([*self.server, "--version"], capture_output=True, text=True, check=True).stdout
        self.is_mariadb = "MariaDB" in shown

    def initialise(self) -> None:
        if self.is_mariadb:
            install = shutil.which("mariadb-install-db", path=PATH) or "mysql_install_db"
            command = [install, "--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"]
        else:
            command = [*self.server, "--initialize-insecure", "--secure-file-priv=NULL"]
        # As the current user, who owns the folder.
        command += [f"--datadir={self.data}", f"--tmpdir={self.temporary}", f"--user={_me()}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Missing(f"{command[0]} does not work: {(done.stderr or done.stdout)[-600:]}")

    def command(self) -> list[str]:
        other = [] if self.is_mariadb else ["--mysqlx=OFF", "--secure-file-priv=NULL"]
        if self.server_id:
            numbered = [] if self.is_mariadb else ["--gtid-mode=ON", "--enforce-gtid-consistency=ON"]
            other += [f"--server-id={self.server_id}", "--log-bin=binlog", *numbered]
        if self.server_id > 1:  # a replica fetches again what a crash lost, so it need not sync to disk
            other += ["--sync-binlog=0", "--innodb-flush-log-at-trx-commit=2"]
        if not self.is_durable:
            other += ["--skip-log-bin", "--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0"]
        return [
            *self.server,
            f"--datadir={self.data}",
            f"--tmpdir={self.temporary}",
            f"--user={_me()}",
            f"--port={self.port}",
            "--bind-address=127.0.0.1",
            f"--socket={self.folder / 'mysqld.sock'}",
            f"--pid-file={self.folder / 'mysqld.pid'}",
            "--max-connections=1000",
            *other,
        ]

    def is_reachable(self) -> bool:
        return is_mysql_reachable(host="127.0.0.1", port=self.port, user=self.user, password="")

    def start(self) -> None:
        if not self.data.exists():
            self.initialise()
        super().start()

    def execute(self, sql: str, *values: Any, database: str = "") -> list[tuple[Any, ...]]:
        """Run one statement in autocommit mode; return its rows."""
        connection = MySQLdb.connect(
            host="127.0.0.1", port=self.port, user=self.user, database=database, autocommit=True
        )
        with connection, connection.cursor() as cursor:
            cursor.execute(sql, values)
            return list(cursor.fetchall())

    def follow(self, source: "Database") -> None:
        """Become a read-only replica of `source`, from its first transaction on."""
        own, theirs = ("MASTER", "MASTER_USE_GTID=slave_pos") if self.is_mariadb else ("SOURCE", _AUTO)
        to = "CHANGE MASTER TO" if self.is_mariadb else "CHANGE REPLICATION SOURCE TO"
        self.execute(f"{to} {own}_HOST='127.0.0.1', {own}_PORT={source.port}, {own}_USER='{source.user}', {theirs}")
        self.execute("START SLAVE" if self.is_mariadb else "START REPLICA")
        self.execute("SET GLOBAL read_only = 1" if self.is_mariadb else "SET GLOBAL super_read_only = 1")


class Redis(Server):
    """A Redis server with persistence, as the shop's."""

    def command(self) -> list[str]:
        server = shutil.which("redis-server", path=PATH) or shutil.which("valkey-server", path=PATH)
        if not server:
            raise Missing("redis-server is missing: install it (on Debian: apt install redis-server).")
        return [
            server,
            *("--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.folder)),
            *("--appendonly", "yes", "--appendfsync", "always", "--save", ""),
        ]

    def is_reachable(self) -> bool:
        return is_redis_reachable(f"redis://127.0.0.1:{self.port}")


class Sentinel(Redis):
    """Monitors a Redis server and its replicas; the quorum is two of three."""

    def __init__(self, folder: Path, name: str, watched: Redis) -> None:
        super().__init__(folder)
        self.config = folder / "sentinel.conf"  # the Sentinel rewrites it
        lines = [
            f"port {self.port}",
            "bind 127.0.0.1",
            f"dir {folder}",
            f"sentinel monitor {name} 127.0.0.1 {watched.port} 2",
            f"sentinel down-after-milliseconds {name} 1000",
            f"sentinel failover-timeout {name} 5000",
        ]
        self.config.write_text("\n".join(lines))

    def command(self) -> list[str]:
        return [super().command()[0], str(self.config), "--sentinel"]


def _me() -> str:
    return subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
