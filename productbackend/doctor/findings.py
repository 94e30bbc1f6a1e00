"""What a check finds, and how all of them are run: none waits for another, and none hides another.

A check is a generator of findings. It has a thread of its own and a few seconds; where it cannot look, because
something else is away, it says so briefly, and the check of that part says what to do.
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
SECONDS = 20.0  # for all checks, which run at once; each client in them gives up sooner


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
    """`needs` is what it cannot look without: a key of AWAY."""

    name: str
    look: Callable[[], Findings]
    needs: str = ""


def good(text: str) -> Finding:
    return Finding(GOOD, text)


def warn(text: str) -> Finding:
    return Finding(WARN, text)


def bad(text: str) -> Finding:
    return Finding(BAD, text)


class Unreachable(Exception):
    """The service does not answer at its address."""


AWAY: dict[str, tuple[type[Exception], ...]] = {
    "": (),
    "the database": (OperationalError, InterfaceError),
    "Redis": (RedisError, BrokerError, OSError),
    "the site": (Unreachable,),
}


class Look(threading.Thread):
    """One check at work. A daemon, so that one that hangs does not hold up the end of the process."""

    def __init__(self, check: Check) -> None:
        super().__init__(daemon=True)
        self.check = check
        self.findings: list[Finding] = []

    def run(self) -> None:
        try:
            for finding in self.check.look():
                self.add(finding)
        except AWAY[self.check.needs] as error:
            self.add(warn(f"not seen without {self.check.needs}: {brief(error)}"))
        except Exception as error:  # whatever it is, it is this check's finding and hides no other
            self.add(bad(f"{type(error).__name__}: {brief(error)}"))
        finally:
            connections.close_all()  # each thread has its own

    def add(self, finding: Finding) -> None:
        self.findings.append(Finding(finding.level, without_secrets(finding.text), self.check.name))


def look_at(checks: list[Check]) -> Iterator[Finding]:
    """The findings of all checks, in their order, each as soon as it and those before it are known."""
    looks = [Look(check) for check in checks]
    end = time.monotonic() + SECONDS
    for look in looks:
        look.start()
    for look in looks:
        look.join(max(0, end - time.monotonic()))
        if look.is_alive():
            look.add(bad(f"no answer within {SECONDS:.0f} s; what it asks hangs, or is cut off by a firewall"))
        yield from list(look.findings)


def without_secrets(text: str) -> str:
    """A server's error may quote what it was sent."""
    named = [getattr(settings, name) for name in dir(settings) if re.search("KEY|PASSWORD|SECRET", name)]
    named += [database["PASSWORD"] for database in settings.DATABASES.values() if "PASSWORD" in database]
    for value in named:
        if isinstance(value, str) and len(value) > 5:  # a shorter one is a word, and would hide harmless ones
            text = text.replace(value, "***")
    return text


def brief(error: BaseException) -> str:
    """An error in one line."""
    match error.args:
        case [int(), str(text)]:  # MySQL's and the system's, with a number
            pass
        case _:
            text = str(error)
    return " ".join(text.split())[:300] or type(error).__name__
