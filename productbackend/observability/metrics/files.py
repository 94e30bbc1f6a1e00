"""The counter files of the processes: those of dead processes are merged into one, so that they do not accumulate.

The counts of a dead process must still be counted. A reader of all files holds the lock too, so it never reads counts
twice while they are in two files.
"""

import fcntl
import os
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from django.conf import settings
from prometheus_client.mmap_dict import MmapedDict

KINDS = ("counter", "histogram")
MERGED = "dead"
MAP_MIN = 1 << 16
ENTRY = 40  # bytes: the maximum size of an entry without its key


@contextmanager
def locked(folder: Path | None = None) -> Iterator[None]:
    """Lock the files against processes that create, merge or read them; incrementing a counter takes no lock."""
    with open((folder or settings.METRICS_DIR) / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def merge_dead_files() -> None:
    """Merge the files of dead processes. The caller holds the lock."""
    for kind in KINDS:
        left = [path for path in settings.METRICS_DIR.glob(f"{kind}_*.db") if _is_dead(path)]
        if left:
            _merge(left, settings.METRICS_DIR / f"{kind}_{MERGED}.db")


def _is_dead(path: Path) -> bool:
    """Whether the process of the file is dead, in any container: a running process holds a lock on its file."""
    process = path.stem.rpartition("_")[2]
    if process == MERGED:
        return False
    if process.isdigit():
        return not _is_running(int(process))  # a file of the previous release, which took no lock
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # another user's process now has the id
    return True


def _merge(left: list[Path], into: Path) -> None:
    totals: defaultdict[str, float] = defaultdict(float)
    for path in [*left, into]:
        if path.exists() and path.stat().st_size:
            for key, value, _, _ in MmapedDict.read_all_values_from_file(path):
                totals[key] += value
    part = into.with_suffix(".part")
    part.unlink(missing_ok=True)
    try:
        # Allocated before it is mapped: on a full disk a sparse mapping would kill this process by SIGBUS.
        part.write_bytes(bytes(max(MAP_MIN, sum(len(key.encode()) + ENTRY for key in totals))))
        with closing(MmapedDict(part)) as folded:
            for key, value in totals.items():
                folded.write_value(key, value, 0.0)
        part.replace(into)
    except OSError:
        part.unlink(missing_ok=True)
        raise
    for path in left:
        path.unlink(missing_ok=True)
