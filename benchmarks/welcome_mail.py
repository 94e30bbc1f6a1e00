"""The welcome mail to many users, while workers are killed and the SMTP server refuses and goes down.

    python -m benchmarks.welcome_mail --mysql-port 3307 --redis-port 6379 --redis-database 7 [--short] [--parts many]

Part `faults`: four workers and two beats run as they are deployed, on a MySQL database of the benchmark's own and two
Redis databases that it empties (the one named and the next). Every minute is 8:00 to both beats, and the
next day comes every half minute. At the end the server's own count says what came of it; the exit status
is 1 where somebody got no mail, or two outside of the window that is named in docs/adr/0004-outbox.md.

Part `many`: 100,000 users are owed the mail by the command, and four workers send it, nobody killed and
nothing refused, at no more than MAIL_PER_MINUTE: how long, how large the processes grow, how many a minute.
"""

import argparse
import logging
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any

import redis
from aiosmtpd.controller import Controller

from benchmarks import shop

WORKERS, BEATS = 4, 2
KILL_EVERY = 2.0
DAY = 30.0  # seconds after which what was refused is due again
DOWN = 20.0
REFUSED_SHARE = 0.1
REFUSALS_MAX = 3  # of one user: the mail is given up after five attempts, and the server's absence costs one
MANY = 100_000
MANY_PER_MINUTE = 6_000
CELERY = [sys.executable, "-m", "celery", "--quiet", "--app", "productbackend"]
WORKER = [*CELERY, "worker", "--concurrency", "1", "--loglevel", "WARNING"]
WORKER += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
BEAT = [*CELERY, "beat", "--loglevel", "WARNING", "--pidfile="]


@dataclass
class Delivery:
    """One 250 after a text: which mail, and whether its client said goodbye afterwards."""

    message_id: str
    quit: bool = False


@dataclass
class Mailbox:
    """What the SMTP server saw."""

    is_moody: bool = True
    taken: dict[str, list[Delivery]] = field(default_factory=lambda: defaultdict(list))
    refused: Counter[str] = field(default_factory=Counter)
    minutes: Counter[int] = field(default_factory=Counter)

    def refuses(self, address: str) -> bool:
        # Half of the refusals come before the text and half after it.
        if not self.is_moody or self.refused[address] >= REFUSALS_MAX or random.random() >= REFUSED_SHARE / 2:
            return False
        self.refused[address] += 1
        return True

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if self.refuses(address):
            return "450 Busy"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        (address,) = envelope.rcpt_tos
        if self.refuses(address):
            return "451 Later"
        session.delivery = Delivery(str(message_from_bytes(envelope.content)["Message-ID"]))
        self.taken[address].append(session.delivery)
        self.minutes[int(time.time() // 60)] += 1
        return "250 OK"

    async def handle_QUIT(self, server: Any, session: Any, envelope: Any) -> str:
        if delivery := getattr(session, "delivery", None):
            delivery.quit = True
        return "221 Bye"


class Processes:
    """The workers and the beats: started, killed, started again, and all ended at the end."""

    def __init__(self, log: Path) -> None:
        self.log = log.open("wb")
        self.kills: Counter[str] = Counter()

    def __enter__(self) -> "Processes":
        self.workers = [self.start(WORKER) for _ in range(WORKERS)]
        self.beats = [self.start(BEAT) for _ in range(BEATS)]
        return self

    def start(self, command: list[str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(command, cwd=shop.ROOT, stdout=self.log, stderr=self.log, start_new_session=True)

    def kill_one(self) -> None:
        """By turns a worker's pool process, which it replaces itself, and a whole worker, which we replace."""
        place = random.randrange(WORKERS)
        worker = self.workers[place]
        if sum(self.kills.values()) % 2:
            for pid in children_of(worker.pid):
                os.kill(pid, signal.SIGKILL)
                self.kills["pool process"] += 1
        else:
            os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()
            self.kills["worker"] += 1
            self.workers[place] = self.start(WORKER)

    def memory(self) -> int:
        """Megabytes that the largest process of a worker has had so far."""
        pids = [pid for worker in self.workers for pid in [worker.pid, *children_of(worker.pid)]]
        peaks = [Path(f"/proc/{pid}/status").read_text().partition("VmHWM:")[2].split()[0] for pid in pids]
        return max(map(int, peaks)) // 1024

    def __exit__(self, *error: object) -> None:
        for process in [*self.beats, *self.workers]:
            process.terminate()
        until = time.monotonic() + 15
        for process in [*self.beats, *self.workers]:
            try:
                process.wait(timeout=max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self.log.close()


def children_of(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def make_users(first: int, many: int) -> None:
    from django.utils import timezone

    from accounts.models import User

    joined = timezone.now() - timedelta(days=2)
    names = (f"user{number}" for number in range(first, first + many))
    users = (
        User(username=name, username_key=name, email=f"{name}@example.com", password="!", date_joined=joined)
        for name in names
    )
    User.objects.bulk_create(users, batch_size=1_000)


def every_minute_is_8() -> None:
    from django_celery_beat.models import CrontabSchedule, PeriodicTask

    job = PeriodicTask.objects.get(name="welcome mail")
    job.crontab = CrontabSchedule.objects.create(minute="*", hour="*")
    job.save()


def turn_the_day() -> None:
    from django.utils import timezone

    from outbox.models import Mail

    Mail.objects.filter(status="pending", due_at__gt=timezone.now()).update(due_at=timezone.now())


def run(users: int, limit: float, mailbox: Mailbox, processes: Processes, controller: Controller) -> Controller:
    """Until nothing is owed any more, or `limit` seconds have gone."""
    from outbox.models import Mail

    began = last_day = time.monotonic()
    was_down = False
    while time.monotonic() < began + limit:
        time.sleep(KILL_EVERY)
        processes.kill_one()
        if not was_down and len(mailbox.taken) > users * 0.3:
            controller.stop()
            until = time.monotonic() + DOWN
            while time.monotonic() < until:
                time.sleep(KILL_EVERY)
                processes.kill_one()
            controller = Controller(mailbox, hostname="127.0.0.1", port=controller.port)
            controller.start()
            was_down = True
        if time.monotonic() - last_day > DAY:
            print(f"{time.monotonic() - began:.0f} s: {len(mailbox.taken):,} of {users:,}", file=sys.stderr, flush=True)
            turn_the_day()
            last_day = time.monotonic()
        if Mail.objects.count() >= users and not Mail.objects.filter(status="pending").exists():
            break
    return controller


def owe_many(many: int) -> list[tuple[str, str]]:
    """How long `send_welcome` takes, and how large it grows, for none and for very many."""
    rows = []
    for users in (0, many):
        make_users(0, users)
        began = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "manage.py", "send_welcome"], cwd=shop.ROOT, stdout=subprocess.DEVNULL
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        took = f"{time.monotonic() - began:.0f} s, {usage.ru_maxrss / 1024:.0f} MB at most"
        rows.append((f"`send_welcome` owes it to {users:,}", took))
    return rows


def send_many(many: int, mailbox: Mailbox, processes: Processes) -> tuple[list[tuple[str, str]], bool]:
    """Let the workers send all that is owed; what they took for it, and whether each user has it once."""
    began = time.monotonic()
    early = 0
    while (got := len(mailbox.taken)) < many and time.monotonic() < began + many / MANY_PER_MINUTE * 60 * 3:
        time.sleep(5)
        early = early or (processes.memory() if got > many / 20 else 0)
        print(f"{time.monotonic() - began:.0f} s: {got:,} of {many:,}", file=sys.stderr, flush=True)
    seconds = time.monotonic() - began
    times = Counter(len(got) for got in mailbox.taken.values())
    rows = [
        ("got it once", f"{times[1]:,}"),
        ("never got it, or twice", str(many - times[1])),
        ("sent in", f"{seconds:.0f} s, {many / seconds:.0f} a second"),
        ("most in a minute of the clock", f"{max(mailbox.minutes.values()):,} at MAIL_PER_MINUTE={MANY_PER_MINUTE}"),
        ("a worker's process after a twentieth, and at the end", f"{early} MB, {processes.memory()} MB at most"),
    ]
    return rows, times[1] == many


def report(users: int, mailbox: Mailbox, kills: Counter[str], seconds: float) -> bool:
    from outbox.models import Mail

    expected = {f"user{number}@example.com" for number in range(users)}
    times = Counter(len(mailbox.taken.get(address, [])) for address in expected)
    # Whoever got it twice: was each delivery before the last one cut off after its 250, with the same Message-ID?
    twice = [got for got in mailbox.taken.values() if len(got) > 1]
    in_window = sum(not any(d.quit for d in got[:-1]) and len({d.message_id for d in got}) == 1 for got in twice)
    states = Counter(Mail.objects.values_list("status", flat=True))
    rows = [
        ("users", f"{users:,}"),
        ("got it once", f"{times[1]:,}"),
        ("got it twice, in the window", in_window),
        ("got it twice, outside of it", len(twice) - in_window),
        ("never got it", times[0]),
        ("rows", ", ".join(f"{count:,} {state}" for state, count in states.items())),
        ("refused for now", f"{sum(mailbox.refused.values()):,}"),
        ("killed with -9", ", ".join(f"{count} × a {what}" for what, count in kills.items())),
        ("server down", f"{DOWN:.0f} s"),
        ("took", f"{seconds:.0f} s"),
    ]
    print("\n| | |\n| --- | --- |")
    for name, value in rows:
        print(f"| {name} | {value} |")
    return times[0] == 0 and len(twice) == in_window and set(mailbox.taken) == expected


def main() -> None:
    parser = shop.arguments(__doc__ or "")
    parser.add_argument("--parts", nargs="+", choices=["faults", "many"], default=["faults", "many"])
    parser.add_argument("--users", type=int, default=10_000)
    parser.add_argument("--short", action="store_true", help="500 users, and 2,000 in place of very many")
    parser.add_argument("--limit", type=float, default=1_200, help="seconds after which it is given up")
    options = parser.parse_args()
    if not options.redis_port:
        parser.error("--redis-port is needed")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended from outside"))  # and all that was started with it
    port = shop.free_port()
    os.environ |= {"EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(port)}
    with shop.database(options):
        logging.getLogger("mail.log").setLevel(logging.WARNING)
        print(shop.versions(options))
        kept = [{"faults": with_faults, "many": with_many}[part](options, port) for part in options.parts]
    sys.exit(0 if all(kept) else 1)


def with_faults(options: argparse.Namespace, port: int) -> bool:
    users = 500 if options.short else options.users
    empty(options)
    mailbox = Mailbox()
    make_users(0, users)
    every_minute_is_8()
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    began = time.monotonic()
    try:
        with Processes(Path(os.environ["DATA_DIR"], "processes.log")) as processes:
            controller = run(users, options.limit, mailbox, processes, controller)
    finally:
        controller.stop()
    return report(users, mailbox, processes.kills, time.monotonic() - began)


def with_many(options: argparse.Namespace, port: int) -> bool:
    many = 2_000 if options.short else MANY
    empty(options)
    mailbox = Mailbox(is_moody=False)
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    os.environ["MAIL_PER_MINUTE"] = str(MANY_PER_MINUTE)
    try:
        owing = owe_many(many)
        with Processes(Path(os.environ["DATA_DIR"], "processes.log")) as processes:
            sending, kept = send_many(many, mailbox, processes)
    finally:
        controller.stop()
    print("\n| very many | |\n| --- | --- |")
    for name, value in [*owing, *sending]:
        print(f"| {name} | {value} |")
    return kept


def empty(options: argparse.Namespace) -> None:
    """Nothing of an earlier part is left, in the queue, the cache and the tables."""
    from accounts.models import User
    from outbox.models import Mail

    for database in (options.redis_database, options.redis_database + 1):
        redis.Redis(port=options.redis_port, db=database).flushdb()
    Mail.objects.all()._raw_delete("default")
    User.objects.all()._raw_delete("default")


if __name__ == "__main__":
    main()
