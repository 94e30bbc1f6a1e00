"""The work on imports: one process at a time has claimed an import, and goes through it slice by slice.

A slice is one transaction, which begins with a lock of the import and also moves its position. So whenever a worker is
killed, another one goes on with the slice that was not done, and nothing is done twice. `sweep` dispatches the task
again for imports that nobody works on.
"""

import logging
import time
from contextlib import suppress
from datetime import datetime, timedelta

from django.db import IntegrityError, OperationalError, connection
from django.db.models import F, Q
from django.utils import timezone
from kombu.exceptions import KombuError

from backoffice.imports import checking, running
from backoffice.imports.models import Import
from productbackend.celery import app
from productbackend.database.transactions import atomic_with_retry

logger = logging.getLogger(__name__)

Status = Import.Status
TASK = "backoffice.tasks.work_on_import"
TIME_MAX = 10.0  # seconds of one task; then another one continues, behind the mails that wait meanwhile
LEASE = timedelta(seconds=90)  # a claim that was not renewed for longer has expired: more than a slice may take
GRACE = timedelta(seconds=15)  # for the first message to arrive before `sweep` sends another
ATTEMPTS_MAX = 5  # claims without a slice that was done
SWEEP_SECONDS = 30
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


def work(import_id: int, *, seconds: float = TIME_MAX) -> None:
    """Go on with the check or the run of an import, unless another process does so."""
    go_on(import_id, claim(import_id), seconds=seconds)


def go_on(import_id: int, claimed_at: datetime | None, *, seconds: float = TIME_MAX) -> None:
    """Do slices for so many seconds, at least one. What is left is for the workers.

    Raises OperationalError if the database could not do a slice, which `sweep` then dispatches again.
    """
    deadline = time.monotonic() + seconds
    while claimed_at is not None:
        try:
            claimed_at = step(import_id, claimed_at)
        except IntegrityError as error:  # a concurrent request took an SKU
            logger.warning("A slice of import %d is tried again: %s", import_id, error)
            Import.objects.filter(pk=import_id, claimed_at=claimed_at).update(claimed_at=None)
            dispatch(import_id)
            return
        except OperationalError:  # a lock was not free in time, or the database was unreachable
            connection.close_if_unusable_or_obsolete()
            mine = Import.objects.filter(pk=import_id, claimed_at=claimed_at)
            with suppress(OperationalError):  # then the claim expires
                mine.update(claimed_at=None)  # the next sweep dispatches it
            raise
        if claimed_at is not None and time.monotonic() > deadline:
            release(import_id, claimed_at)
            dispatch(import_id)
            return


def claim(import_id: int) -> datetime | None:
    """Claim an import that has work and no worker; None if it is not one. Gives up one that fails again and again."""
    moment = now()
    rows = Import.objects.filter(_unclaimed(moment), pk=import_id, status__in=WORK)
    if not rows.update(claimed_at=moment, attempts=F("attempts") + 1):
        return None
    row = Import.objects.get(pk=import_id)
    if row.attempts <= ATTEMPTS_MAX:
        return moment
    message = STUCK.format(slice=row.position + 1, slices=row.slices, times=ATTEMPTS_MAX)
    logger.error("%s failed. %s", row, message)
    mine = Import.objects.filter(pk=import_id, claimed_at=moment)
    mine.update(status=Status.FAILED, message=message + running.left_behind(row), claimed_at=None)
    return None


def release(import_id: int, claimed_at: datetime) -> None:
    """End a claim before it expires: the next worker goes on immediately."""
    Import.objects.filter(pk=import_id, claimed_at=claimed_at).update(claimed_at=None, attempts=0)


@atomic_with_retry
def step(import_id: int, claimed_at: datetime) -> datetime | None:
    """Do the next slice. Returns the renewed claim; None if nothing is left to do, or another process has the claim."""
    row = Import.objects.select_for_update().filter(pk=import_id, claimed_at=claimed_at, status__in=WORK).first()
    if row is None:
        return None
    part = row.parts.get(number=row.position)
    if row.status == Status.CHECKING:
        checking.check(row, part)
    else:
        running.run(row, part)
    row.position += 1
    if row.position == row.slices:
        checking.finish(row) if row.status == Status.CHECKING else running.finish(row)
    row.attempts, row.claimed_at = 0, now() if row.status in WORK else None
    row.save()
    return row.claimed_at


def _unclaimed(moment: datetime) -> Q:
    return Q(claimed_at=None) | Q(claimed_at__lt=moment - LEASE) | Q(claimed_at__gt=moment + LEASE)


def sweep() -> int:
    """Dispatch the task again for imports that nobody works on, SWEEP_MAX at most. Returns how many."""
    moment = now()
    old = Q(created_at__lt=moment - GRACE) | Q(created_at__gt=moment + GRACE)
    waiting = Import.objects.filter(_unclaimed(moment) & old, status__in=WORK).order_by("pk")
    ids = list(waiting.values_list("pk", flat=True)[:SWEEP_MAX])
    for import_id in ids:
        dispatch(import_id, expires=SWEEP_SECONDS)  # before the next sweep, which would enqueue it twice
    return len(ids)
