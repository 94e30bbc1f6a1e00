"""The service's workers and beats, as a benchmark starts and kills them."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

from benchmarks.processes import children_of, end

ROOT = Path(__file__).resolve().parent.parent
WORKER = ["worker", "--concurrency", "1", "--loglevel", "WARNING"]
WORKER += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
BEAT = ["beat", "--loglevel", "WARNING", "--pidfile="]


class Processes:
    """Workers and beats: started, killed, restarted, and terminated at the end."""

    def __init__(self, log: Path, *, workers: int, beats: int, app: str = "productbackend") -> None:
        self.log = log.open("wb")
        self.counts = workers, beats
        self.app = app  # where Celery finds the application
        self.kills: Counter[str] = Counter()

    def __enter__(self) -> "Processes":
        workers, beats = self.counts
        self.workers = [self.start(WORKER) for _ in range(workers)]
        self.beats = [self.start(BEAT) for _ in range(beats)]
        return self

    def wait(self, seconds: float = 120.0) -> None:
        """Wait until each worker has its pool process. Raises TimeoutError."""
        until = time.monotonic() + seconds
        while not all(children_of(worker.pid) for worker in self.workers):
            if time.monotonic() > until:
                raise TimeoutError(f"A worker does not start: {Path(self.log.name).read_text()[-2000:]}")
            time.sleep(0.1)

    def start(self, arguments: list[str]) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "celery", "--quiet", "--app", self.app, *arguments]
        return subprocess.Popen(command, cwd=ROOT, stdout=self.log, stderr=self.log, start_new_session=True)

    def kill_one(self) -> None:
        """Alternately kill a pool process, which its worker replaces, and a whole worker, which is restarted here."""
        index = random.randrange(len(self.workers))
        worker = self.workers[index]
        if sum(self.kills.values()) % 2 == 0:
            for pid in children_of(worker.pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    self.kills["pool process"] += 1
        else:
            with suppress(ProcessLookupError):
                os.killpg(worker.pid, signal.SIGKILL)
                self.kills["worker"] += 1
            worker.wait()
            self.workers[index] = self.start(WORKER)

    def restart_ended(self) -> None:
        """Start again workers that have ended, as a supervisor does: one ends if its pool process is killed early."""
        for index, worker in enumerate(self.workers):
            if worker.poll() is not None:
                self.workers[index] = self.start(WORKER)

    def memory(self) -> int:
        """The peak memory of the largest worker process, in megabytes."""
        pids = [pid for worker in self.workers for pid in [worker.pid, *children_of(worker.pid)]]
        peaks = [Path(f"/proc/{pid}/status").read_text().partition("VmHWM:")[2].split()[0] for pid in pids]
        return max(map(int, peaks)) // 1024

    def __exit__(self, *error: object) -> None:
        end([*self.beats, *self.workers], 15)
        self.log.close()
