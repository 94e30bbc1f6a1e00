"""`make run`: starts from an empty checkout, and stops without leaving processes."""

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
import requests
from django.conf import settings

from productbackend.embedded.dotenv import provide_secret_key
from productbackend.site.management.commands.run import why_unavailable
from tests.ports import free_port
from tests.setup.service import EMBEDDED, Service, prepare
from tests.setup.tour import take_the_tour
from tests.waiting import wait_for

pytestmark = [pytest.mark.xdist_group("run"), pytest.mark.embedded]


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    path = tmp_path / "var"
    path.mkdir()
    (path / "demo-loaded").touch()
    return path


@pytest.fixture
def service(data_dir: Path) -> Iterator[Service]:
    # Small images in one format only, to start faster.
    small = "full:50x50,thumb:10x10"
    service = Service(data_dir, DJANGO_SUPERUSER_PASSWORD="", IMAGE_FORMATS="none", IMAGE_RENDITIONS=small)
    try:
        yield service
    finally:
        if hasattr(service, "process"):
            service.stop()


def test_it_starts_from_an_empty_folder_then_again_and_ends_with_a_process(service: Service, tmp_path: Path) -> None:
    (service.data_dir / "demo-loaded").unlink()
    service.start()
    products = service.request("GET", "/products/", headers={"Origin": "http://localhost:5173"})
    assert products.json()["count"] == 200
    assert products.headers["Access-Control-Allow-Origin"] == "http://localhost:5173"  # a front end in development
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
    take_the_tour(service, tmp_path)
    family = service.family()
    assert len(family) >= 8  # this, two web workers and their master, a pool and its master, beat
    assert service.stop(signal.SIGHUP, to_group=True) == 0  # the terminal is closed
    service.assert_nothing_is_left(family)

    service.start()
    assert "Created" not in service.log
    assert "demo" not in service.log
    family = service.family()
    os.kill(service.pid_of("worker"), signal.SIGKILL)  # a process that dies takes the others along and is named
    assert service.process.wait(timeout=15) == 1
    assert "worker stopped (rc=-9)" in service.log
    service.assert_nothing_is_left(family)


def test_it_listens_on_every_address_restarts_after_a_change_and_stops_by_ctrl_c(
    service: Service, data_dir: Path, shared: Path, django_db_setup: None
) -> None:
    prepare(data_dir, shared)
    provider = f"http://127.0.0.1:{free_port()}"
    service.environment |= {"HOST": "0.0.0.0", "RELOAD": "1", "PAYMENT_METHODS": "test", "TEST_PROVIDER_URL": provider}
    service.start()
    # Another address of this machine, which nobody has allowed.
    refused = requests.get(f"http://127.0.0.2:{service.port}/products/", timeout=20)
    assert refused.status_code == 400
    assert "ALLOWED_HOSTS" in refused.json()["detail"]
    before = service.family()
    (settings.BASE_DIR / "productbackend" / "urls.py").touch()
    wait_for(lambda: service.log.count("web started (pid=") == 2, seconds=20)
    wait_for(service.is_reachable, seconds=60)
    wait_for(lambda: service.log.count(f"The test provider listens at {provider}/") == 2, seconds=20)
    assert requests.get(provider, timeout=20).status_code == 200
    family = service.family()
    assert before & family == {service.process.pid}
    # As Ctrl-C twice: the terminal sends it to the whole process group.
    os.killpg(service.process.pid, signal.SIGINT)
    assert service.stop(signal.SIGINT, to_group=True) == 0
    service.assert_nothing_is_left(family)


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
    """The single line on stderr of a failed command."""
    assert answer.returncode != 0
    lines = answer.stderr.splitlines()
    assert len(lines) == 1, answer.stderr
    return lines[0]


@pytest.mark.thorough
def test_a_busy_port_gets_one_line_that_names_the_setting(data_dir: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = str(holder.getsockname()[1])
        line = one_line(run("manage.py", "run", DATA_DIR=str(data_dir), PORT=port))
    assert port in line
    assert "PORT" in line
    assert not (data_dir / "db.sqlite3").exists()


@pytest.mark.thorough
def test_a_busy_port_of_the_test_provider_gets_one_line_before_anything_is_set_up(data_dir: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        url = f"http://127.0.0.1:{holder.getsockname()[1]}"
        given = {"DATA_DIR": str(data_dir), "PORT": str(free_port()), "PAYMENT_METHODS": "test"}
        line = one_line(run("manage.py", "run", TEST_PROVIDER_URL=url, **given))
    assert url in line
    assert "TEST_PROVIDER_URL" in line
    assert not (data_dir / "db.sqlite3").exists()


def test_what_is_for_this_machine_alone_listens_nowhere_else() -> None:
    port = free_port()
    assert why_unavailable("127.0.0.1", port, is_local=True) is None
    assert "this machine alone" in (why_unavailable("0.0.0.0", port, is_local=True) or "")
    assert why_unavailable("0.0.0.0", port) is None


@pytest.mark.thorough
def test_mysql_without_its_client_gets_one_line_that_says_what_to_do(data_dir: Path) -> None:
    code = (
        "import importlib.util, runpy, sys; found = importlib.util.find_spec;"
        "importlib.util.find_spec = lambda name, *others: None if name == 'MySQLdb' else found(name, *others);"
        "sys.argv = ['manage.py', 'run']; runpy.run_path('manage.py', run_name='__main__')"
    )
    line = one_line(run("-c", code, DATA_DIR=str(data_dir), MYSQL_HOST="127.0.0.1"))
    assert line == "productbackend: MYSQL_HOST is set: `make mysql` first, or install requirements-mysql.txt."


@pytest.mark.thorough
def test_an_unwritable_data_dir_gets_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "DATA_DIR" in one_line(run("manage.py", "run", DATA_DIR=str(tmp_path / "file" / "var")))


@pytest.mark.thorough
def test_an_invalid_superuser_gets_one_line(data_dir: Path, shared: Path, django_db_setup: None) -> None:
    prepare(data_dir, shared)
    answer = run(
        "manage.py", "run", DATA_DIR=str(data_dir), PORT=str(free_port()), DJANGO_SUPERUSER_USERNAME="not @ name"
    )
    assert "DJANGO_SUPERUSER" in one_line(answer)


@pytest.mark.thorough
def test_two_instances_cannot_share_their_data(data_dir: Path) -> None:
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
def test_a_missing_key_is_generated_and_other_lines_stay(
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
