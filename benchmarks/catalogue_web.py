"""The service with the yardsticks' paths, and clients for it."""

import http.client
import os
import re
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import shop
from benchmarks.figures import spread
from tests.ports import free_port

CONNECTIONS = 8

Ask = tuple[str, dict[str, str]]  # a path, and headers


class Web(shop.Web):
    """Gunicorn on one database; its workers are not restarted, so that their memory can be measured."""

    def __init__(self, *, cache: bool, database: str = "") -> None:
        super().__init__(
            "--max-requests",
            "0",
            DJANGO_SETTINGS_MODULE="benchmarks.yardstick_settings",
            CATALOGUE_CACHE="on" if cache else "off",
            MYSQL_DATABASE=database or os.environ["MYSQL_DATABASE"],
            PORT=str(free_port()),
        )

    def client(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def get(
        self, path: str, client: http.client.HTTPConnection | None = None, headers: dict[str, str] | None = None
    ) -> bytes:
        client = client or self.client()
        client.request("GET", path, headers=headers or {})
        response = client.getresponse()
        body = response.read()
        assert response.status == 200, (path, response.status, body[:500])
        self.tag = response.headers.get("ETag", "")
        return body

    def rate(self, path: str, seconds: int, *, script: Path | None = None, **headers: str) -> float:
        """Requests per second, by wrk."""
        given = [part for name, value in headers.items() for part in ("-H", f"{name.replace('_', '-')}: {value}")]
        given += ["-s", str(script)] if script else []
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", *given, f"http://127.0.0.1:{self.port}{path}"]
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert "Non-2xx" not in printed, printed
        return float(re.search(r"Requests/sec:\s+([0-9.]+)", printed)[1])  # type: ignore[index]

    def rates(self, asks: Sequence[Ask], seconds: int) -> list[float]:
        """Requests per second of each, alternating every second, so that changes of the machine's speed affect all."""
        turns = [[self.rate(path, 1, **headers) for path, headers in asks] for _ in range(seconds)]
        return [statistics.mean(turn) for turn in zip(*turns, strict=True)]

    def memory(self) -> list[tuple[int, int]]:
        """Resident and unshared memory of each worker, in kilobytes."""
        texts = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in self.workers()]
        return [(_sum(r"Rss:\s+(\d+)", text), _sum(r"Private_\w+:\s+(\d+)", text)) for text in texts]


def _sum(pattern: str, text: str) -> int:
    return sum(int(found) for found in re.findall(pattern, text))


Work = Callable[[], Any]


def alternating(first: Work, second: Work, times: int, rounds: int, limit: float = 4.0) -> tuple[list[float], ...]:
    """The median in ms of each in each round, alternating; slow ones run less often than `times`."""
    first(), second()
    medians: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        found: tuple[list[float], list[float]] = ([], [])
        end = time.monotonic() + limit
        while len(found[0]) < times and (time.monotonic() < end or len(found[0]) < 2):
            for work, taken in zip((first, second), found, strict=True):
                start = time.perf_counter()
                work()
                taken.append((time.perf_counter() - start) * 1000)
        for taken, median in zip(found, medians, strict=True):
            median.append(statistics.median(taken))
    return medians


def compare(name: str, ours: Sequence[float], theirs: Sequence[float]) -> None:
    share = statistics.median(ours) / statistics.median(theirs)
    print(f"| {name} | {spread(ours)} | {spread(theirs)} | {share:.2f} |", flush=True)
