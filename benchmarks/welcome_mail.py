"""The welcome mail to many users, while workers are killed and the SMTP server rejects mails and goes down.

    python -m benchmarks.welcome_mail --mysql-port 3307 --redis-port 6379 --redis-database 7 [--short] [--parts many]

Part `faults`: four workers and two beats run as deployed, on a private MySQL database and two Redis databases
that it empties (the one named and the next). The beats run the job every minute, and deferred mails become due
every half minute. At the end the mails that the SMTP server received are counted; the exit status is 1 if a
user got no mail, or two outside of the window that docs/adr/0004-outbox.md describes.

Part `many`: the command enqueues the mail for 100,000 users, and four workers send it, without faults, at no
more than MAIL_PER_MINUTE. It measures the duration, the memory of the processes, and the mails per minute.
"""

import argparse
import logging
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import redis
from aiosmtpd.controller import Controller

from benchmarks import shop
from benchmarks.background import Processes
from benchmarks.mailbox import Mailbox
from tests.ports import free_port

WORKERS, BEATS = 4, 2
KILL_EVERY = 2.0
DAY = 30.0  # seconds after which rejected mails are due again
DOWN = 20.0
MANY = 100_000
MANY_PER_MINUTE = 6_000


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


def run_every_minute() -> None:
    from django_celery_beat.models import CrontabSchedule, PeriodicTask

    job = PeriodicTask.objects.get(name="welcome mail")
    job.crontab = CrontabSchedule.objects.create(minute="*", hour="*")
    job.save()


def make_deferred_due() -> None:
    from django.utils import timezone

    from outbox.models import Mail

    Mail.objects.filter(status="pending", due_at__gt=timezone.now()).update(due_at=timezone.now())


def run(users: int, limit: float, mailbox: Mailbox, processes: Processes, controller: Controller) -> Controller:
    """Run until no mail is pending, or for `limit` seconds."""
    from outbox.models import Mail

    began = last_due = time.monotonic()
    was_down = False
    while time.monotonic() < began + limit:
        time.sleep(KILL_EVERY)
        processes.kill_one()
        if not was_down and len(mailbox.accepted) > users * 0.3:
            controller.stop()
            until = time.monotonic() + DOWN
            while time.monotonic() < until:
                time.sleep(KILL_EVERY)
                processes.kill_one()
            controller = Controller(mailbox, hostname="127.0.0.1", port=controller.port)
            controller.start()
            was_down = True
        if time.monotonic() - last_due > DAY:
            print(
                f"{time.monotonic() - began:.0f} s: {len(mailbox.accepted):,} of {users:,}", file=sys.stderr, flush=True
            )
            make_deferred_due()
            last_due = time.monotonic()
        if Mail.objects.count() >= users and not Mail.objects.filter(status="pending").exists():
            break
    return controller


def enqueue_many(many: int) -> list[tuple[str, str]]:
    """Duration and memory of `send_welcome` for no users and for very many."""
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
        rows.append((f"`send_welcome` enqueues it for {users:,}", took))
    return rows


def send_many(many: int, mailbox: Mailbox, processes: Processes) -> tuple[list[tuple[str, str]], bool]:
    """Let the workers send all pending mails. Returns the measurements, and whether each user got one mail."""
    began = time.monotonic()
    early = 0
    while (got := len(mailbox.accepted)) < many and time.monotonic() < began + many / MANY_PER_MINUTE * 60 * 3:
        time.sleep(5)
        early = early or (processes.memory() if got > many / 20 else 0)
        print(f"{time.monotonic() - began:.0f} s: {got:,} of {many:,}", file=sys.stderr, flush=True)
    seconds = time.monotonic() - began
    times = Counter(len(got) for got in mailbox.accepted.values())
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
    times = Counter(len(mailbox.accepted.get(address, [])) for address in expected)
    # Duplicates: was each delivery before the last one interrupted after its 250, with the same Message-ID?
    twice = [got for got in mailbox.accepted.values() if len(got) > 1]
    in_window = sum(not any(d.quit for d in got[:-1]) and len({d.message_id for d in got}) == 1 for got in twice)
    states = Counter(Mail.objects.values_list("status", flat=True))
    rows = [
        ("users", f"{users:,}"),
        ("got it once", f"{times[1]:,}"),
        ("got it twice, in the window", in_window),
        ("got it twice, outside of it", len(twice) - in_window),
        ("never got it", times[0]),
        ("rows", ", ".join(f"{count:,} {state}" for state, count in states.items())),
        ("rejected temporarily", f"{sum(mailbox.refused.values()):,}"),
        ("killed with -9", ", ".join(f"{count} × a {what}" for what, count in kills.items())),
        ("server down", f"{DOWN:.0f} s"),
        ("took", f"{seconds:.0f} s"),
    ]
    print("\n| | |\n| --- | --- |")
    for name, value in rows:
        print(f"| {name} | {value} |")
    return times[0] == 0 and len(twice) == in_window and set(mailbox.accepted) == expected


def main() -> None:
    parser = shop.arguments(__doc__ or "")
    parser.add_argument("--parts", nargs="+", choices=["faults", "many"], default=["faults", "many"])
    parser.add_argument("--users", type=int, default=10_000)
    parser.add_argument("--short", action="store_true", help="500 users, and 2,000 instead of very many")
    parser.add_argument("--limit", type=float, default=1_200, help="seconds after which it is aborted")
    options = parser.parse_args()
    if not options.redis_port:
        parser.error("--redis-port is needed")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))  # ends the started processes too
    port = free_port()
    os.environ |= {"EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(port)}
    with shop.database(options):
        logging.getLogger("mail.log").setLevel(logging.WARNING)
        print(shop.versions(options))
        passed = [{"faults": with_faults, "many": with_many}[part](options, port) for part in options.parts]
    sys.exit(0 if all(passed) else 1)


def with_faults(options: argparse.Namespace, port: int) -> bool:
    users = 500 if options.short else options.users
    empty(options)
    mailbox = Mailbox()
    make_users(0, users)
    run_every_minute()
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    began = time.monotonic()
    try:
        with Processes(Path(os.environ["DATA_DIR"], "processes.log"), workers=WORKERS, beats=BEATS) as processes:
            controller = run(users, options.limit, mailbox, processes, controller)
    finally:
        controller.stop()
    return report(users, mailbox, processes.kills, time.monotonic() - began)


def with_many(options: argparse.Namespace, port: int) -> bool:
    many = 2_000 if options.short else MANY
    empty(options)
    mailbox = Mailbox(is_faulty=False)
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    os.environ["MAIL_PER_MINUTE"] = str(MANY_PER_MINUTE)
    try:
        enqueuing = enqueue_many(many)
        with Processes(Path(os.environ["DATA_DIR"], "processes.log"), workers=WORKERS, beats=BEATS) as processes:
            sending, passed = send_many(many, mailbox, processes)
    finally:
        controller.stop()
    print("\n| very many | |\n| --- | --- |")
    for name, value in [*enqueuing, *sending]:
        print(f"| {name} | {value} |")
    return passed


def empty(options: argparse.Namespace) -> None:
    """Empty the queue, the cache and the tables of earlier parts."""
    from accounts.models import User
    from outbox.models import Mail

    for database in (options.redis_database, options.redis_database + 1):
        redis.Redis(port=options.redis_port, db=database).flushdb()
    Mail.objects.all()._raw_delete("default")
    User.objects.all()._raw_delete("default")


if __name__ == "__main__":
    main()
