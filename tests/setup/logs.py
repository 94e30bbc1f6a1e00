"""Parses the logs of a service and finds faults in them."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

FIELDS = {
    "time": str,
    "level": str,
    "logger": str,
    "message": str,
    "process": int,
    "request_id": str | None,
    "user_id": int | None,
    "task": str | None,
    "task_id": str | None,
    "duration_ms": float | int | None,
    "exception": str | None,
}
PROCESSES = ("web", "worker", "images", "beat")


def of_processes(log: str, *names: str) -> Iterator[str]:
    """The lines of the processes of the Procfile, or of these, without the supervisor's prefix."""
    for line in log.splitlines():
        name, bar, rest = line.partition(" | ")
        if bar and name.strip() in (names or PROCESSES):
            yield rest


def parsed(lines: Iterable[str]) -> list[dict[str, Any]]:
    """Parse the lines that are JSON."""
    return [json.loads(line) for line in lines if line.startswith("{")]


def faults(lines: Iterable[str], secrets: Iterable[str]) -> list[str]:
    """The lines that are not JSON with every field, or that contain a secret."""
    found = []
    hidden = list(secrets)
    assert all(hidden), "an empty secret is in every line"
    for line in lines:
        found += [f"holds {secret!r}: {line}" for secret in hidden if secret in line]
        try:
            members = json.loads(line)
            wrong = [name for name, kind in FIELDS.items() if not isinstance(members[name], kind)]
        except (ValueError, KeyError, TypeError) as error:
            found.append(f"is no such JSON, {error!r}: {line}")
        else:
            found += [f"has a strange {name}: {line}" for name in wrong]
    return found
