"""The runs that write the sitemap and the feed, step by step: one process at a time has claimed the one run there is.

A step reads some ten thousand products and writes their files; then a guarded UPDATE records it. A step that was killed
is done again, under the same names. What is served changes by the UPDATE that publishes the run, after its last step.
"""

import logging
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone
from kombu.exceptions import KombuError

from backoffice.feeds import addresses, files, writing
from backoffice.feeds.models import FeedBuild
from backoffice.feeds.writing import LIMITS, Limits
from productbackend.celery import app
from productbackend.errors import DomainError, FileStoreUnavailable

logger = logging.getLogger(__name__)

TASK = "backoffice.tasks.continue_feeds"
TIME_MAX = 10.0  # seconds of one task; then another one continues, behind the mails that wait meanwhile
SWEEP_SECONDS = 60
LEASE = timedelta(seconds=150)  # a claim is older only if its process is dead: no task runs for longer than 120
ATTEMPTS_MAX = 5  # claims without a step that was done
STORED_FOR = timedelta(minutes=15)  # files after the next ones were published: longer than a download

Claim = tuple[int, datetime]  # the build's id, and when it was claimed


def now() -> datetime:
    return timezone.now()


def start() -> None:
    """Start a run, and work on it. One that runs already is continued; nothing is done if the feeds are off."""
    if addresses.is_on():
        remove_old()
        begin()
        work()


def sweep() -> None:
    """Continue a run that nobody works on; start one if nothing is published with the present settings."""
    if not addresses.is_on():
        return
    remove_old()
    if not FeedBuild.published().filter(basis=addresses.basis()).exists():
        begin()
    work()


def begin() -> None:
    """Create a run, unless there is one. One that began with other settings is given up."""
    FeedBuild.objects.filter(is_running=True).exclude(basis=addresses.basis()).update(is_running=None)
    with suppress(IntegrityError), transaction.atomic():
        FeedBuild.objects.create(token=secrets.token_hex(8), basis=addresses.basis())


def work(*, seconds: float = TIME_MAX) -> None:
    """Go on with the run, unless another process does so. Another task continues it when the time is over."""
    deadline, claim = time.monotonic() + seconds, claimed()
    while claim is not None:
        pk, claimed_at = claim
        try:
            claim = step(claim)
        except (FileStoreUnavailable, OSError) as error:  # the disk of temporary files may be full
            logger.warning("The run of the feeds is tried again: %s", error)
            FeedBuild.objects.filter(pk=pk, claimed_at=claimed_at).update(claimed_at=None)
            return
        if claim is not None and time.monotonic() > deadline:
            release(claim)
            dispatch()
            return


def dispatch() -> None:
    """Send the task. An unreachable broker is logged; `sweep` continues the run."""
    try:
        app.send_task(TASK, expires=SWEEP_SECONDS)
    except (KombuError, OSError) as error:
        logger.warning("The broker is unreachable: the feeds go on within a minute: %s", error)


def claimed() -> Claim | None:
    """Claim the run if nobody works on it; None if there is none. Gives up one that fails again and again."""
    moment = now()
    free = Q(claimed_at=None) | Q(claimed_at__lt=moment - LEASE) | Q(claimed_at__gt=moment + LEASE)
    running = FeedBuild.objects.filter(is_running=True)
    if not running.filter(free).update(claimed_at=moment, attempts=F("attempts") + 1):
        return None
    build = running.filter(claimed_at=moment).first()
    if build is None:
        return None
    if build.attempts <= ATTEMPTS_MAX:
        return build.pk, moment
    logger.error("%s failed %d times after product %d: see the log.", build, ATTEMPTS_MAX, build.last_product)
    running.filter(pk=build.pk, claimed_at=moment).update(is_running=None)
    return None


def release(claim: Claim) -> None:
    """End a claim before it expires: the next process goes on immediately."""
    FeedBuild.objects.filter(pk=claim[0], claimed_at=claim[1]).update(claimed_at=None, attempts=0)


def step(claim: Claim, *, limits: Limits = LIMITS, report: Callable[[int], object] = lambda read: None) -> Claim | None:
    """Do the next step. Returns the renewed claim; None if the run is published, or another process has the claim.

    `report` is called with the number of products read. Raises FileStoreUnavailable.
    """
    pk, claimed_at = claim
    mine = FeedBuild.objects.filter(pk=pk, claimed_at=claimed_at, is_running=True)
    build = mine.first()
    if build is None:
        return None
    done = writing.write(build, limits, report)
    moment = now()
    columns = {
        "last_product": done.last_product,
        "parts": build.parts + ([[done.part[0], done.part[1].isoformat()]] if done.part else []),
        "pieces": build.pieces + done.pieces,
        "urls": build.urls + done.urls,
        "items": build.items + done.items,
        "left_out": {
            reason: build.left_out.get(reason, 0) + done.left_out.get(reason, 0)
            for reason in {*build.left_out, *done.left_out}
        },
        "attempts": 0,
        "claimed_at": moment,
    }
    if done.is_last:
        columns |= {"is_running": None, "published_at": moment}
    return (pk, moment) if mine.update(**columns) and not done.is_last else None


def make(*, limits: Limits = LIMITS, report: Callable[[int], object] = lambda read: None) -> FeedBuild:
    """Write all files and publish them. A run that was interrupted is continued.

    Raises DomainError: `unavailable` if another process is doing it; FileStoreUnavailable.
    """
    remove_old()
    begin()
    claim = claimed()
    if claim is None:
        raise DomainError("unavailable", "Another process is writing the sitemap and the feed.")
    pk = claim[0]
    while claim is not None:
        held = claim
        try:
            claim = step(held, limits=limits, report=report)
        except BaseException:
            release(held)
            raise
    build = FeedBuild.objects.filter(pk=pk, published_at__isnull=False).first()
    if build is None:
        raise DomainError("unavailable", "Another process has taken over the sitemap and the feed.")
    return build


def remove_old() -> None:
    """Remove the files of builds that were replaced, or given up, and then their rows."""
    moment, served = now(), FeedBuild.published().first()
    # A process may still be writing a step of a run that was given up.
    old = Q(published_at=None) & (Q(claimed_at=None) | Q(claimed_at__lt=moment - LEASE))
    if served is not None and served.published_at < moment - STORED_FOR:
        old |= Q(published_at__isnull=False) & ~Q(pk=served.pk)
    for build in FeedBuild.objects.filter(old, is_running=None):
        try:
            files.remove(build)
        except (FileStoreUnavailable, OSError) as error:
            logger.warning("The files of %s are removed later: %s", build, error)
            return
        build.delete()


def published_at() -> float | None:
    """When the files that are served were published; 0 for never, None if the feeds are off."""
    if not addresses.is_on():
        return None
    moment = FeedBuild.published().values_list("published_at", flat=True).first()
    return moment.timestamp() if moment else 0.0
