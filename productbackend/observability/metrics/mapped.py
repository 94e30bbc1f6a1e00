"""The counter file of a process: unique among all containers that share METRICS_DIR, and preallocated on disk.

prometheus_client maps a sparse file, and on a full disk a write to a hole kills the process by SIGBUS. It names the
file after the process id, which may be the same in two containers.
"""

import fcntl
import hashlib
import logging
import mmap
import os
import socket
from contextlib import suppress
from pathlib import Path

from prometheus_client import values
from prometheus_client.mmap_dict import MmapedDict

from productbackend.observability.metrics import files

logger = logging.getLogger(__name__)

FILE_SIZE = 1 << 19  # bytes: more than a process needs, so that no file has to grow on a full disk


def host_id() -> str:
    """An id of this machine or container, unique while it runs."""
    parts = [socket.gethostname()]
    with suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
    with suppress(OSError):
        parts.append(os.readlink("/proc/self/ns/pid"))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


HOST = host_id()


def process_id() -> str:
    return f"{HOST}-{os.getpid()}"


class PreallocatedFile(MmapedDict):
    """Counters in a preallocated file, or in memory if the disk is full.

    The process holds a lock on its file while it runs: `files.merge_dead_files` skips locked files.
    """

    def __init__(self, filename: str, read_mode: bool = False) -> None:
        path = Path(filename)
        try:
            with files.locked(path.parent):  # otherwise it could be merged as a dead process's before it is locked
                is_new = not path.exists() or not path.stat().st_size
                with path.open("ab") as file:
                    is_allocated = preallocate(file.fileno(), FILE_SIZE)
                if is_allocated:
                    super().__init__(filename, read_mode)
                    fcntl.flock(self._f, fcntl.LOCK_SH)
                    return
                if is_new:
                    path.unlink()
        except OSError as error:
            logger.warning("%s cannot be created: %s", path, error)
        self._count_in_memory()

    def _count_in_memory(self) -> None:
        """Use memory: a scrape does not include the counts of this process."""
        self._f = open(os.devnull, "rb")  # noqa: SIM115 (closed with the map, by the class above)
        self._fname = os.devnull
        self._m, self._capacity = mmap.mmap(-1, FILE_SIZE), FILE_SIZE
        self._positions: dict[str, int] = {}
        self._used = 8

    def _init_value(self, key: str) -> None:
        """Add a counter; grow the file before the mapping."""
        needed = self._used + len(key.encode()) + 64
        if needed > self._capacity:
            self._grow()
        super()._init_value(key)

    def _grow(self) -> None:
        size = 2 * self._capacity
        if self._fname != os.devnull and preallocate(self._f.fileno(), size):
            return  # the base class maps it
        grown = mmap.mmap(-1, size)
        grown[: self._capacity] = self._m[:]
        self._m, self._capacity = grown, size


def preallocate(descriptor: int, size: int) -> bool:
    """Allocate the first `size` bytes of the file; return whether the disk had the space."""
    if not hasattr(os, "posix_fallocate"):
        return True  # macOS
    try:
        os.posix_fallocate(descriptor, 0, size)
    except OSError:
        return False
    return True


def install() -> None:
    """Make prometheus_client use these files. Called before the first counter is created."""
    values.MmapedDict = PreallocatedFile  # type: ignore[misc]
    values.ValueClass = values.MultiProcessValue(process_id)
