"""Processes of the service: their children, and their end."""

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path


def children_of(pid: int) -> list[int]:
    """The ids of the children; empty if the process is gone."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def family_of(pid: int) -> list[int]:
    """The process and all its descendants."""
    return [pid, *(each for child in children_of(pid) for each in family_of(child))]


def processor_time(pid: int) -> float:
    """The processor time of the process without its children, in seconds; 0 if it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def end(processes: Sequence[subprocess.Popen[bytes]], seconds: float = 30) -> None:
    """Terminate the processes, which lead groups; kill what does not end within `seconds`."""
    for process in processes:
        process.terminate()
    until = time.monotonic() + seconds
    for process in processes:
        try:
            process.wait(timeout=max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
