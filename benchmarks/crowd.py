"""How many concurrent users one machine serves at a p95 below 300 ms, with 1, 2 and 4 web processes, and the memory.

    python -m venv /tmp/locust && /tmp/locust/bin/pip install locust    # not in the service's environment
    python -m benchmarks.crowd --mysql-port 3306 --redis-port 6379 --locust /tmp/locust/bin/locust
        [--processes 1 2 4] [--redis-database 12] [--seconds 30] [--rounds 3] [--database NAME]

Gunicorn, workers and beat run as deployed, but without nginx, and without the throttles by address, since all users
have the same one. The two Redis databases (the one named and the next) are emptied. Locust shares the machine; its CPU
time is printed with the others'.
"""

import argparse
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import shop
from benchmarks.processes import end, family_of

P95_MAX = 300  # ms
PRODUCTS, CUSTOMERS, WORDS = 10_000, 3_000, 300
TRIES = 6  # of a round, if other load disturbed it
STEP = 1.25  # factor between two numbers of users
PASSWORD = "correct horse battery"
TICK = os.sysconf("SC_CLK_TCK")
Groups = dict[str, int]  # name -> the process whose descendants are the group


@dataclass
class Round:
    """The measurement with a number of users."""

    users: int
    p50: float
    p95: float
    rate: float
    failed: int
    shares: dict[str, float]  # of one core, by group of processes; "all else" is other load
    by_name: dict[str, tuple[int, float]]

    @property
    def is_fast_enough(self) -> bool:
        return 0 < self.p95 < P95_MAX and not self.failed


def fill(options: argparse.Namespace) -> dict[str, str]:
    """Create a catalogue and customers. Returns the environment variables that Locust needs."""
    from django.contrib.auth.hashers import make_password

    from accounts.models import User
    from benchmarks.products import grow, make_base
    from products.models import Category, Product

    hashed, names = make_password(PASSWORD), [f"crowd{number}" for number in range(CUSTOMERS)]
    User.objects.bulk_create(
        [User(username=name, username_key=name, email=f"{name}@example.com", password=hashed) for name in names],
        batch_size=1_000,
        ignore_conflicts=True,
    )
    make_base()
    grow(options, os.environ["MYSQL_DATABASE"], PRODUCTS)
    Product.objects.update(quantity=1_000_000)  # nothing sells out
    words: Counter[str] = Counter()
    for name in Product.objects.values_list("name", flat=True):
        words.update(re.findall("[a-z]{4,}", name.lower()))
    data = {
        "products": _shuffled(Product.objects.filter(is_active=True).values_list("pk", flat=True)),
        "categories": _shuffled(Category.objects.values_list("pk", flat=True)),
        "words": [word for word, _ in words.most_common(WORDS)],
    }
    return {"CROWD_PLACES": json.dumps(data), "CROWD_PASSWORD": PASSWORD, "CROWD_CUSTOMERS": str(CUSTOMERS)}


def _shuffled(ids: Any) -> list[int]:
    import random

    found = sorted(ids)
    random.Random(1).shuffle(found)
    return found


@contextmanager
def service(options: argparse.Namespace, processes: int) -> Iterator[tuple[int, Groups]]:
    """Run the service with `processes` web processes. Yields its port and the process groups."""
    from productbackend.embedded.supervisor import read_procfile

    commands = read_procfile(shop.ROOT / "Procfile")
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    with shop.Web("--workers", str(processes)) as web, Path(os.environ["DATA_DIR"], "workers.log").open("ab") as log:
        started = {
            name: subprocess.Popen(
                commands[name], shell=True, cwd=shop.ROOT, env=environment, stdout=log, stderr=log,
                start_new_session=True,
            )
            for name in ("worker", "images", "beat")
        }  # fmt: skip
        try:
            settle(started)
            groups = {"web": web.process.pid} | {name: process.pid for name, process in started.items()}
            groups |= {"mysql": _listener(options.mysql_port), "redis": _listener(options.redis_port)}
            yield web.port, groups
        finally:
            end(list(started.values()))


def settle(started: dict[str, subprocess.Popen[bytes]]) -> None:
    """Wait until all processes have started their children."""
    before: list[list[int]] = []
    while (now := [family_of(process.pid) for process in started.values()]) != before or len(now[0]) < 2:
        before = now
        time.sleep(5)


def _listener(port: int) -> int:
    printed = subprocess.run(["ss", "-ltnpH", f"sport = :{port}"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"pid=(\d+)", printed)
    if found is None:
        raise SystemExit(f"The process that listens on port {port} is not visible: run this as its user, or as root.")
    return int(found[1])


def _busy() -> float:
    """CPU time in seconds that the whole machine has used, without idle and I/O wait."""
    user, nice, system, _, _, *interrupts = Path("/proc/stat").read_text().splitlines()[0].split()[1:9]
    return sum(map(int, (user, nice, system, *interrupts[:2]))) / TICK


def _seconds(pid: int) -> float:
    """CPU time in seconds of a process and its descendants, including those that have ended."""
    used = 0
    for each in family_of(pid):
        fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        used += sum(map(int, fields[11:15]))
    return used / TICK


def crowd(options: argparse.Namespace, port: int, groups: Groups, users: int, environment: dict[str, str]) -> Round:
    """A round without other load on the machine; after TRIES attempts, the last one."""
    for _ in range(TRIES):
        seen = once(options, port, groups, users, environment)
        shares = ", ".join(f"{name} {share:.2f}" for name, share in seen.shares.items())
        line = f"  {users} users: p95 {seen.p95:.0f} ms, {seen.rate:.0f}/s, {seen.failed} failed; {shares}"
        print(line, file=sys.stderr, flush=True)
        if seen.shares["all else"] <= options.others:
            break
    return seen


def once(options: argparse.Namespace, port: int, groups: Groups, users: int, environment: dict[str, str]) -> Round:
    """Start `users` users within ten seconds, then measure."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            options.locust, "--locustfile", str(shop.ROOT / "benchmarks" / "visitors.py"), "--headless",
            "--host", f"http://127.0.0.1:{port}", "--users", str(users), "--spawn-rate", str(max(users / 10, 1)),
            "--run-time", f"{10 + options.seconds}s", "--reset-stats", "--stop-timeout", "1",
            "--json-file", f"{folder}/stats", "--only-summary",
        ]  # fmt: skip
        process = subprocess.Popen(
            command, env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        time.sleep(12)  # all users have started
        watched = groups | {"locust": process.pid}
        before, began = {name: _seconds(pid) for name, pid in watched.items()}, time.monotonic()
        busy = _busy()
        time.sleep(options.seconds - 4)
        took = time.monotonic() - began
        shares = {name: (_seconds(pid) - before[name]) / took for name, pid in watched.items()}
        shares["all else"] = (_busy() - busy) / took - sum(shares.values())
        _, errors = process.communicate(timeout=60)
        found = Path(folder, "stats.json")
        assert found.exists(), errors[-3000:]
        rows = json.loads(found.read_text())
    whole: Counter[float] = Counter()
    for row in rows:
        whole.update({float(ms): count for ms, count in row["response_times"].items()})
    failed = sum(row["num_failures"] for row in rows)
    if failed:
        print(errors[-1500:], file=sys.stderr)
    return Round(
        users,
        _quantile(whole, 0.5),
        _quantile(whole, 0.95),
        sum(row["num_requests"] for row in rows) / options.seconds,
        failed,
        shares,
        {row["name"]: (row["num_requests"], _quantile(_times(row), 0.95)) for row in rows},
    )


def _times(row: dict[str, Any]) -> Counter[float]:
    return Counter({float(ms): count for ms, count in row["response_times"].items()})


def _quantile(times: Counter[float], share: float) -> float:
    """The quantile `share` of the response times."""
    left = share * times.total()
    for ms in sorted(times):
        left -= times[ms]
        if left <= 0:
            return ms
    return 0.0


def highest(options: argparse.Namespace, port: int, groups: Groups, environment: dict[str, str]) -> list[Round]:
    """The rounds with the highest number of users at which the median p95 is below P95_MAX."""
    users, best = options.users, 0
    while True:
        seen = crowd(options, port, groups, users, environment)
        if seen.is_fast_enough:
            best, users = users, round(users * STEP)
        elif best:
            break
        else:
            users = round(users / STEP**2)
    while best:
        rounds = [crowd(options, port, groups, best, environment) for _ in range(options.rounds)]
        if statistics.median(each.p95 for each in rounds) < P95_MAX and not any(each.failed for each in rounds):
            return rounds
        best = round(best / STEP**0.5)
    raise SystemExit("No number of users is served below the limit.")


def memory(groups: Groups) -> dict[str, list[float]]:
    """MB of each process, with its proportional share of shared memory."""
    found = {}
    for name, pid in groups.items():
        texts = [Path(f"/proc/{each}/smaps_rollup").read_text() for each in family_of(pid)]
        found[name] = [int(re.findall(r"Pss:\s+(\d+)", text)[0]) / 1024 for text in texts]
    return found


def report(processes: int, rounds: list[Round], used: dict[str, list[float]]) -> None:
    p95 = [each.p95 for each in rounds]
    shares = {name: statistics.median(each.shares[name] for each in rounds) for name in rounds[0].shares}
    print(
        f"| {processes} | {rounds[0].users} | {statistics.median(each.rate for each in rounds):.0f} "
        f"| {statistics.median(each.p50 for each in rounds):.0f} "
        f"| {statistics.median(p95):.0f} ({min(p95):.0f} to {max(p95):.0f}) "
        f"| {', '.join(f'{name} {share:.2f}' for name, share in shares.items())} "
        f"| {', '.join(f'{name} {sum(sizes):.0f}' for name, sizes in used.items())} |",
        flush=True,
    )
    for name, sizes in used.items():
        print(f"  {name}: {', '.join(f'{size:.0f}' for size in sizes)} MB", file=sys.stderr)
    for name, (count, ms) in sorted(rounds[0].by_name.items(), key=lambda row: -row[1][0]):
        print(f"  {name}: {count}, p95 {ms:.0f} ms", file=sys.stderr)


def main() -> None:
    parser = shop.arguments("How many concurrent users one machine serves.")
    parser.add_argument("--locust", default="locust")
    parser.add_argument("--processes", type=int, nargs="*", default=[1, 2, 4])
    parser.add_argument("--database", default="", help="one that is kept and reused")
    parser.add_argument("--users", type=int, default=200, help="at the beginning")
    parser.add_argument("--seconds", type=int, default=30, help="of each measurement")
    parser.add_argument(
        "--others", type=float, default=0.3, help="cores that other load may use; else the round is repeated"
    )
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # ends the started processes too
    os.environ |= dict.fromkeys(("THROTTLE_REGISTER", "THROTTLE_TOKEN", "THROTTLE_CHECKOUT"), "1000000/s")
    with shop.database(options, options.database):
        from django.core.cache import cache

        environment = fill(options)
        print(shop.versions(options))
        print("\n| web processes | users | requests a second | median ms | p95 ms | processor, cores | memory, MB |")
        print("| --- | --- | --- | --- | --- | --- | --- |", flush=True)
        for processes in options.processes:
            cache.clear()
            with service(options, processes) as (port, groups):
                rounds = highest(options, port, groups, environment)
                report(processes, rounds, memory(groups))


if __name__ == "__main__":
    main()
