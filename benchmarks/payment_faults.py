"""Orders paid at the test provider while events are lost, answers fail, processes are killed and the database restarts.

    python -m benchmarks.payment_faults --own-database [--redis-port 6379] [--orders 5000]
    python -m benchmarks.payment_faults --mysql-port 3306 --redis-port 6379 --orders 300 [--control lock]
    python -m benchmarks.payment_faults --sqlite --orders 60

The provider loses, doubles, delays and reorders events, and lies in their bodies; its answers are errors or time out,
also after the effect. Web processes and workers are killed by SIGKILL, and a database that the benchmark has started
(`--own-database`) is restarted twice. Two beats run. Afterwards the faults end, all clocks are moved to what waits,
and the sweeps run until nothing is due. Then the provider's books are compared with the shop's tables; the exit status
is 1 if an invariant is violated. With `--control` a safeguard is missing (benchmarks/payment_controls.py), and the
exit status must be 1; with `--control pause` nothing is missing.
"""

import argparse
import json
import logging
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import redis
from aiosmtpd.controller import Controller

from benchmarks import shop
from benchmarks.background import Processes
from benchmarks.mailbox import Mailbox
from benchmarks.paying_customers import PATIENCE, Caller, Customer, GaveUp
from benchmarks.payment_run import Run, kill, move_clock, print_progress, restart
from benchmarks.provider_process import FAULTS, NONE, inject, provider_process
from tests.ports import free_port

if TYPE_CHECKING:
    from tests.services.servers import Database

PRODUCTS = 10  # fewer in a small run, so that each has some pieces
LAST = 0.75  # customers from this share on begin when each kind of fault has happened
STOCK_SHARE = 0.95  # of the wanted pieces: late money finds stock that is gone, and some that is not
SWEEP_SECONDS = 3  # instead of 30 and 60, as staff may set it in the admin
JOBS = ["sweep: mail", "sweep: refunds", "sweep: payments", "expire orders", "check payments"]
CONTROL_APP = "benchmarks.payment_controls"


def shop_all(run: Run, carts: list[tuple[int, str]], staff: str) -> None:
    """Let all customers act, with the faults in threads of their own."""
    jobs = iter(enumerate(carts))
    next_job = threading.Lock()

    def act(_: int) -> None:
        while True:
            with next_job:
                number, (cart, token) = next(jobs, (0, (0, "")))
            if not cart:
                return
            if number >= run.options.orders * LAST:
                run.wait_for_faults(PATIENCE)
            caller, boss = (Caller(run.web.port, each, run.seen) for each in (token, staff))
            try:
                Customer(number, cart, caller=caller, staff=boss, seed=run.options.seed).act()
            except GaveUp as error:
                run.seen.unfinished.append(str(error))
            caller.close()
            boss.close()
            with next_job:
                run.finished += 1

    threads = [threading.Thread(target=each, args=(run,)) for each in (kill, restart, move_clock)]
    for thread in threads:
        thread.start()
    try:
        with ThreadPoolExecutor(run.options.clients) as pool:
            list(pool.map(act, range(run.options.clients)))
    finally:
        run.done.set()
        for thread in threads:
            thread.join()


def drain(run: Run) -> dict[str, int]:
    """End the faults and let the sweeps work until nothing is due; return what is left, by its kind."""
    from django.conf import settings
    from django.utils import timezone

    from benchmarks import payment_books

    inject(NONE)
    provider = payment_books.Provider(settings.DATA_DIR)
    deadline = time.monotonic() + run.options.patience
    quiet_since, left = None, {"everything": 1}
    while time.monotonic() < deadline:
        run.background.restart_ended()
        if not run.options.beats:
            sweep()
        if provider.waiting():
            quiet_since = None
        elif quiet_since is None:
            quiet_since = timezone.now()
        since = quiet_since or timezone.now()
        payment_books.make_due(since)
        left = payment_books.open_rows(since) | {"the provider's events": provider.waiting()}
        left = {kind: count for kind, count in left.items() if count}
        print_progress(f"waiting for {left}")
        if quiet_since is not None and not left:
            return {}
        run.waits.update(left.keys())
        time.sleep(1)
    return left


def sweep() -> None:
    """Send what the beats would send."""
    from outbox import tasks as mail
    from payments import tasks

    for task in (tasks.expire_orders, tasks.sweep, tasks.sweep_refunds, mail.sweep):
        task.apply_async(expires=2)


def untold(settings: Any) -> int:
    """How many movements the sweeps have not brought in, which must not wait for the comparison of all books."""
    from benchmarks import payment_books

    provider = payment_books.Provider(settings.DATA_DIR)
    return sum((provider.movements(told=True) - payment_books.ledger()).values())


def judge(run: Run) -> dict[str, int]:
    """Drain, compare all books, and count the violations."""
    from django.conf import settings

    from benchmarks import payment_books

    counts = {f"left undone: {kind}": count for kind, count in drain(run).items()}
    counts["movements that the sweeps did not bring in"] = untold(settings)
    counts["check_payments --provider is not content"] = compared()
    counts |= {f"left undone after the comparison: {kind}": count for kind, count in drain(run).items()}
    counts |= payment_books.violations(payment_books.Provider(settings.DATA_DIR), run.mailbox, run.outages)
    counts["customers who gave up"] = len(run.seen.unfinished)
    counts["faults that did not happen"] = len(run.missing())
    if not run.outages:
        counts["answers 500"] = run.seen.repeated["500"]
    return counts


def compared() -> int:
    """Compare with the provider's books, as staff do; 1 if something differs, or fails."""
    from django.core.exceptions import MultipleObjectsReturned
    from django.core.management import CommandError, call_command
    from django.db import DatabaseError

    try:
        call_command("check_payments", provider=True, verbosity=0)
    except (CommandError, DatabaseError, MultipleObjectsReturned) as error:  # the last without the unique reference
        print(error)
        return 1
    return 0


def report(run: Run, counts: dict[str, int], seconds: float) -> None:
    from benchmarks import payment_books

    rows: list[tuple[str, object]] = [
        ("customers", f"{run.options.orders:,} in {seconds:.0f} s, {run.options.clients} at once"),
        ("killed with -9", listed(run.kills + run.background.kills)),
        ("database restarts", len(run.outages)),
        ("what customers did", listed(run.seen.plans)),
        ("requests repeated, by the answer", listed(run.seen.repeated)),
        ("refused", listed(run.seen.refused)),
        ("exceptions in the logs", listed(exceptions())),
        ("afterwards waited, in rounds of a second", listed(run.waits)),
        *payment_books.summary().items(),
        *((f"**{name}**", count) for name, count in counts.items()),
    ]
    print("\n| | |\n| --- | --- |")
    for name, value in rows:
        print(f"| {name} | {value} |")
    for text in dict.fromkeys(run.seen.unfinished):
        print(f"gave up: {text}")
    for text in run.missing():
        print(f"did not happen: {text}")


def exceptions() -> Counter[str]:
    """The last lines of the exceptions in the logs of web and workers."""
    found: Counter[str] = Counter()
    for log in Path(os.environ["DATA_DIR"]).glob("*.log"):
        for line in log.read_text(errors="replace").splitlines():
            with suppress(ValueError, AttributeError, TypeError, StopIteration):
                if text := json.loads(line).get("exception"):
                    found[next(each for each in reversed(text.splitlines()) if each[:1].isalpha())[:80]] += 1
    return found


def listed(counts: Counter[str]) -> str:
    return ", ".join(f"{count:,} × {name}" for name, count in counts.most_common()) or "none"


def prepare(options: argparse.Namespace) -> tuple[list[tuple[int, str]], str]:
    """Create customers with carts, and a member of staff; return the carts with tokens, and the staff's token."""
    from django.db import connection
    from django_celery_beat.models import IntervalSchedule, PeriodicTask

    from accounts.models import User
    from accounts.tokens import issue
    from benchmarks import carts, payment_controls

    IntervalSchedule.objects.filter(every__in=(5, 30, 60)).exclude(period="minutes").update(every=SWEEP_SECONDS)
    PeriodicTask.objects.exclude(name__in=JOBS).update(enabled=False)  # the others would take the workers' time
    users = carts.make_users(options.orders)
    count = max(2, min(PRODUCTS, options.orders // 6))
    products = carts.make_products(count, int(options.orders * 1.5 * STOCK_SHARE / count))
    chosen = random.Random(options.seed)
    wanted = [[(pk, 1) for pk in chosen.sample(products, 1 + number % 2)] for number in range(options.orders)]
    ids = carts.fill([pk for pk, _ in users], wanted)
    boss = User.objects.create(
        username="boss", username_key="boss", email="boss@example.com", password="!", is_staff=True, is_superuser=True
    )
    if options.control == "reference":
        payment_controls.drop_unique_reference()
    token = issue(boss).access
    connection.close()
    return [(cart, token) for cart, (_, token) in zip(ids, users, strict=True)], token


@contextmanager
def database(options: argparse.Namespace, settings: dict[str, str]) -> "Iterator[Database | None]":
    """The database that the options name; yield it if the benchmark may restart it."""
    with ExitStack() as stack:
        own = None
        if options.own_database:
            from tests.services.servers import Database

            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="productbackend-mysql-")))
            own = Database(folder)
            own.start()
            stack.callback(lambda: own.stop())
            options.mysql_port, options.mysql_user, options.mysql_password = own.port, own.user, ""
        if options.sqlite:
            stack.enter_context(shop.sqlite(options.data, **settings))
        else:
            stack.enter_context(shop.database(options, **settings))
        empty(options)
        stack.callback(empty, options)
        yield own


def empty(options: argparse.Namespace) -> None:
    """Empty the Redis databases of the queue and the cache."""
    if options.redis_port and not options.sqlite:
        for number in (options.redis_database, options.redis_database + 1):
            redis.Redis(port=options.redis_port, db=number).flushdb()


def parsed() -> argparse.Namespace:
    parser = shop.arguments(__doc__ or "")
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--sqlite", action="store_true", help="a SQLite database, with cache and queue as files")
    parser.add_argument("--data", type=Path, help="with --sqlite: a folder with the migrated database")
    parser.add_argument("--own-database", action="store_true", help="start a server, and restart it twice")
    parser.add_argument("--orders", type=int, default=5_000)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--workers", type=int, default=2, help="Celery's")
    parser.add_argument("--beats", type=int, default=2, help="0: sweeps begin when the customers are done")
    parser.add_argument("--kill-every", type=float, default=1.0, help="seconds")
    parser.add_argument("--patience", type=float, default=300.0, help="seconds in which all must be done afterwards")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--control", choices=["reference", "lock", "pause", "trusted"], help="a safeguard to omit")
    return parser.parse_args()


def main() -> None:
    options = parsed()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))  # ends the started processes too
    port, mail_port = free_port(), free_port()
    os.environ["BENCHMARK_CONTROL"] = ""  # nothing is missing in this process
    settings = {
        "PORT": str(port),
        "SITE_URL": f"http://127.0.0.1:{port}",
        "PAYMENT_METHODS": "test",
        "TEST_PROVIDER_URL": f"http://127.0.0.1:{free_port()}",
        "EMAIL_HOST": "127.0.0.1",
        "EMAIL_PORT": str(mail_port),
    }
    with database(options, settings) as own:
        logging.getLogger("mail.log").setLevel(logging.WARNING)
        carts, staff = prepare(options)
        if not options.sqlite:
            print(shop.versions(options))
        passed = measured(options, own, carts, staff, mail_port)
    sys.exit(0 if passed else 1)


def measured(
    options: argparse.Namespace, own: "Database | None", carts: list[tuple[int, str]], staff: str, mail_port: int
) -> bool:
    """Run all processes with the faults, print the report, and return whether no invariant is violated."""
    os.environ["BENCHMARK_CONTROL"] = options.control or ""
    mailbox = Mailbox(is_faulty=False)
    controller = Controller(mailbox, hostname="127.0.0.1", port=mail_port)
    controller.start()
    log = Path(os.environ["DATA_DIR"], "processes.log")
    try:
        with (
            provider_process(),
            shop.Web(application=CONTROL_APP) as web,
            Processes(log, workers=options.workers, beats=options.beats, app=CONTROL_APP) as background,
        ):
            background.wait()
            inject(FAULTS | {"seed": options.seed})
            run = Run(options, web, background, mailbox, own)
            began = time.monotonic()
            shop_all(run, carts, staff)
            seconds = time.monotonic() - began
            counts = judge(run)
    finally:
        controller.stop()
    report(run, counts, seconds)
    return not any(counts.values())


if __name__ == "__main__":
    main()
