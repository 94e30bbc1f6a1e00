"""What processes counted stays true when they die, and their files do not pile up."""

import multiprocessing
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from prometheus_client import values

from productbackend.metrics import counters, exposition, files
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


def count(done: Any, then: Any) -> None:
    """In a process of its own: count, say so, and wait to be killed."""
    for _ in range(COUNTS):
        counters.tasks.labels("a.task", "success").inc()
        counters.task_seconds.labels("a.task").observe(0.2)
    done.release()
    then.wait(30)


def total() -> float:
    samples = parsed(exposition.text(gauges=False).decode())
    counted = value(samples, "productbackend_tasks_total", task="a.task")
    assert value(samples, "productbackend_task_duration_seconds_count", task="a.task") == counted
    assert value(samples, "productbackend_task_duration_seconds_bucket", task="a.task", le="0.25") == counted
    assert value(samples, "productbackend_task_duration_seconds_sum", task="a.task") == pytest.approx(counted * 0.2)
    return counted


def test_the_counts_of_killed_processes_stay_and_their_files_go(folder: Path) -> None:
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


def test_no_reader_sees_a_count_twice_or_not_at_all(folder: Path) -> None:
    """While processes die, and are folded, the sum neither falls nor rises above what was counted."""
    done, never = FORK.Semaphore(0), FORK.Event()
    processes = [FORK.Process(target=count, args=(done, never)) for _ in range(8)]
    for process in processes:
        process.start()
    for _ in processes:
        assert done.acquire(timeout=30)
    readers = [FORK.Process(target=read_again_and_again, args=(done, len(processes) * COUNTS)) for _ in range(2)]
    for reader in readers:
        reader.start()
    for process in processes:
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
    wait_for(lambda: len(list(folder.glob("*.db"))) == 2, seconds=20)
    for reader in readers:
        reader.join(120)
        assert reader.exitcode == 0


def read_again_and_again(done: Any, expected: int) -> None:
    for _ in range(30):
        assert total() == expected


def test_a_file_that_was_never_written_is_no_hindrance(folder: Path) -> None:
    (folder / "counter_4194303.db").touch()  # of a process that died as it began
    assert exposition.text(gauges=False) == b""
    with files.locked():
        assert not (folder / "counter_4194303.db").exists()


def test_they_are_beside_the_rest_of_what_this_machine_keeps() -> None:
    assert settings.METRICS_DIR == settings.DATA_DIR / "metrics"
