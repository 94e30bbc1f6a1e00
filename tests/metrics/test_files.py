"""What processes counted stays true when they die, and their files do not pile up."""

import multiprocessing
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from prometheus_client import Counter, Histogram, values

from productbackend.metrics import exposition, files
from tests.metrics.reading import parsed, value
from tests.setup.service import wait_for

FORK = multiprocessing.get_context("fork")
PROCESSES, COUNTS = 4, 200


@pytest.fixture
def folder(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A METRICS_DIR of the test's own; this process counts in its usual one."""
    settings.METRICS_DIR = tmp_path
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def count(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Any, Any], None]:
    """What counts in a process of its own, says so, and waits to be killed."""
    # A forked process begins with a file of all that its parent knows, which is what the tests before have counted.
    monkeypatch.setattr(values, "ValueClass", values.MultiProcessValue())
    tasks = Counter("tasks_total", "Tasks.", ["task"], registry=None)
    seconds = Histogram("task_seconds", "Their durations.", ["task"], buckets=(0.1, 0.25, 0.5), registry=None)

    def count(done: Any, then: Any) -> None:
        for _ in range(COUNTS):
            tasks.labels("a.task").inc()
            seconds.labels("a.task").observe(0.2)
        done.release()
        then.wait(30)

    return count


def total() -> float:
    samples = parsed(exposition.text(gauges=False).decode())
    counted = value(samples, "tasks_total", task="a.task")
    assert value(samples, "task_seconds_count", task="a.task") == counted
    assert value(samples, "task_seconds_bucket", task="a.task", le="0.25") == counted
    assert value(samples, "task_seconds_sum", task="a.task") == pytest.approx(counted * 0.2)
    return counted


def test_the_counts_of_killed_processes_stay_and_their_files_go(folder: Path, count: Any) -> None:
    assert values.ValueClass._multiprocess  # else nothing here is about files at all
    for generation in range(1, 4):
        done, never = FORK.Semaphore(0), FORK.Event()
        processes = [FORK.Process(target=count, args=(done, never)) for _ in range(PROCESSES)]
        for process in processes:
            process.start()
        for _ in processes:
            assert done.acquire(timeout=30)
        expected = generation * PROCESSES * COUNTS
        assert total() == expected
        assert len(list(folder.glob("*.db"))) == 2 * PROCESSES + (2 if generation > 1 else 0)
        for process in processes:
            os.kill(process.pid or 0, signal.SIGKILL)
            process.join()
        assert total() == expected
        assert {path.name for path in folder.glob("*.db")} == {"counter_dead.db", "histogram_dead.db"}


def test_no_reader_sees_a_count_twice_or_not_at_all(folder: Path, count: Any) -> None:
    """While processes die, and are folded, the sum neither falls nor rises above what was counted."""
    done, never = FORK.Semaphore(0), FORK.Event()
    processes = [FORK.Process(target=count, args=(done, never)) for _ in range(8)]
    for process in processes:
        process.start()
    for _ in processes:
        assert done.acquire(timeout=30)
    over, expected = FORK.Event(), len(processes) * COUNTS
    readers = [FORK.Process(target=read_again_and_again, args=(over, expected), daemon=True) for _ in range(2)]
    for reader in readers:
        reader.start()
    for process in processes:
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
    wait_for(lambda: len(list(folder.glob("*.db"))) == 2, seconds=20)
    over.set()
    for reader in readers:
        reader.join(120)
        assert reader.exitcode == 0


def read_again_and_again(over: Any, expected: int) -> None:
    while not over.is_set():
        assert total() == expected


def test_a_file_that_was_never_written_is_no_hindrance(folder: Path) -> None:
    (folder / "counter_4194303.db").touch()  # of a process that died as it began
    assert exposition.text(gauges=False) == b""
    with files.locked():
        assert not (folder / "counter_4194303.db").exists()


def test_they_are_beside_the_rest_of_what_this_machine_keeps() -> None:
    assert settings.METRICS_DIR == settings.DATA_DIR / "metrics"
