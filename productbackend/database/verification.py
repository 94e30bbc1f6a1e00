"""Verifiers: each checks all rows of a table, one slice a run, and records what it found in a single row."""

import logging
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Protocol, TypeVar

from django.db import models
from django.utils import timezone
from tqdm import tqdm

logger = logging.getLogger(__name__)

LOGGED_MAX = 20  # wrong rows of one slice

# What is verified -> the command that lists what is wrong, and fails then. Apps add theirs in `ready()`.
COMMANDS: dict[str, str] = {}


class Finding(Protocol):
    """What a verifier found about one row. Its text names the row and what is wrong with it."""

    @property
    def pk(self) -> int: ...

    @property
    def is_correct(self) -> bool: ...


F = TypeVar("F", bound=Finding)


class Verification(models.Model):
    """The progress of the current check of all rows and the result of the last complete one: a single row."""

    ended_at = models.DateTimeField(null=True)
    checked = models.PositiveIntegerField(default=0)
    wrong = models.PositiveIntegerField(default=0)
    # Of the current check.
    last_pk = models.BigIntegerField(default=0)
    checked_so_far = models.PositiveIntegerField(default=0)
    wrong_so_far = models.PositiveIntegerField(default=0)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.wrong} of {self.checked}"


def check_next_slice(model: type[Verification], findings: Callable[[int], Iterable[Finding]], size: int) -> None:
    """Check the next `size` rows, from where the last run stopped. After the last row start over.

    `findings` yields those about the rows with a primary key above its argument, in that order. Of two concurrent runs
    only one records its result.
    """
    check, _ = model._default_manager.get_or_create(pk=1)
    found = list(islice(findings(check.last_pk), size))
    wrong = [finding for finding in found if not finding.is_correct]
    for finding in wrong[:LOGGED_MAX]:
        logger.error("%s", finding)
    checked, differ = check.checked_so_far + len(found), check.wrong_so_far + len(wrong)
    unchanged = model._default_manager.filter(pk=1, last_pk=check.last_pk)
    if len(found) == size:
        unchanged.update(last_pk=found[-1].pk, checked_so_far=checked, wrong_so_far=differ)
    else:
        unchanged.update(
            last_pk=0, checked_so_far=0, wrong_so_far=0, checked=checked, wrong=differ, ended_at=timezone.now()
        )


def wrong_rows(model: type[Verification]) -> int:
    """How many rows are wrong, by the last complete check, or by the current one if that has found more."""
    check = model._default_manager.filter(pk=1).first()
    return max(check.wrong, check.wrong_so_far) if check else 0


def checked_at(model: type[Verification]) -> float:
    """When the last check was completed; 0 for never. A time in the future is from a wrong clock and ignored."""
    check = model._default_manager.filter(pk=1).first()
    return check.ended_at.timestamp() if check and check.ended_at and check.ended_at <= timezone.now() else 0.0


def list_wrong(
    findings: Iterable[F], *, total: int, unit: str, write: Callable[[str], object], describe: Callable[[F], str] = str
) -> tuple[int, int]:
    """Write the description of each wrong row; return how many rows were checked, and how many of them are wrong.

    Shows a bar of `total` rows on a terminal.
    """
    checked = wrong = 0
    # disable=None: no bar without a terminal.
    with tqdm(total=total, unit=f" {unit}", disable=None) as bar:
        for finding in findings:
            checked += 1
            bar.update()
            if not finding.is_correct:
                wrong += 1
                bar.clear()
                write(describe(finding))
    return checked, wrong
