"""`make run` from nothing to a running shop, and back to nothing."""

import fcntl
import os
import re
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from productbackend.dotenv import provide_secret_key
from tests.setup.service import EMBEDDED, Service, free_port, processes, wait_for

pytestmark = [pytest.mark.xdist_group("run"), pytest.mark.embedded]


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    path = tmp_path / "var"
    path.mkdir()
    (path / "demo-loaded").touch()
    return path


@pytest.fixture
def service(data_dir: Path) -> Iterator[Service]:
    service = Service(data_dir, DJANGO_SUPERUSER_PASSWORD="")
    try:
        yield service
    finally:
        if hasattr(service, "process"):
            service.stop()


def assert_nothing_is_left(service: Service, family: set[int]) -> None:
    wait_for(lambda: not family & set(processes()), seconds=2)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", service.port))


def test_it_starts_from_nothing_stops_whole_and_starts_again(service: Service) -> None:
    (service.data_dir / "demo-loaded").unlink()
    service.start()
    assert service.request("GET", "/products/").json()["count"] == 200
    shown = re.search(r"Created the superuser boss, password (\S+)", service.log)
    assert shown
    answer = service.request("POST", "/token/", json={"username": "boss", "password": shown[1]})
    assert answer.status_code == 200, answer.text
    for address in (f"{service.url}/", f"{service.url}/api-docs/", f"{service.url}/admin/"):
        assert f"{address}\n" in service.log or f"{address} " in service.log
    page = service.request("GET", "/admin/login/").text
    style = re.search(r'href="(/static/admin/css/base[^"]*)"', page)
    assert style
    assert service.request("GET", style[1]).status_code == 200
    family = service.family()
    assert len(family) >= 8  # this, two web workers and their master, a pool and its master, beat
    assert service.stop(signal.SIGTERM) == 0
    assert_nothing_is_left(service, family)

    service.start()
    assert "Created" not in service.log
    assert "demo" not in service.log
    family = service.family()
    # What Ctrl-C does: the terminal sends it to the whole group, and impatient people send it twice.
    os.killpg(service.process.pid, signal.SIGINT)
    service.stop(signal.SIGINT, to_group=True)
    assert_nothing_is_left(service, family)


def test_a_process_that_dies_takes_the_others_along_and_is_named(service: Service) -> None:
    service.start()
    family = service.family()
    os.kill(service.pid_of("worker"), signal.SIGKILL)
    assert service.process.wait(timeout=15) == 1
    assert "worker stopped (rc=-9)" in service.log
    assert_nothing_is_left(service, family)


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=settings.BASE_DIR,
        env=os.environ | EMBEDDED | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def one_line(answer: subprocess.CompletedProcess[str]) -> str:
    """The single line on stderr with which a command gave up."""
    assert answer.returncode != 0
    lines = answer.stderr.splitlines()
    assert len(lines) == 1, answer.stderr
    return lines[0]


def test_a_busy_port_gets_one_line_that_names_the_setting(data_dir: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = str(holder.getsockname()[1])
        line = one_line(run("manage.py", "run", DATA_DIR=str(data_dir), PORT=port))
    assert port in line
    assert "PORT" in line
    assert not (data_dir / "db.sqlite3").exists()


def test_data_that_cannot_be_kept_gets_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "DATA_DIR" in one_line(run("manage.py", "run", DATA_DIR=str(tmp_path / "file" / "var")))


def test_a_superuser_that_cannot_be_gets_one_line(data_dir: Path) -> None:
    answer = run(
        "manage.py", "run", DATA_DIR=str(data_dir), PORT=str(free_port()), DJANGO_SUPERUSER_USERNAME="not @ name"
    )
    assert "DJANGO_SUPERUSER" in one_line(answer)


def test_two_of_it_do_not_share_their_data(data_dir: Path) -> None:
    with open(data_dir / "run.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        line = one_line(run("manage.py", "run", DATA_DIR=str(data_dir), PORT=str(free_port())))
    assert str(data_dir) in line


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, r"\A# .*\nSECRET_KEY=\S{50,}\n\Z"),
        ("", r"\ASECRET_KEY=\S{50,}\n\Z"),
        ("PORT=9000", r"\APORT=9000\nSECRET_KEY=\S{50,}\n\Z"),
        ("# a key\nSECRET_KEY=\nPORT=9000\n", r"\A# a key\nSECRET_KEY=\S{50,}\nPORT=9000\n\Z"),
    ],
)
def test_a_missing_key_is_made_and_the_rest_of_the_file_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str | None, after: str
) -> None:
    monkeypatch.delenv("SECRET_KEY")
    path = tmp_path / ".env"
    if before is not None:
        path.write_text(before)
    assert provide_secret_key(path)
    made = path.read_text()
    assert re.search(after, made)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not provide_secret_key(path)
    assert path.read_text() == made


def test_a_key_of_the_environment_needs_no_file(tmp_path: Path) -> None:
    assert not provide_secret_key(tmp_path / ".env")
    assert not (tmp_path / ".env").exists()


def make_venv(tmp_path: Path, *, python: str = "", path: str = "/usr/bin:/bin") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", str(settings.BASE_DIR / "scripts" / "make-venv"), str(tmp_path / "venv")],
        env={"PATH": path, "PYTHON": python},
        capture_output=True,
        text=True,
        check=False,
    )


def stub(folder: Path, name: str, script: str) -> str:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def test_no_python_and_one_that_is_too_old_get_one_line(tmp_path: Path) -> None:
    assert "3.11" in one_line(make_venv(tmp_path, path=str(tmp_path)))
    assert "not there" in one_line(make_venv(tmp_path, python="/no/such/python"))
    assert "3.11" in one_line(make_venv(tmp_path, python=stub(tmp_path, "python3", "exit 1")))


def test_a_python_without_venv_gets_one_line_that_says_what_to_install(tmp_path: Path) -> None:
    lacking = stub(tmp_path, "python3.12", 'case "$2" in *ensurepip*) exit 1;; *) exit 0;; esac')
    assert "python3-venv" in one_line(make_venv(tmp_path, python=lacking))
    assert "python3-venv" in one_line(make_venv(tmp_path, path=str(tmp_path)))
