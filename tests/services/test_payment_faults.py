"""Payments under faults on the servers of these tests, and without one safeguard each: then it must be found."""

import subprocess
import sys

import pytest
from django.conf import settings

# 8 of these 40 customers cancel while their page asks about the payment: what the lock is for.
CONTROLLED = ["--orders", "40", "--clients", "16", "--seed", "19080", "--kill-every", "3", "--patience", "30"]
RUNS = 2  # at most: the processes may not meet in the first one
WRONG = {"movements in one of the books only, or twice", "orders that check_payments finds wrong"}

pytestmark = pytest.mark.xdist_group("payment faults")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the benchmark with a database server of its own; its queue and cache are files."""
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.payment_faults", "--own-database", *arguments],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )


def violated(output: str) -> dict[str, int]:
    """The violations in a report, by their names."""
    rows = [line.strip("| ").split(" | ") for line in output.splitlines() if line.startswith("| **")]
    return {name.strip("*"): int(count) for name, count in rows if int(count)}


def test_every_cent_and_piece_is_accounted_for_after_faults() -> None:
    done = run("--orders", "60", "--clients", "16", "--kill-every", "3")
    assert (done.returncode, violated(done.stdout)) == (0, {}), done.stdout + done.stderr


@pytest.mark.parametrize(
    "control", ["reference", *(pytest.param(name, marks=pytest.mark.release) for name in ("lock", "trusted"))]
)
def test_control_without_a_safeguard_it_is_found(control: str) -> None:
    runs = (run(*CONTROLLED, "--control", control) for _ in range(RUNS))
    assert any(done.returncode == 1 and WRONG & violated(done.stdout).keys() for done in runs)
