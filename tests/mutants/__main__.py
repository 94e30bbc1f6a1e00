"""Mutation tests: breaks the service by one mutant at a time: `python -m tests.mutants [NAME or PART ...]`.

Each mutant changes one line in a copy of the code. A mutant of a part (`parts.py`) names its net: the few tests that
have to fail. Those of the contract (`contract.py`) are for the tests from outside: the committed document, generated
clients, the fuzzer, the browser; the first suite that fails catches the mutant. The exit status is 1 if one survives
all. A mutant that only the last suite catches takes a few minutes, one with a net some ten seconds.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection
from pathlib import Path

from tests.mutants.contract import CONTRACT
from tests.mutants.mutant import Mutant
from tests.mutants.parts import PARTS

ROOT = Path(__file__).resolve().parent.parent.parent
PYTEST = [sys.executable, "-m", "pytest", "-q", "-x"]
SUITES = {
    "document": [*PYTEST, "tests/api/test_document.py", "tests/api/test_service.py"],
    "clients": [*PYTEST, "tests/clients"],
    # With two workers Hypothesis fails, since it reads its own source concurrently.
    "fuzzer": [sys.executable, "-m", "tests.fuzz", "--seed", "1", "--max-examples", "3", "--no-shrink"],
    "browser": [*PYTEST, "tests/browser"],
}
MUTANTS = CONTRACT | {f"{part}: {name}": mutant for part, found in PARTS.items() for name, mutant in found.items()}


def chosen(names: list[str]) -> dict[str, Mutant]:
    """The mutants with these names, or of parts with them; all of them without names."""
    found = {
        full: mutant for full, mutant in MUTANTS.items() if not names or full in names or full.split(": ")[0] in names
    }
    if not found:
        raise SystemExit(f"There is no such mutant or part: {', '.join(names)}.")
    return found


def copy(folder: Path) -> None:
    """Copy the working tree, with links to the same tools."""
    shutil.copytree(
        ROOT, folder, symlinks=True, ignore=shutil.ignore_patterns(".git", ".venv", "node_modules", "var", ".*_cache")
    )
    (folder / ".venv").symlink_to(ROOT / ".venv")
    modules = "tests/clients/typescript/node_modules"
    (folder / modules).symlink_to(ROOT / modules)


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run tests on the code in `folder`; only the fuzzer uses the servers of TEST_MYSQL_HOST."""
    is_fuzzer = command == SUITES["fuzzer"]
    inherited = {name: value for name, value in os.environ.items() if is_fuzzer or not name.startswith("TEST_")}
    environment = inherited | {"PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def tests_in(net: str) -> list[str]:
    """The command that runs the tests of a net, or of several."""
    return [*PYTEST, "-n0", *dict.fromkeys(net.split())]


def nets_of(mutant: Mutant) -> dict[str, list[str]]:
    """The commands that may catch the mutant, by name."""
    return {mutant.net: tests_in(mutant.net)} if mutant.net else SUITES


def caught_by(mutant: Mutant, folder: Path) -> str:
    """The first net that fails on the mutant; empty if none does."""
    path = folder / mutant.file
    code = path.read_text()
    path.write_text(code.replace(mutant.old, mutant.new))
    try:
        for name, command in nets_of(mutant).items():
            if run(command, folder).returncode:
                return name
    finally:
        path.write_text(code)
    return ""


def are_good(mutants: Collection[Mutant], folder: Path) -> bool:
    """Whether the nets of the mutants pass without one."""
    nets = {} if all(mutant.net for mutant in mutants) else dict(SUITES)
    if together := " ".join(mutant.net for mutant in mutants).strip():
        nets["the nets"] = tests_in(together)
    for name, command in nets.items():
        if (done := run(command, folder)).returncode:
            print(f"{done.stdout}\n{name!r} fails without a mutant: fix it first.", file=sys.stderr)
            return False
    return True


def main(names: list[str]) -> int:
    mutants, missed = chosen(names), 0
    with tempfile.TemporaryDirectory(prefix="productbackend-mutants-") as folder:
        shop = Path(folder) / "shop"
        copy(shop)
        if not are_good(mutants.values(), shop):
            return 2
        print("| mutant | caught by | s |\n| --- | --- | --- |", flush=True)
        for name, mutant in mutants.items():
            began = time.monotonic()
            net = caught_by(mutant, shop)
            missed += not net
            print(f"| {name} | {net or 'NOTHING'} | {time.monotonic() - began:.0f} |", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
