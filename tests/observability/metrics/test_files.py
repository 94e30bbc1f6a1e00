"""Counts survive the processes that counted, and their files do not accumulate."""

import multiprocessing
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from prometheus_client import Counter, Histogram, generate_latest, values

from productbackend.observability.metrics import exposition, files, mapped
from tests.observability.metrics.reading import parsed, value
from tests.waiting import wait_for

FORK = multiprocessing.get_context("fork")
PROCESSES, COUNTS = 4, 200


@pytest.fixture
def folder(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A METRICS_DIR for the test; this process uses its usual one."""
    settings.METRICS_DIR = tmp_path
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def count(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Any, Any], None]:
    """A function that counts in its own process, signals it, and waits to be killed."""
    # A forked process would start with its parent's counters, from earlier tests.
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
    samples = parsed(generate_latest(exposition.WORKER).decode())
    counted = value(samples, "tasks_total", task="a.task")
    assert value(samples, "task_seconds_count", task="a.task") == counted
    assert value(samples, "task_seconds_bucket", task="a.task", le="0.25") == counted
    assert value(samples, "task_seconds_sum", task="a.task") == pytest.approx(counted * 0.2)
    return counted


def test_the_files_of_killed_processes_are_merged(folder: Path, count: Any) -> None:
    assert values.ValueClass._multiprocess  # otherwise no files are used
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


@pytest.mark.thorough
def test_merging_is_atomic_for_readers(folder: Path, count: Any) -> None:
    """While dead processes are merged, the sum neither falls nor exceeds the true count."""
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


def count_as(process: str, done: Any, then: Any) -> None:
    """Count once as a process of another container, whose process id may not exist here."""
    values.ValueClass = values.MultiProcessValue(lambda: process)
    Counter("shared_total", "Counted.", registry=None).inc()
    done.release()
    then.wait(30)


def test_a_process_of_another_container_does_not_count_as_dead(folder: Path) -> None:
    """Two containers share METRICS_DIR, but not process ids."""
    done, never = FORK.Semaphore(0), FORK.Event()
    names = ("a" * 12 + "-4194303", "b" * 12 + "-4194303")
    processes = [FORK.Process(target=count_as, args=(name, done, never)) for name in names]
    for process in processes:
        process.start()
        assert done.acquire(timeout=30)
    for _ in range(2):
        assert value(parsed(generate_latest(exposition.WORKER).decode()), "shared_total") == 2
        assert {path.name for path in folder.glob("*.db")} == {f"counter_{name}.db" for name in names}
    for process in processes:
        process.kill()
        process.join()
    assert value(parsed(generate_latest(exposition.WORKER).decode()), "shared_total") == 2
    assert {path.name for path in folder.glob("*.db")} == {"counter_dead.db"}


def test_a_file_is_named_after_its_host_and_its_process() -> None:
    assert mapped.process_id() == f"{mapped.host_id()}-{os.getpid()}"
    Counter("named_total", "Counted.", registry=None).inc()
    assert (settings.METRICS_DIR / f"counter_{mapped.process_id()}.db").exists()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk with space for the counters of one process."""
    if os.geteuid() or shutil.which("mount") is None:
        pytest.skip("only root can mount a small disk")
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={2 * mapped.FILE_SIZE + 65536}", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small disk cannot be mounted here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def fill(disk: Path) -> None:
    with suppress(OSError), (disk / "full").open("wb", buffering=0) as file:
        while file.write(bytes(4096)):
            pass


def count_on_a_full_disk(disk: Path, has_counted: bool) -> None:
    values.ValueClass = values.MultiProcessValue(mapped.process_id)
    counters = Counter("much_total", "Counted.", ["which"], registry=None)
    if has_counted:
        counters.labels("0").inc()
    fill(disk)
    for number in range(8000):  # more than fit into the file
        counters.labels(str(number)).inc()
    fill(disk)
    os._exit(0)


@pytest.mark.thorough
@pytest.mark.parametrize("has_counted", [True, False])
def test_a_full_disk_kills_no_process(
    small_disk: Path, settings: Any, monkeypatch: pytest.MonkeyPatch, has_counted: bool
) -> None:
    settings.METRICS_DIR = small_disk
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(small_disk))
    process = FORK.Process(target=count_on_a_full_disk, args=(small_disk, has_counted))
    process.start()
    process.join(60)
    assert process.exitcode == 0  # not -SIGBUS
    text = generate_latest(exposition.WORKER)
    assert has_counted is (b"much_total" in text)
    assert generate_latest(exposition.WORKER) == text


def test_an_empty_file_is_merged(folder: Path) -> None:
    (folder / "counter_4194303.db").touch()  # of a process that died on start
    assert generate_latest(exposition.WORKER) == b""
    with files.locked():
        assert not (folder / "counter_4194303.db").exists()


def test_metrics_dir_is_below_data_dir_by_default() -> None:
    assert settings.METRICS_DIR == settings.DATA_DIR / "metrics"
