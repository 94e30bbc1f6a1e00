"""scripts/restore with a hostile backup and environment: their content is never run as a command.

Docker, MySQL's programs and Redis are stubs that record their arguments; the shells are real.
"""

import gzip
import hashlib
import io
import os
import subprocess
import tarfile
from pathlib import Path

import pytest
from django.conf import settings

# The stubs unpack logs in one folder, as in a container.
pytestmark = [pytest.mark.xdist_group("restore"), pytest.mark.embedded]

HARM = "touch harmed"
PLACE = "-- CHANGE REPLICATION SOURCE TO SOURCE_LOG_FILE='{}', SOURCE_LOG_POS={};\n"
# A container's command runs here, with the given environment.
DOCKER = """#!/bin/bash
printf '%s\\n' "docker $*" >>"$ARGUMENTS_LOG"
[ "$2" = exec ] || { cat >/dev/null; exit 0; }
shift 2
while [ $# -gt 0 ]; do
    case $1 in
        -T) shift ;;
        -e) export "$2"; shift 2 ;;
        *) break ;;
    esac
done
service=$1; shift
[ "$service" = db ] && exec "$@"
cat >/dev/null
"""
PROGRAM = """#!/bin/bash
{ printf '%s' "${0##*/}"; printf ' <%s>' "$@"; echo; } >>"$ARGUMENTS_LOG"
case "$*" in *COUNT*) echo 0 ;; *server_uuid*) echo here ;; esac
[ -t 0 ] || cat >/dev/null
"""


class Shop:
    """A machine with the stubs, and a backup."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.arguments_log, self.database = folder, folder / "arguments.log", "shop"
        (folder / "bin").mkdir()
        programs = {"docker": DOCKER, "mysql": PROGRAM, "mysqlbinlog": PROGRAM}
        for name, text in programs.items():
            (folder / "bin" / name).write_text(text)
            (folder / "bin" / name).chmod(0o755)

    def back_up(self, name: str = "backup", dump: str = "", **files: bytes) -> Path:
        backup = self.folder / name
        backup.mkdir()
        contents = {"database.sql.gz": gzip.compress(dump.encode()), "media.tar": tar(), "server": b"here\n", **files}
        for file, data in contents.items():
            (backup / file).write_bytes(data)
        sums = "".join(f"{hashlib.sha256(data).hexdigest()}  {file}\n" for file, data in contents.items())
        (backup / "SHA256SUMS").write_text(sums)
        return backup

    def restore(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [settings.BASE_DIR / "scripts" / "restore", *arguments],
            env={
                "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
                "ARGUMENTS_LOG": str(self.arguments_log),
                "MYSQL_DATABASE": self.database,
                "MYSQL_ROOT_PASSWORD": "secret",
                **environment,
            },
            cwd=self.folder,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )

    def lines(self, program: str) -> list[str]:
        text = self.arguments_log.read_text() if self.arguments_log.exists() else ""
        return [line for line in text.splitlines() if line.startswith(f"{program} ")]

    @property
    def is_harmed(self) -> bool:
        return bool(list(self.folder.rglob("harmed")) or (settings.BASE_DIR / "harmed").exists())


def tar(*names: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in names:
            archive.addfile(tarfile.TarInfo(name), io.BytesIO())
    return buffer.getvalue()


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


UNTIL = ("--until", "2026-01-02 03:04:05")


@pytest.mark.parametrize(
    ("file", "position"),
    [
        (f"binlog.000001; {HARM}", "4"),
        (f"$({HARM})", "4"),
        (f"binlog.000001$({HARM})", "4"),
        (f"`{HARM}`", "4"),
        (f'"; {HARM}; "', "4"),
        ("../../etc/passwd", "4"),
        ("--help", "4"),
        ("binlog.000001", f"4 $({HARM})"),
        ("binlog.000001", ""),
        ("binlog.000001 binlog.000002", "4"),
    ],
)
def test_the_position_in_the_log_is_validated(shop: Shop, file: str, position: str) -> None:
    log = shop.folder / "log.tar"
    log.write_bytes(tar("binlog.000001"))
    done = shop.restore(str(shop.back_up(dump=PLACE.format(file, position))), "--force", *UNTIL, "--log", str(log))
    assert not shop.is_harmed
    assert done.returncode == 1
    assert "does not say where in the binary log" in done.stderr
    assert not any("compose stop" in line for line in shop.lines("docker"))


def test_only_logs_are_extracted_from_a_tar(shop: Shop) -> None:
    log = shop.folder / "log.tar"
    names = ["binlog.000001", "binlog.000002", "binlog.000003", f"binlog.1;{HARM}", "binlog.2 --result-file=harmed"]
    log.write_bytes(tar(*names, f"binlog.$({HARM})", "binlog.000004~", "binlog.index"))
    done = shop.restore(
        str(shop.back_up(dump=PLACE.format("binlog.000002", 157))), "--force", *UNTIL, "--log", str(log)
    )
    assert done.returncode == 0, done.stderr
    assert not shop.is_harmed
    (line,) = shop.lines("mysqlbinlog")
    assert line.split("> <")[-3:] == ["--database=shop", "binlog.000002", "binlog.000003>"]
    assert "<--start-position=157>" in line
    assert "<--stop-datetime=2026-01-02 03:04:05>" in line


@pytest.mark.parametrize(
    "name", ["with space", f"$({HARM})", f"a;{HARM}", "a'b\"c", "*", "back\\nslash", "host:folder", "ümläut"]
)
def test_a_folder_may_have_any_name(shop: Shop, name: str) -> None:
    backup = shop.back_up(name)
    done = shop.restore(backup.name, CDPATH=str(shop.folder))
    assert done.returncode == 0, done.stderr
    assert not shop.is_harmed


def test_a_log_may_have_any_name(shop: Shop) -> None:
    backup = shop.back_up(dump=PLACE.format("binlog.000001", 4))
    for name in ("-rf.tar", f"host:$({HARM}).tar", "with space.tar"):
        (shop.folder / name).write_bytes(tar("binlog.000001"))
        done = shop.restore(str(backup), "--force", *UNTIL, "--log", name)
        assert done.returncode == 0, done.stderr
    assert not shop.is_harmed


@pytest.mark.parametrize("name", ["shop", "sh`op", 'sh"op', "sh'op", f"$({HARM})", "-shop", "a b; DROP", "back\\slash"])
def test_the_databases_name_is_quoted(shop: Shop, name: str) -> None:
    shop.database = name
    done = shop.restore(str(shop.back_up()))
    assert done.returncode == 0, done.stderr
    assert not shop.is_harmed
    count, made, filled = shop.lines("mysql")
    text, identifier = name.replace("\\", "\\\\").replace("'", "''"), name.replace("`", "``")
    assert f"table_schema = '{text}'>" in count
    assert f"<DROP DATABASE IF EXISTS `{identifier}`; CREATE DATABASE `{identifier}`>" in made
    assert filled == f"mysql <-u> <root> <--binary-mode> <--database={name}>"


def test_every_file_has_its_checksum(shop: Shop) -> None:
    backup = shop.back_up()
    sums = backup / "SHA256SUMS"
    sums.write_text("".join(line for line in sums.read_text().splitlines(keepends=True) if "sql" not in line))
    done = shop.restore(str(backup))
    assert done.returncode == 1
    assert "SHA256SUMS has no database.sql.gz" in done.stderr
    assert shop.lines("docker") == []


@pytest.mark.parametrize("moment", [f"$({HARM})", f"2026-01-01; {HARM}", "--help", "'"])
def test_the_time_of_until_is_validated(shop: Shop, moment: str) -> None:
    done = shop.restore(str(shop.back_up()), "--until", moment)
    assert done.returncode == 1
    assert "is no moment" in done.stderr
    assert not shop.is_harmed
