"""manage.py export_products."""

import io
import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from backoffice.exports import kinds, reading
from tests import factories
from tests.backoffice.files import csv_rows, xlsx_cells

pytestmark = pytest.mark.django_db


@pytest.fixture
def lamp() -> str:
    return factories.product("Lamp", sku="L-1", is_active=False).sku


def run(path: Path, *options: str) -> str:
    output = io.StringIO()
    call_command("export_products", str(path), *options, stdout=output)
    return output.getvalue()


def test_the_file_has_every_product(tmp_path: Path, lamp: str) -> None:
    factories.product("Shoe", sku="S-1")
    path = tmp_path / "products.csv"
    assert run(path) == f"{path} has 2 products.\n"
    assert [row["sku"] for row in csv_rows(path.read_bytes())] == ["L-1", "S-1"]
    assert os.listdir(tmp_path) == ["products.csv"]


@pytest.mark.parametrize(
    ("name", "options", "is_xlsx"),
    [
        ("a.xlsx", [], True),
        ("a.XLSX", [], True),
        ("a", [], False),
        ("a.txt", ["--format", "xlsx"], True),
        ("a.xlsx", ["--format=csv"], False),
    ],
)
def test_the_format(tmp_path: Path, lamp: str, name: str, options: list[str], is_xlsx: bool) -> None:
    path = tmp_path / name
    run(path, *options)
    body = path.read_bytes()
    cells = xlsx_cells(body) if is_xlsx else [list(kinds.PRODUCTS.columns), list(csv_rows(body)[0].values())]
    assert (cells[0], cells[1][0]) == (list(kinds.PRODUCTS.columns), lamp)
    assert os.listdir(tmp_path) == [name]


def test_a_file_is_replaced_only_by_force(tmp_path: Path, lamp: str) -> None:
    path = tmp_path / "products.csv"
    path.write_text("mine")
    with pytest.raises(CommandError, match="exists: name another file, or replace it with --force"):
        run(path)
    assert path.read_text() == "mine"
    run(path, "--force")
    assert len(csv_rows(path.read_bytes())) == 1
    assert os.listdir(tmp_path) == ["products.csv"]


def test_a_file_that_appears_meanwhile_is_not_replaced(
    tmp_path: Path, lamp: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "products.csv"

    def batches(*args: Any) -> Iterator[Any]:
        path.write_text("mine")
        yield [["L-1"]]

    monkeypatch.setattr(reading, "batches", batches)
    with pytest.raises(CommandError, match="exists"):
        run(path)
    assert (path.read_text(), os.listdir(tmp_path)) == ("mine", ["products.csv"])


@pytest.mark.parametrize("name", ["products.csv", "products.xlsx"])
@pytest.mark.parametrize("before", ["", "mine"])
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_nothing(
    tmp_path: Path, lamp: str, signum: int, name: str, before: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler = signal.getsignal(signal.SIGTERM)
    ctrl_c = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell lets its background jobs ignore it
    path, folder = tmp_path / name, tmp_path / "temporary"
    folder.mkdir()
    if before:
        path.write_text(before)

    def batches(*args: Any) -> Iterator[Any]:
        yield [["L-1"]]
        signal.raise_signal(signum)

    monkeypatch.setattr(reading, "batches", batches)
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    try:
        with pytest.raises(CommandError, match="Interrupted") as raised:
            run(path, "--force")
    finally:
        signal.signal(signal.SIGINT, ctrl_c)
    assert raised.value.returncode == 130
    assert signal.getsignal(signal.SIGTERM) is handler
    assert os.listdir(folder) == []
    assert (path.read_text() if path.exists() else "") == before
    assert len(os.listdir(tmp_path)) == (2 if before else 1)


def test_a_file_that_cannot_be_written_says_why(tmp_path: Path, lamp: str) -> None:
    with pytest.raises(CommandError, match=r"no/products.csv was not written: .*No such file"):
        run(tmp_path / "no" / "products.csv")
    with pytest.raises(CommandError, match="is a folder"):
        run(tmp_path)


def test_what_no_cell_holds_leaves_no_file(tmp_path: Path) -> None:
    factories.product("Long", description="x" * 40_000)
    path = tmp_path / "products.xlsx"
    with pytest.raises(CommandError, match="was not written: A cell of XLSX has 32,767 characters"):
        run(path)
    assert os.listdir(tmp_path) == []
    run(tmp_path / "products.csv")


def test_it_is_quiet_if_asked(tmp_path: Path, lamp: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path / "a.csv", "--verbosity=0") == ""
    assert capfd.readouterr().err == ""
    assert stat.S_ISREG((tmp_path / "a.csv").stat().st_mode)


def test_a_terminal_shows_the_progress(tmp_path: Path, lamp: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    run(tmp_path / "a.csv")
    assert "1.00/1.00 [" in terminal.getvalue()
