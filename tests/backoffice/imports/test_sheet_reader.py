"""The program that reads sheets."""

import subprocess
import sys

from backoffice.imports.sheets import PROGRAM
from tests.backoffice.imports.files import xlsx


def test_its_memory_is_limited() -> None:
    data = xlsx([["sku"], ["A"]])
    for limit, works in ((500_000_000, True), (5_000_000, False)):
        command = [sys.executable, "-I", str(PROGRAM), str(limit), "10"]
        done = subprocess.run(command, input=data, capture_output=True, check=False)
        assert (done.returncode == 0) is works
        assert (done.stdout == b'["sku"]\n["A"]\n') is works
