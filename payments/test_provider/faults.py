"""Faults that the provider injects: by chance, for benchmarks, and once, for a developer who wants to see one."""

import json
import random
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from payments.test_provider.store import Store

# What can happen once to the next start of a payment, and to the next refund.
NEXT_START = {
    "refused": "is refused",
    "error": "takes effect, and the answer is an error 500",
    "times_out": "takes effect, and the answer times out",
}
NEXT_REFUND = NEXT_START | {
    "pending": "is pending, and is done 10 seconds later",
    "fails_later": "is pending, and fails 10 seconds later",
    "comes_back": "is done, and fails 10 seconds later: the money comes back",
}
SECONDS_MAX = 60.0


@dataclass(frozen=True)
class Faults:
    """Probabilities from 0 to 1, and the times in seconds."""

    seed: int = 1
    # Of an event:
    lose: float = 0.0
    double: float = 0.0
    delay: float = 0.0  # by delay_seconds
    reorder: float = 0.0  # a part of delay_seconds, so that a later one may arrive before
    lie: float = 0.0  # the body says that the payment succeeded, whatever is true
    delay_seconds: float = 5.0
    # Of an answer of the API:
    error_before: float = 0.0  # 500 without an effect
    error_after: float = 0.0  # 500 after the effect
    timeout_after: float = 0.0  # no answer for timeout_seconds, after the effect
    timeout_seconds: float = 8.0  # longer than the client waits
    # Once, then cleared:
    next_start: str = ""
    next_refund: str = ""


CHANCES = {"lose", "double", "delay", "reorder", "lie", "error_before", "error_after", "timeout_after"}
TIMES = {"delay_seconds", "timeout_seconds"}
ONCE = {"next_start": NEXT_START, "next_refund": NEXT_REFUND}


def parse(members: dict[str, Any], present: Faults) -> Faults:
    """The present faults with these members changed. Raises ValueError for an unknown member or a wrong value."""
    known = {field.name for field in fields(Faults)}
    if unknown := sorted(set(members) - known):
        raise ValueError(f"{unknown[0][:50]} is unknown; known are {', '.join(sorted(known))}")
    for name, value in members.items():
        if name in ONCE:
            if value not in ("", *ONCE[name]):
                raise ValueError(f"{name} is one of {', '.join(ONCE[name])}, or empty")
            continue
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        most = 1.0 if name in CHANCES else SECONDS_MAX if name in TIMES else 2.0**31
        if not is_number or not 0 <= value <= most:
            raise ValueError(f"{name} is a number from 0 to {most:.0f}")
    return replace(present, **members)


class Injector:
    """The faults in force, stored so that a restart keeps them, and the dice."""

    def __init__(self, store: Store) -> None:
        self.store = store
        found = store.row("SELECT value FROM setting WHERE name = 'faults'")
        self.faults = parse(json.loads(found["value"]), Faults()) if found else Faults()
        self.random = random.Random(self.faults.seed)

    def change(self, members: dict[str, Any]) -> Faults:
        """Change faults. A seed starts the dice again. Raises ValueError."""
        with self.store.transaction():
            self.faults = parse(members, self.faults)
            if "seed" in members:
                self.random = random.Random(self.faults.seed)
            self._write()
            return self.faults

    def take(self, name: str) -> str:
        """What happens to the next start or refund; it is cleared."""
        with self.store.transaction():
            taken: str = getattr(self.faults, name)
            if taken:
                self.faults = parse({name: ""}, self.faults)
                self._write()
            return taken

    def happens(self, name: str) -> bool:
        """Whether the fault of this name happens now."""
        chance: float = getattr(self.faults, name)
        if not chance:
            return False
        with self.store.lock:
            return self.random.random() < chance

    def share(self) -> float:
        """A random number from 0 to 1."""
        with self.store.lock:
            return self.random.random()

    def _write(self) -> None:
        value = json.dumps(asdict(self.faults))
        self.store.run("INSERT OR REPLACE INTO setting (name, value) VALUES ('faults', ?)", value)
