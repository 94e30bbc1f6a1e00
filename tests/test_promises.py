"""docs/promises.md: each promise has a command whose files exist, and each measured figure is in RESULTS.md."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands

pytestmark = pytest.mark.embedded

ROOT: Path = settings.BASE_DIR
COLUMNS = ["promise", "tested by", "command", "last figure"]
SECTIONS = re.findall(
    r"^## (.+?)\n(.*?)(?=^## |\Z)", (ROOT / "docs" / "promises.md").read_text(), re.MULTILINE | re.DOTALL
)
ROWS = [
    line.strip("| ").split(" | ")
    for _, text in SECTIONS
    for line in text.splitlines()
    if line.startswith("|") and not line.startswith(("| promise", "| ---"))
]
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
RESULTS = re.sub(r"\*\*", "", (ROOT / "benchmarks" / "RESULTS.md").read_text())


def test_each_guarantee_has_its_promises() -> None:
    named = re.findall(r"^- \*\*(.+?)\.?\*\*", (ROOT / "docs" / "guarantees.md").read_text(), re.MULTILINE)
    assert "Stock" in named
    assert set(named) <= {section for section, _ in SECTIONS}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_promise_has_a_command_that_exists(row: list[str]) -> None:
    assert len(row) == len(COLUMNS)
    assert all(row)
    [command] = re.findall(r"^`([^`]+)`$", row[2])
    if make := re.fullmatch(r'make ([a-z-]+)(?: ARGS="?([^"]*)"?)?', command):
        assert make[1] in TARGETS
        paths = [word for word in (make[2] or "").split() if "/" in word]
        assert [path for path in paths if not (ROOT / path).exists()] == []
        assert paths or not make[2]
    elif module := re.match(r"\.venv/bin/python -m ([\w.]+)", command):
        path = ROOT / module[1].replace(".", "/")
        program = path / "__main__.py" if path.is_dir() else path.with_suffix(".py")
        assert '__name__ == "__main__"' in program.read_text()
    else:
        [name] = re.findall(r"^\.venv/bin/python manage\.py (\w+)", command)
        assert name in get_commands()


MEASURED = [row for row in ROWS if "benchmarks." in row[2] or row[2] in ("`make test-containers`", "`make test`")]


@pytest.mark.parametrize("row", MEASURED, ids=lambda row: row[0])
def test_each_measured_number_is_in_the_results(row: list[str]) -> None:
    numbers = re.findall(r"[0-9][0-9.,]*[0-9]|[0-9]", row[3])
    assert numbers
    assert [number for number in numbers if not re.search(rf"(?<![0-9.,]){re.escape(number)}(?![0-9])", RESULTS)] == []


@pytest.mark.parametrize("row", [row for row in ROWS if "**" in row[3]], ids=lambda row: row[0])
def test_a_missed_aim_is_a_missed_one_of_the_results(row: list[str]) -> None:
    text = (ROOT / "benchmarks" / "RESULTS.md").read_text()
    assert [missed for missed in re.findall(r"\*\*.+?\*\*", row[3]) if missed not in text] == []
