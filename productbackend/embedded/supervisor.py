"""Runs the processes of the Procfile together: prefixes their output, and stops all of them when one exits."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Hashable, Mapping
from contextlib import suppress
from pathlib import Path
from types import FrameType

STOP_SECONDS = 5.0  # after these the processes that still run are killed
COLOURS = (36, 33, 32, 35)  # ANSI's cyan, yellow, green, magenta
SYSTEM = "system"


def read_procfile(path: Path) -> dict[str, str]:
    """The shell command of each process, by its name."""
    return dict(re.findall(r"^(\w+):\s*(.+)$", path.read_text(), re.MULTILINE))


class Supervisor:
    """The processes of a Procfile, and those added by name and command.

    If `watch` is given, they start again whenever it returns another value.
    """

    def __init__(
        self,
        procfile: Path,
        *,
        cwd: Path,
        watch: Callable[[], Hashable] | None = None,
        added: Mapping[str, str] | None = None,
        **environment: str,
    ) -> None:
        self.commands = read_procfile(procfile) | dict(added or {})
        self.cwd, self.watch = cwd, watch
        self.environment = os.environ | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "PYTHONUNBUFFERED": "1",
            **environment,
        }
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.readers: list[threading.Thread] = []
        self.output_lock = threading.Lock()
        self.signal: signal.Signals | None = None  # the first one that arrived

    def run(self) -> int:
        """Run until TERM, Ctrl-C or a closed terminal (returns 0), or until one process exits by itself (returns 1).

        With `watch`, a process that exits by itself stops the others until the next change.
        """
        for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(signum, self.on_signal)
        while True:
            seen = self.watch and self.watch()
            try:
                self.start()
                self.wait_while(lambda: all(p.poll() is None for p in self.processes.values()), seen)
            finally:
                self.stop()
            if self.signal or not self.watch:
                return 0 if self.signal else 1
            self.write(SYSTEM, b"waiting for a change" if self.watch() == seen else b"restarting after a change")
            self.wait_while(lambda: True, seen)

    def on_signal(self, signum: int, frame: FrameType | None) -> None:
        self.signal = self.signal or signal.Signals(signum)

    def wait_while(self, condition: Callable[[], bool], seen: Hashable) -> None:
        """Return when a signal has arrived, `condition` is false, or `watch` returns another value than `seen`."""
        while not self.signal and condition() and (self.watch is None or self.watch() == seen):
            time.sleep(0.5 if self.watch else 0.1)

    def start(self) -> None:
        """Start each in a session of its own: a terminal's Ctrl-C reaches this process only."""
        self.processes, self.readers = {}, []
        for name, command in self.commands.items():
            process = self.processes[name] = subprocess.Popen(  # noqa: S602  (the Procfile has shell commands)
                command,
                shell=True,
                cwd=self.cwd,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            self.write(SYSTEM, f"{name} started (pid={process.pid})".encode())
            self.readers.append(threading.Thread(target=self.copy_output, args=(name, process), daemon=True))
            self.readers[-1].start()

    def stop(self) -> None:
        """Send SIGTERM to each process, which stops its own children; after STOP_SECONDS kill what is left of them."""
        if self.signal:
            self.write(SYSTEM, f"{self.signal.name} received".encode())
        ended = {name: code for name, process in self.processes.items() if (code := process.poll()) is not None}
        for name, code in ended.items():
            self.write(SYSTEM, f"{name} stopped (rc={code})".encode())
        for process in self.processes.values():
            process.terminate()
        end = time.monotonic() + STOP_SECONDS
        while time.monotonic() < end and any(map(is_group_alive, self.processes.values())):
            time.sleep(0.05)
        for name, process in self.processes.items():
            with suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            if name not in ended:
                self.write(SYSTEM, f"{name} stopped (rc={process.returncode})".encode())
        for reader in self.readers:
            reader.join(1)  # the output of killed processes ends; that of a daemon of theirs may not

    def copy_output(self, name: str, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                self.write(name, line.rstrip(b"\r\n"))

    def write(self, name: str, line: bytes) -> None:
        names = [*self.commands, SYSTEM]
        prefix = f"{name:{max(map(len, names))}} | "
        if sys.stdout.isatty() and name != SYSTEM:
            prefix = f"\033[{COLOURS[names.index(name) % len(COLOURS)]}m{prefix}\033[0m"
        # The terminal may be closed; the processes must still be able to write.
        with self.output_lock, suppress(OSError):
            sys.stdout.buffer.write(prefix.encode() + line + b"\n")
            sys.stdout.buffer.flush()


def is_group_alive(process: subprocess.Popen[bytes]) -> bool:
    """Whether the process or a descendant in its process group exists."""
    process.poll()  # otherwise it exists until it is waited for
    try:
        os.killpg(process.pid, 0)
    except OSError:
        return False
    return True
