"""What the shop owes by mail: apps register how a kind is written, and owe it to someone.

The text is composed when the mail is sent, so that no secret in it is ever stored. A composer that
returns None says that the mail is no longer wanted: its row is then deleted.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from kombu.exceptions import KombuError

from outbox.models import Mail
from productbackend.celery import app

logger = logging.getLogger(__name__)

# How long after each attempt that was refused for now the next one is due.
DELAYS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2))


@dataclass(frozen=True)
class Message:
    """A mail as it is sent: a plain text, and the same as HTML."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True)
class Kind:
    compose: Callable[[Mail], Message | None]
    delays: Sequence[timedelta]
    bulk: bool


_kinds: dict[str, Kind] = {}


def register(
    kind: str, compose: Callable[[Mail], Message | None], delays: Sequence[timedelta] = DELAYS, bulk: bool = False
) -> None:
    """Say how mails of `kind` are written, how they are tried again, and whether others go first (`bulk`).

    Called from an app's `ready`.
    """
    _kinds[kind] = Kind(compose, delays, bulk)


def kind_of(mail: Mail) -> Kind | None:
    return _kinds.get(mail.kind)


def urgent_kinds() -> list[str]:
    """The kinds that somebody waits for, and that a hundred thousand of another must not hold up."""
    return [name for name, kind in _kinds.items() if not kind.bulk]


def owe(*, kind: str, recipient: str, user: Any = None, reference: str = "", key: str | None = None) -> Mail:
    """Write down, in the caller's transaction, that a mail is owed; a worker sends it after the commit.

    With a `key` that is there already, the mail that has it is returned and nothing is owed anew.
    """
    fields = {"kind": kind, "recipient": recipient, "user": user, "reference": reference, "due_at": timezone.now()}
    if key is None:
        mail, made = Mail.objects.create(**fields), True
    else:
        mail, made = Mail.objects.get_or_create(key=key, defaults=fields)
    if made:
        transaction.on_commit(lambda: _nudge("outbox.tasks.send", mail.pk), robust=True)
    return mail


def owe_all(mails: Sequence[Mail]) -> None:
    """Write many at once, each with a key: one whose key is there already is left out. The sweep sends them."""
    Mail.objects.bulk_create(mails, ignore_conflicts=True)
    transaction.on_commit(lambda: _nudge("outbox.tasks.sweep"), robust=True)


def owe_again(*, mail_ids: Sequence[int]) -> int:
    """Owe mails once more, whatever became of them; returns how many. One that is being sent just now is left alone.

    So is one whose recipient has closed the account since: it has no address any more.
    """
    owed = (
        Mail.objects.filter(pk__in=mail_ids, claimed_at=None)
        .exclude(recipient="")
        .update(status=Mail.Status.PENDING, attempts=0, due_at=timezone.now(), sent_at=None, last_error="")
    )
    transaction.on_commit(lambda: _nudge("outbox.tasks.sweep"), robust=True)
    return owed


def _nudge(task: str, *args: Any) -> None:
    """Tell a worker that something is due. Where the queue is away the sweep finds the row later."""
    try:
        # By name, for the tasks import this module.
        app.signature(task, args=args).apply_async()
    except (KombuError, OSError) as error:
        logger.warning("The queue does not take %s%s: %s", task, args, error)
