"""The service with the yardsticks' paths, and its clients."""

import http.client
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import shop

CONNECTIONS = 8

Ask = tuple[str, dict[str, str]]  # a path, and headers


class Web(shop.Web):
    """Gunicorn on one database; its workers stay, so that their memory can be watched."""

    def __init__(self, *, cache: bool, database: str = "") -> None:
        super().__init__()
        self.port = shop.free_port()
        self.environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "benchmarks.yardstick_settings",
            "CATALOGUE_CACHE": "on" if cache else "off",
            "MYSQL_DATABASE": database or os.environ["MYSQL_DATABASE"],
            "PORT": str(self.port),
        }

    def __enter__(self) -> "Web":
        command = [sys.executable, "-m", "gunicorn", "--config", shop.CONFIG, "--access-logfile", os.devnull]
        self.log = Path(os.environ["DATA_DIR"], f"gunicorn-{self.port}.log").open("wb")
        self.process = subprocess.Popen(
            [*command, "--max-requests", "0", "productbackend.wsgi"],
            cwd=shop.ROOT, env=self.environment, stdout=self.log, stderr=self.log, start_new_session=True,
        )  # fmt: skip
        self.wait()
        return self

    def client(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def get(
        self, path: str, client: http.client.HTTPConnection | None = None, headers: dict[str, str] | None = None
    ) -> bytes:
        client = client or self.client()
        client.request("GET", path, headers=headers or {})
        answer = client.getresponse()
        body = answer.read()
        assert answer.status == 200, (path, answer.status, body[:500])
        self.tag = answer.headers.get("ETag", "")
        return body

    def rate(self, path: str, seconds: int, *, script: Path | None = None, **headers: str) -> float:
        """Requests a second, by wrk."""
        given = [part for name, value in headers.items() for part in ("-H", f"{name.replace('_', '-')}: {value}")]
        given += ["-s", str(script)] if script else []
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", *given, f"http://127.0.0.1:{self.port}{path}"]
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert "Non-2xx" not in printed, printed
        return float(re.search(r"Requests/sec:\s+([0-9.]+)", printed)[1])  # type: ignore[index]

    def rates(self, asks: Sequence[Ask], seconds: int) -> list[float]:
        """Requests a second of each, a second of one after a second of another: the machine's moods meet them all."""
        turns = [[self.rate(path, 1, **headers) for path, headers in asks] for _ in range(seconds)]
        return [statistics.mean(turn) for turn in zip(*turns, strict=True)]

    def memory(self) -> list[tuple[int, int]]:
        """Kilobytes of each worker: what is resident, and what of that it does not share with the others."""
        texts = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in self.workers()]
        return [(_sum(r"Rss:\s+(\d+)", text), _sum(r"Private_\w+:\s+(\d+)", text)) for text in texts]


def _sum(pattern: str, text: str) -> int:
    return sum(int(found) for found in re.findall(pattern, text))


Work = Callable[[], Any]


def alternating(first: Work, second: Work, times: int, rounds: int, limit: float = 4.0) -> tuple[list[float], ...]:
    """The median in ms of each in each round, taken by turns; slow ones less often than `times`."""
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


def spread(values: Sequence[float], digits: int = 0) -> str:
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def compare(name: str, ours: Sequence[float], theirs: Sequence[float]) -> None:
    share = statistics.median(ours) / statistics.median(theirs)
    print(f"| {name} | {spread(ours)} | {spread(theirs)} | {share:.2f} |", flush=True)
