"""Enqueueing mails: apps register a composer for each kind of mail, and enqueue mails of that kind.

The text is composed when the mail is sent, so that its secrets are never stored. If a composer returns None,
the mail is obsolete and its row is deleted.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone

from outbox import dispatching
from outbox.dispatching import dispatch_task
from outbox.models import Mail
from productbackend.database.statements import Insert

if TYPE_CHECKING:
    from accounts.models import User

INSERT = Insert(Mail)
REQUEUE_BATCH = 1_000
# Backoff: the delay after each attempt that failed temporarily.
DELAYS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2))


@dataclass(frozen=True)
class Message:
    """A composed mail, as plain text and as HTML."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True)
class Kind:
    """A registered kind of mail."""

    compose: Callable[[Mail], Message | None]
    delays: Sequence[timedelta]
    bulk: bool


KINDS: dict[str, Kind] = {}


def register(
    kind: str, compose: Callable[[Mail], Message | None], delays: Sequence[timedelta] = DELAYS, bulk: bool = False
) -> None:
    """Register a kind of mail with its composer and its retry delays; a `bulk` kind is sent after all others.

    Called from an app's `ready`.
    """
    KINDS[kind] = Kind(compose, delays, bulk)


def kind_for(mail: Mail) -> Kind | None:
    return KINDS.get(mail.kind)


def urgent_kinds() -> list[str]:
    """Return the kinds that are not bulk: a hundred thousand bulk mails must not delay them."""
    return [name for name, kind in KINDS.items() if not kind.bulk]


def enqueue(
    *,
    kind: str,
    recipient: str,
    user: "User | None" = None,
    key: str | None = None,
    is_first: bool = False,
    **fields: Any,
) -> Mail:
    """Enqueue a mail in the caller's transaction; a worker sends it after the commit.

    If a mail with the `key` exists, return it and enqueue nothing. `is_first` says that none can exist: this takes one
    statement, and raises IntegrityError if one does. `fields` may have the `reference`, and `was_confirmed`, which
    exempts the mail from the limits of unverified addresses.
    """
    fields = {"kind": kind, "recipient": recipient, "user": user, "due_at": timezone.now(), **fields}
    if key is None or is_first:
        mail, created = INSERT.one(Mail(key=key, **fields)), True
    else:
        mail, created = Mail.objects.get_or_create(key=key, defaults=fields)
    if created:
        transaction.on_commit(lambda: dispatching.queue.add(mail.pk), robust=True)
    return mail


def enqueue_many(mails: Sequence[Mail]) -> None:
    """Enqueue many mails with keys in bulk, without those whose key exists. The sweep sends them."""
    Mail.objects.bulk_create(mails, ignore_conflicts=True)
    transaction.on_commit(lambda: dispatch_task("outbox.tasks.sweep"), robust=True)


def requeue(*, mail_ids: Sequence[int]) -> int:
    """Enqueue mails again, in any status; return how many.

    Skipped are claimed mails, and anonymized ones, which have no recipient.
    """
    requeued = 0
    for first in range(0, len(mail_ids), REQUEUE_BATCH):
        rows = Mail.objects.filter(pk__in=mail_ids[first : first + REQUEUE_BATCH], claimed_at=None)
        requeued += rows.exclude(recipient="").update(
            status=Mail.Status.PENDING, attempts=0, due_at=timezone.now(), sent_at=None, last_error=""
        )
    transaction.on_commit(lambda: dispatch_task("outbox.tasks.sweep"), robust=True)
    return requeued
