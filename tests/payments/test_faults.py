"""Payments while events are lost and processes are killed: the benchmark in small, on SQLite."""

import os
import subprocess
import sys
import threading
from argparse import Namespace
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from benchmarks import payment_books
from benchmarks.mailbox import Delivery, Mailbox
from benchmarks.payment_run import Run
from outbox.models import Mail
from tests.setup.service import EMBEDDED, prepare

SMALL = ["--sqlite", "--orders", "16", "--clients", "8", "--workers", "1", "--beats", "0", "--kill-every", "5"]
SMALL += ["--seed", "831"]  # whose 16 customers do all that customers can do


@pytest.mark.thorough  # the whole service under faults
@pytest.mark.embedded
def test_every_cent_and_piece_is_accounted_for_after_faults(tmp_path: Path, shared: Path) -> None:
    prepare(tmp_path / "data", shared)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.payment_faults", *SMALL, "--data", str(tmp_path / "data")],
        cwd=settings.BASE_DIR,
        env=os.environ | EMBEDDED,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def new_run(**parts: Any) -> Run:
    kills: Counter[str] = Counter()
    return Run(Namespace(), SimpleNamespace(), SimpleNamespace(kills=kills), Mailbox(), **parts)  # type: ignore[arg-type]


def test_the_last_customers_wait_until_each_kind_of_fault_has_happened() -> None:
    """A worker that starts more slowly than the customers shop has no process yet that can be killed."""
    run = new_run()
    assert run.missing() == ["a web process is killed", "a worker is killed"]
    waiting = threading.Thread(target=run.wait_for_faults, args=(30,))
    waiting.start()
    run.kills["web process"] += 1
    waiting.join(0.3)
    assert waiting.is_alive()
    run.background.kills["pool process"] += 1
    waiting.join(10)
    assert not waiting.is_alive()
    assert run.missing() == []


def test_a_run_with_a_database_of_its_own_needs_two_restarts() -> None:
    run = new_run(own_database=SimpleNamespace(), kills=Counter("w"))
    run.background.kills["worker"] += 1
    run.outages.append((1.0, 2.0))
    assert run.missing() == ["the database is restarted"]
    run.outages.append((3.0, 4.0))
    assert run.missing() == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("quit_at", "outages", "wrong"),
    [(50.0, [], 1), (50.0, [(60.0, 70.0)], 1), (50.0, [(40.0, 60.0)], 0), (None, [], 0)],
    ids=["complete", "complete before", "while the database was away", "killed"],
)
def test_a_second_delivery_is_wrong_unless_the_first_was_interrupted(
    quit_at: float | None, outages: list[tuple[float, float]], wrong: int
) -> None:
    Mail.objects.create(kind="news", recipient="a@example.com", status="sent", due_at=timezone.now())
    mailbox = Mailbox()
    mailbox.accepted["a@example.com"] = [Delivery("<1@x>", quit_at), Delivery("<1@x>", 90.0)]
    assert payment_books.wrong_deliveries(mailbox, outages) == wrong
