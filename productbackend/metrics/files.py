"""The processes' files of counters: those of the dead are folded into one, so that they do not pile up.

A process that dies leaves its counts behind, which must still be counted. Who adds all files up holds the lock
too: counts that are in two files for a moment are never read twice.
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
OF_THE_DEAD = "dead"


@contextmanager
def locked() -> Iterator[None]:
    """Alone with the files, among those who add them up or fold them; who counts does not wait."""
    with open(settings.METRICS_DIR / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def fold() -> None:
    """Fold the files of processes that are no more; to be called under the lock."""
    for kind in KINDS:
        left = [path for path in settings.METRICS_DIR.glob(f"{kind}_*.db") if _is_dead(path)]
        if left:
            _fold(left, settings.METRICS_DIR / f"{kind}_{OF_THE_DEAD}.db")


def _is_dead(path: Path) -> bool:
    pid = path.stem.rpartition("_")[2]
    if not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False  # another's process now has the number
    return False


def _fold(left: list[Path], into: Path) -> None:
    totals: defaultdict[str, float] = defaultdict(float)
    for path in [*left, into]:
        if path.exists() and path.stat().st_size:
            for key, value, _, _ in MmapedDict.read_all_values_from_file(path):
                totals[key] += value
    part = into.with_suffix(".part")
    part.unlink(missing_ok=True)
    with closing(MmapedDict(part)) as folded:
        for key, value in totals.items():
            folded.write_value(key, value, 0.0)
    part.replace(into)
    for path in left:
        path.unlink(missing_ok=True)
