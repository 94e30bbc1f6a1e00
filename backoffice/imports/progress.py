"""The work on imports: one process at a time has claimed an import, and goes through it slice by slice.

A slice is one transaction, which also writes that the slice is done. So whenever a worker is killed, another one goes
on with the slices that were not done, and nothing is done twice. A run does two slices at once, by two threads: while
the database writes one, the worker computes the other. `sweep` dispatches the task again for imports that nobody works
on.
"""

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from copy import copy
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from kombu.exceptions import KombuError

from backoffice.imports import checking, running
from backoffice.imports.models import Import, ImportRow, ImportSlice
from productbackend.celery import app
from productbackend.database.transactions import atomic_with_retry

logger = logging.getLogger(__name__)

Status = Import.Status
TASK = "backoffice.tasks.work_on_import"
TIME_MAX = 10.0  # seconds of one task; then another one continues, behind the mails that wait meanwhile
LEASE = timedelta(seconds=90)  # a claim that was not renewed for longer has expired: more than a slice may take
GRACE = timedelta(seconds=15)  # for the first message to arrive before `sweep` sends another
TIMES_MAX = 20  # more than the two threads can renew without a commit
ATTEMPTS_MAX = 5  # claims without a slice that was done
SWEEP_SECONDS = 30
# After which a message of `sweep` expires: longer than the queue is behind. Of several messages only one finds work.
MESSAGE_SECONDS = 300
SWEEP_MAX = 100
WORK = (Status.CHECKING, Status.RUNNING)
STUCK = "It stopped at slice {slice} of {slices}: workers were killed there {times} times, or failed; see their log."


def now() -> datetime:
    return timezone.now()


def dispatch(import_id: int, *, expires: int | None = None) -> None:
    """Send the task. An unreachable broker is logged; `sweep` sends the task again."""
    try:
        app.send_task(TASK, [import_id], expires=expires)
    except (KombuError, OSError) as error:
        logger.warning("The broker is unreachable: import %d is not enqueued: %s", import_id, error)


@dataclass
class Claim:
    """A claim on an import, which the threads of one process share."""

    import_id: int
    # When it was made and last renewed: `claimed_at` is one of these. A renewal may be rolled back.
    times: tuple[datetime, ...] = ()

    @classmethod
    def of(cls, row: Import) -> "Claim":
        """The claim with which the caller has stored the import."""
        return cls(row.pk, (row.claimed_at,) if row.claimed_at else ())

    def renewed(self) -> datetime:
        """A new time. The caller has locked the import: so the threads do not renew it at once."""
        moment = now()
        self.times = (*self.times[-TIMES_MAX:], moment)
        return moment

    def release(self) -> None:
        """End the claim before it expires: the next worker goes on immediately."""
        Import.objects.filter(pk=self.import_id, claimed_at__in=self.times).update(claimed_at=None)


def work(import_id: int, *, seconds: float = TIME_MAX) -> None:
    """Go on with the check or the run of an import, unless another process does so."""
    go_on(claim(import_id), seconds=seconds)


def go_on(held: Claim | None, *, seconds: float = TIME_MAX) -> None:
    """Do slices for so many seconds, at least one. What is left is for the workers.

    Raises OperationalError if the database could not do a slice, which `sweep` then dispatches again.
    """
    if held is None:
        return
    try:
        is_unfinished = do_slices(held, seconds=seconds)
    except IntegrityError as error:  # a concurrent request took an SKU
        logger.warning("A slice of import %d is tried again: %s", held.import_id, error)
        is_unfinished = True
    except OperationalError:  # a lock was not free in time, or the database was unreachable
        connection.close_if_unusable_or_obsolete()
        with suppress(OperationalError):  # then the claim expires
            held.release()  # the next sweep dispatches it
        raise
    held.release()
    if is_unfinished:
        dispatch(held.import_id)


def do_slices(held: Claim, *, seconds: float) -> bool:
    """Do slices for so many seconds, at least one, and two at once if possible. Returns whether more can be done."""
    deadline = time.monotonic() + seconds

    def one_after_another() -> bool:
        while is_unfinished := step(held):
            if time.monotonic() > deadline:
                break
        return is_unfinished

    def with_another_connection() -> bool:
        try:
            return one_after_another()
        finally:
            connection.close()

    if not seconds or not _can_do_two(held):
        return one_after_another()
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(copy_context().run, with_another_connection)
        is_unfinished = one_after_another()
    return other.result() or is_unfinished


def _can_do_two(held: Claim) -> bool:
    """Whether two threads may work: not on a check, which compares each slice with the rows of those before it."""
    if connection.in_atomic_block or not connection.features.has_select_for_update_skip_locked:
        return False
    several = Import.objects.filter(status=Status.RUNNING, slices__gt=F("position") + 1)
    return several.filter(pk=held.import_id).exists()


def claim(import_id: int) -> Claim | None:
    """Claim an import that has work and no worker; None if it is not one. Gives up one that fails again and again."""
    moment = now()
    rows = Import.objects.filter(_unclaimed(moment), pk=import_id, status__in=WORK)
    if not rows.update(claimed_at=moment, attempts=F("attempts") + 1):
        return None
    row = Import.objects.get(pk=import_id)
    if row.attempts <= ATTEMPTS_MAX:
        return Claim(import_id, (moment,))
    message = STUCK.format(slice=row.position + 1, slices=row.slices, times=ATTEMPTS_MAX)
    logger.error("%s failed. %s", row, message)
    mine = Import.objects.filter(pk=import_id, claimed_at=moment)
    mine.update(status=Status.FAILED, message=message + running.left_behind(row), claimed_at=None)
    return None


@atomic_with_retry
def step(held: Claim) -> bool:
    """Do a slice that nobody else does. Returns whether this process may do another one.

    The import is locked at the end, after the products: so two slices of a run do not wait for each other.
    """
    row = _work(held)
    is_check = row is not None and row.status == Status.CHECKING
    if is_check:
        row = _work(held, locked=True)  # each slice is compared with the rows of those before it
    if row is None:
        return False
    part = _unfinished_slices(row).select_for_update(skip_locked=not is_check).first()
    if part is None:
        return False
    before = copy(row)
    if is_check:
        checking.check(row, part)
    else:
        running.run(row, part)
    stored = _work(held, locked=True)
    if stored is None or stored.pass_number != before.pass_number:  # the claim was lost meanwhile
        transaction.set_rollback(True)
        return False
    ImportSlice.objects.filter(pk=part.pk).update(passes=before.pass_number)
    for name in ImportRow.Outcome.values:
        setattr(stored, name, getattr(stored, name) + getattr(row, name) - getattr(before, name))
    stored.is_verified = row.is_verified
    following = _unfinished_slices(before).values_list("number", flat=True).first()
    stored.position = stored.slices if following is None else following
    if following is None:
        checking.finish(stored) if is_check else running.finish(stored)
    stored.attempts, stored.claimed_at = 0, held.renewed() if stored.status in WORK else None
    stored.save()
    return stored.status in WORK


def _work(held: Claim, *, locked: bool = False) -> Import | None:
    """The import, if it has work and this process has the claim."""
    rows = Import.objects.filter(pk=held.import_id, status__in=WORK)
    row = (rows.select_for_update() if locked else rows).first()
    # Compared after the lock: the other thread may have renewed the claim while this one waited.
    return row if row is not None and row.claimed_at in held.times else None


def _unfinished_slices(row: Import) -> QuerySet[ImportSlice]:
    return row.parts.filter(number__gte=row.position, passes__lt=row.pass_number).order_by("number")


def _unclaimed(moment: datetime) -> Q:
    return Q(claimed_at=None) | Q(claimed_at__lt=moment - LEASE) | Q(claimed_at__gt=moment + LEASE)


def sweep() -> int:
    """Dispatch the task again for imports that nobody works on, SWEEP_MAX at most. Returns how many."""
    moment = now()
    old = Q(created_at__lt=moment - GRACE) | Q(created_at__gt=moment + GRACE)
    waiting = Import.objects.filter(_unclaimed(moment) & old, status__in=WORK).order_by("pk")
    ids = list(waiting.values_list("pk", flat=True)[:SWEEP_MAX])
    for import_id in ids:
        dispatch(import_id, expires=MESSAGE_SECONDS)
    return len(ids)
