"""Runs the processes of the Procfile together, by honcho, and ends them together."""

import multiprocessing
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from types import FrameType

from honcho.compat import ProcessManager
from honcho.environ import parse_procfile
from honcho.manager import SIGNALS, Manager
from honcho.printer import Printer

ASKED = {known["rc"] for known in SIGNALS.values()}  # honcho's codes after TERM and Ctrl-C


def run_procfile(procfile: Path, *, cwd: Path, log_format: str) -> int:
    """Run until TERM, Ctrl-C or a closed terminal (exit code 0), or until one process ends by itself (1)."""
    multiprocessing.set_start_method("fork", force=True)  # a progress bar before it has set one
    printer = Printer(sys.stdout, time_format="")
    manager = Processes(printer)
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "PYTHONUNBUFFERED": "1",
        "LOG_FORMAT": log_format,
    }
    for name, command in parse_procfile(procfile.read_text()).processes.items():
        manager.add_process(name, command, env=environment, cwd=str(cwd))
    signal.signal(signal.SIGHUP, hang_up)
    manager.loop()
    return 0 if manager.returncode in ASKED else 1


def hang_up(signum: int, frame: FrameType | None) -> None:
    """honcho knows TERM alone; without this a closed terminal would leave the processes behind."""
    os.kill(os.getpid(), signal.SIGTERM)


class Politely(ProcessManager):
    """Asks the process of the Procfile's line alone: its own children then end their work in order.

    honcho asks the whole group, and a Celery worker whose pool goes at once can hang. What is
    left after five seconds is killed, with its group, as honcho does it.
    """

    def terminate(self, pid: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)


class Processes(Manager):
    """honcho's manager, which also takes a signal that comes before every process has started."""

    is_stop_asked = False

    def __init__(self, printer: Printer) -> None:
        super().__init__(printer)
        self._procmgr = Politely()

    def terminate(self) -> None:
        if self._all_started():
            super().terminate()
        else:
            self.is_stop_asked = True

    def _all_started(self) -> bool:
        started = super()._all_started()
        if started and self.is_stop_asked:
            self.is_stop_asked = False
            super().terminate()
        return started
