"""What must hold after the soak: counts that must be 0, and the table of its report."""

import os
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.mailbox import Mailbox
from benchmarks.provider_process import NONE, inject
from tests.containers.crowd import Failure, Record
from tests.containers.faults import Faults, Happened, addresses
from tests.containers.shoppers import check_pictures
from tests.containers.stack import SETTINGS, containers, manage, say, sql

PROXY_BACK_WITHIN = 20  # seconds after its fault
PROXY_CLOSED_WITHIN = 1  # seconds: so long connections to a proxy that was killed are still accepted, and lost
DATABASE_BACK_WITHIN = 15
DRAINED_WITHIN = 300


@dataclass
class Reckoning:
    record: Record
    faults: Faults
    mailbox: Mailbox

    def counts(self, folder: Path) -> dict[str, int]:
        """Let all that waits be done, then count what must be 0."""
        use_database()
        from benchmarks import payment_books

        inject(NONE)
        books = payment_books.Provider(folder)
        counts = {f"left undone: {what}": count for what, count in drain(books).items()}
        manage("check_payments", "--provider", "--verbosity", "0")
        counts |= {f"left undone after the comparison: {what}": count for what, count in drain(books).items()}
        counts |= payment_books.violations(books, self.mailbox, self.faults.outages(DATABASE_BACK_WITHIN))
        say(verified := manage("verify"))
        stored = {row[0] for row in sql("SELECT number FROM orders_order")}
        check_pictures(set(self.record.pictures))
        return counts | {
            "verifiers that found something": sum(not line.startswith("good") for line in verified.splitlines()),
            "orders lost": len(self.record.orders - stored),
            "customers who gave up": len(self.record.seen.unfinished),
            "answers that nobody expected": len(self.record.surprises),
            "requests that failed and were not in flight at a fault": len(self.unexplained()),
        }

    def unexplained(self) -> list[Failure]:
        return [failure for failure in self.record.failures if not self.explains(failure)]

    def explains(self, failure: Failure) -> bool:
        """Whether the request was in flight when a fault took effect, or nobody listened since the proxy was killed."""
        for fault in self.faults.happened:
            if failure.began <= fault.applied and failure.ended >= fault.began:
                return True
            seconds = PROXY_BACK_WITHIN if failure.is_refusal else PROXY_CLOSED_WITHIN
            if fault.name.endswith(" proxy") and fault.began <= failure.began <= fault.ended + seconds:
                return True
        return False

    def report(self, counts: dict[str, int], **more: object) -> None:
        from benchmarks import payment_books

        names = Counter(each.name for each in self.faults.happened)
        in_flight = len(self.record.failures) - len(self.unexplained())
        rows: dict[str, object] = {
            **more,
            "faults": f"{names.total()} of {len(names)} kinds",
            "answers": listed(self.record.answers),
            "slowest request": f"{self.record.slowest:.1f} s",
            "done": listed(self.record.done),
            "what customers did": listed(self.record.seen.plans),
            "failed in flight at a fault, or as the proxy was killed": in_flight,
            **payment_books.summary(),
            **{f"**{what}**": count for what, count in counts.items()},
        }
        say("\n".join(["", "| | |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in rows.items())]))
        for failure in self.unexplained():
            say(f"failed: {failure.what}: {self.time_of(failure)}")
        for text in dict.fromkeys([*self.record.seen.unfinished, *self.record.surprises]):
            say(f"unexpected: {text}")

    def time_of(self, failure: Failure) -> str:
        """When a request began and ended, from the beginning of the last fault before its end."""
        before = [fault for fault in self.faults.happened if fault.began <= failure.ended]
        last = before[-1] if before else Happened("the first fault", failure.began)
        return f"{failure.began - last.began:.1f} to {failure.ended - last.began:.1f} s after {last.name}"


def listed(counts: Counter[str]) -> str:
    return ", ".join(f"{count:,} × {name}" for name, count in counts.most_common()) or "none"


def use_database() -> None:
    """Let this process's Django use the stack's database."""
    [address, *_] = addresses(containers("db")[0])
    os.environ |= {
        "MYSQL_HOST": address,
        "MYSQL_USER": "productbackend",
        "MYSQL_PASSWORD": SETTINGS["MYSQL_PASSWORD"],
        "DJANGO_SETTINGS_MODULE": "productbackend.settings",
    }
    import django

    django.setup()


def drain(books: Any) -> dict[str, int]:
    """Move the clock of what waits until nothing does; return what is left, by its kind."""
    from django.utils import timezone
    from django_celery_beat.models import IntervalSchedule

    from benchmarks import payment_books

    IntervalSchedule.objects.filter(every__in=(30, 60), period="seconds").update(every=5)
    began, since = time.monotonic(), timezone.now()
    left = {"everything": 1}
    while left and time.monotonic() < began + DRAINED_WITHIN:
        payment_books.make_due(since)
        counts = payment_books.open_rows(since) | {"the provider's events": books.waiting()}
        left = {kind: count for kind, count in counts.items() if count}
        time.sleep(1)
    return left
