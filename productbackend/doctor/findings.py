"""Findings, and the concurrent execution of checks: no check waits for another or hides another.

A check is a generator of findings. It runs in its own thread, within a time limit. If a part that it needs is
unreachable it yields a short warning, and the check of that part says what to do.
"""

import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.conf import settings
from django.db import InterfaceError, OperationalError, connections
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError

GOOD, WARN, BAD = "good", "warn", "bad"
SECONDS = 20.0  # for all checks, which run concurrently; the timeouts of their clients are shorter


@dataclass(frozen=True)
class Finding:
    level: str
    text: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.level:4}  {self.name}: {self.text}"


Findings = Iterator[Finding]


@dataclass(frozen=True)
class Check:
    """A named check. `needs` is the part that it depends on: a key of UNREACHABLE."""

    name: str
    run: Callable[[], Findings]
    needs: str = ""


REGISTERED: list[Check] = []  # of apps, which add to it in `ready()`


def good(text: str) -> Finding:
    return Finding(GOOD, text)


def warn(text: str) -> Finding:
    return Finding(WARN, text)


def bad(text: str) -> Finding:
    return Finding(BAD, text)


class Unreachable(Exception):
    """The site does not respond at its address."""


UNREACHABLE: dict[str, tuple[type[Exception], ...]] = {
    "": (),
    "the database": (OperationalError, InterfaceError),
    "Redis": (RedisError, BrokerError, OSError),
    "the site": (Unreachable,),
}


class CheckThread(threading.Thread):
    """Runs one check. A daemon thread, so that a check that hangs does not block the exit of the process."""

    def __init__(self, check: Check) -> None:
        super().__init__(daemon=True)
        self.check = check
        self.findings: list[Finding] = []

    def run(self) -> None:
        try:
            for finding in self.check.run():
                self.add(finding)
        except UNREACHABLE[self.check.needs] as error:
            self.add(warn(f"not checked without {self.check.needs}: {brief(error)}"))
        except Exception as error:  # any error is a finding of this check, and the other checks go on
            self.add(bad(f"{type(error).__name__}: {brief(error)}"))
        finally:
            connections.close_all()  # each thread has its own

    def add(self, finding: Finding) -> None:
        self.findings.append(Finding(finding.level, without_secrets(finding.text), self.check.name))


def run_checks(checks: list[Check]) -> Iterator[Finding]:
    """Run all checks concurrently and yield their findings in the given order, as soon as they are known."""
    threads = [CheckThread(check) for check in checks]
    end = time.monotonic() + SECONDS
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0, end - time.monotonic()))
        if thread.is_alive():
            thread.add(bad(f"no response within {SECONDS:.0f} s; the server hangs, or a firewall drops packets"))
        yield from list(thread.findings)


def without_secrets(text: str) -> str:
    """Replace the values of secret settings, which an error of a server may quote."""
    named = [getattr(settings, name) for name in dir(settings) if re.search("KEY|PASSWORD|SECRET", name)]
    named += [database["PASSWORD"] for database in settings.DATABASES.values() if "PASSWORD" in database]
    named += [key for keys in named if isinstance(keys, list) for key in keys]
    for value in named:
        if isinstance(value, str) and len(value) > 5:  # replacing a short value would also hide harmless words
            text = text.replace(value, "***")
    return text


def brief(error: BaseException) -> str:
    """The message of an error in one line."""
    match error.args:
        case [int(), str(text)]:  # errors of MySQL and of the system, with a number
            pass
        case _:
            text = str(error)
    return " ".join(text.split())[:300] or type(error).__name__
