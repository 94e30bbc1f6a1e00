"""The supervisor of `make run` loses no output, leaves no process behind, and restarts after a change."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings

from productbackend.embedded.supervisor import Supervisor
from tests.setup.service import processes
from tests.waiting import wait_for

pytestmark = pytest.mark.embedded

PROGRAM = """
import sys
from pathlib import Path
from productbackend.embedded.supervisor import Supervisor
folder, watched = map(Path, sys.argv[1:])
watch = (lambda: watched.read_text()) if watched.exists() else None
sys.exit(Supervisor(folder / "Procfile", cwd=folder, watch=watch, LOG_FORMAT="text").run())
"""
Supervise = Callable[[str], "subprocess.Popen[str]"]


@pytest.fixture
def supervise(tmp_path: Path) -> Supervise:
    """Return a function that starts a supervisor of this Procfile; it watches `watched` if the file exists."""

    def start(procfile: str) -> "subprocess.Popen[str]":
        (tmp_path / "Procfile").write_text(procfile)
        return subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(tmp_path), str(tmp_path / "watched")],
            cwd=settings.BASE_DIR,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    return start


def test_no_line_is_lost_and_each_has_its_process(supervise: Supervise) -> None:
    count = "for n in $(seq 5000); do echo line $n; done"
    shell = supervise(f"one: {count}; echo error >&2; printf last; sleep 3\nother: {count}; sleep 1\n")
    output, _ = shell.communicate(timeout=30)
    assert shell.returncode == 1
    lines = output.splitlines()
    for name in ("one   ", "other "):
        assert [line for line in lines if line.startswith(f"{name} | line")] == [
            f"{name} | line {number}" for number in range(1, 5001)
        ]
    assert "one    | error" in lines
    assert "one    | last" in lines  # without a line break
    assert "system | other stopped (rc=0)" in lines


def test_a_process_that_ignores_the_signal_is_killed_with_its_children(supervise: Supervise) -> None:
    before = set(processes())
    shell = supervise("web: trap '' TERM; sleep 60; sleep 60\n")
    assert shell.stdout
    family = {shell.pid, int(re.findall(r"pid=(\d+)", shell.stdout.readline())[0])}
    wait_for(lambda: len({child for child, parent in processes().items() if parent in family}) == 2, seconds=10)
    family |= {child for child, parent in processes().items() if parent in family}
    shell.send_signal(signal.SIGTERM)
    assert shell.wait(timeout=15) == 0
    assert "web    | " not in (output := shell.stdout.read())
    assert "system | SIGTERM received" in output
    assert "system | web stopped (rc=-9)" in output
    assert len(family - before) == 3
    assert not family & set(processes())


def test_it_restarts_after_a_change_also_after_a_process_failed(supervise: Supervise, tmp_path: Path) -> None:
    (tmp_path / "watched").write_text("1")
    (tmp_path / "fails").touch()
    shell = supervise("web: test ! -e fails && echo works && exec sleep 60\n")
    assert shell.stdout

    def read_until(text: str) -> None:
        assert shell.stdout
        while text not in (line := shell.stdout.readline()):
            assert line, f"it ended without {text}"

    read_until("system | web stopped (rc=1)")
    read_until("system | waiting for a change")
    (tmp_path / "fails").unlink()
    (tmp_path / "watched").write_text("2")
    read_until("web    | works")
    (tmp_path / "watched").write_text("3")
    read_until("system | restarting after a change")
    read_until("web    | works")
    os.kill(shell.pid, signal.SIGINT)
    read_until("system | web stopped (rc=-15)")
    assert shell.wait(timeout=10) == 0


def test_processes_can_be_added_to_those_of_the_procfile(tmp_path: Path) -> None:
    procfile = tmp_path / "Procfile"
    procfile.write_text("web: echo from the file\n")
    supervisor = Supervisor(procfile, cwd=tmp_path, added={"provider": "echo added"})
    assert supervisor.commands == {"web": "echo from the file", "provider": "echo added"}
