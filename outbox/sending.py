"""Sending pending mails: each row is claimed before, and its outcome written after.

A claim is a guarded UPDATE, committed before the mail is sent: of two workers one gets the row. The claim of a killed
worker expires after `LEASE`. A worker that is killed between the server's 250 and the UPDATE of the status sends the
mail twice, with the same Message-ID: this window remains.
"""

import logging
import smtplib
import time
from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.db.models import F, Min, Q, QuerySet
from django.utils import timezone

from outbox import limits, mails, rate_limit, times
from outbox.dispatching import Waiting, dispatch_mails
from outbox.models import Mail
from outbox.times import LEASE
from productbackend.environment import sender
from productbackend.observability import context

logger = logging.getLogger(__name__)

OTHERS_SECONDS = 2.0  # within which the last mail of a message begins
SWEEP_BATCH = 500  # the queue is shared: tasks behind a batch wait for it


class PermanentFailure(Exception):
    """Retrying cannot help: the mail fails."""


def send(mail_id: int) -> None:
    """Send the mail if it is due and not claimed."""
    mail = claim(mail_id)
    if mail is None:
        return None
    kind = mails.kind_for(mail)
    if kind is None:
        return _fail(mail, f"No composer is registered for the kind {mail.kind!r}.")
    if mail.attempts > len(kind.delays) + 1:
        return _fail(mail, "The worker was killed in each attempt.")
    try:
        message = kind.compose(mail)
    except Exception as error:  # any error of a composer must not stop the worker
        logger.exception("Mail %d of the kind %s could not be composed", mail.pk, mail.kind)
        return _retry_later(mail, kind, f"The mail could not be composed: {type(error).__name__}: {error}")
    if message is None:
        mail.delete()
        return None
    if limit := limits.reached(mail):
        # Not counted as an attempt: the mail server was not contacted.
        return _fail(mail, limit.reason) if limit.until is None else _defer(mail, limit)
    try:
        _deliver(mail, message)
    except PermanentFailure as error:
        return _fail(mail, str(error))
    except OSError as error:  # includes smtplib's errors
        return _retry_later(mail, kind, str(error))
    return None


def send_all(mail_id: int, others: Sequence[Waiting]) -> None:
    """Send the mails of one message: the first for the task's own request, each of the others for its own.

    While the mail server is slow, those that are left get a message of their own: no task takes as long as its limit.
    """
    end = time.monotonic() + OTHERS_SECONDS
    send(mail_id)
    for position, (other_id, request_id, user_id) in enumerate(others):
        if time.monotonic() > end:
            return dispatch_mails(others[position:])
        with context.on_behalf_of(request_id, user_id):
            send(other_id)
    return None


def claim(mail_id: int) -> Mail | None:
    """Claim the mail; return None if it is not due, claimed already, or over the rate limit."""
    now = timezone.now()
    if not _due(now).filter(pk=mail_id).update(claimed_at=now, attempts=F("attempts") + 1):
        return None
    # Counted after the claim, so that concurrent workers on one row count once.
    if not rate_limit.acquire():
        Mail.objects.filter(pk=mail_id, claimed_at=now).update(claimed_at=None, attempts=F("attempts") - 1)
        return None
    return Mail.objects.select_related("user").filter(pk=mail_id).first()


def due() -> list[int]:
    """Return the ids of due mails, oldest first and bulk kinds last, up to the batch size and the rate limit."""
    times.reset_future_times(timezone.now())
    limit = rate_limit.available(SWEEP_BATCH)
    waiting = _due(timezone.now()).order_by("due_at", "pk").values_list("pk", flat=True)
    urgent = list(waiting.filter(kind__in=mails.urgent_kinds())[:limit])
    return urgent + list(waiting.exclude(kind__in=mails.urgent_kinds())[: limit - len(urgent)])


def oldest_pending_seconds() -> float:
    """Return the age of the oldest pending mail in seconds; 0 if there is none."""
    # By the lowest primary key, which the index `mail_due` contains, and not by created_at.
    oldest = Mail.objects.filter(status=Mail.Status.PENDING).aggregate(pk=Min("pk"))["pk"]
    created_at = Mail.objects.filter(pk=oldest).values_list("created_at", flat=True).first()
    return max(0.0, (timezone.now() - created_at).total_seconds()) if created_at else 0.0


def oldest_due_seconds() -> float:
    """Return how many seconds the oldest due mail has waited for a worker; 0 if there is none."""
    now = timezone.now()
    due = Mail.objects.filter(status=Mail.Status.PENDING, due_at__lte=now).order_by("due_at")
    first = due.values_list("due_at", flat=True).first()
    return (now - first).total_seconds() if first else 0.0


def message_id(mail: Mail) -> str:
    """Return the Message-ID, the same for each attempt, so that a duplicate can be recognized."""
    domain = sender(settings.DEFAULT_FROM_EMAIL).rpartition("@")[2].rstrip(">")
    return f"<{mail.pk}.{mail.created_at:%Y%m%d%H%M%S%f}@{domain}>"


def _due(now: datetime) -> QuerySet[Mail]:
    # A claim in the future does not count: it is of a clock that was ahead.
    free = Q(claimed_at=None) | Q(claimed_at__lt=now - LEASE) | Q(claimed_at__gt=now + LEASE)
    return Mail.objects.filter(free, status=Mail.Status.PENDING, due_at__lte=now)


def _deliver(mail: Mail, message: mails.Message) -> None:
    """Send the mail, and write its status before closing the connection. Raises PermanentFailure or OSError."""
    email = EmailMultiAlternatives(
        " ".join(message.subject.split()),
        message.text,
        sender(settings.DEFAULT_FROM_EMAIL),
        [mail.recipient],
        headers={"Message-ID": message_id(mail), "Auto-Submitted": "auto-generated"},
    )
    email.attach_alternative(message.html, "text/html")
    with get_connection() as connection:
        try:
            connection.send_messages([email])
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
            if _code(error) >= 500:
                raise PermanentFailure(str(error)) from error
            raise
        except ValueError as error:  # an address or a subject that is invalid in a header
            raise PermanentFailure(str(error)) from error
        now = timezone.now()
        pending = Mail.objects.filter(pk=mail.pk, status=Mail.Status.PENDING)
        pending.update(status=Mail.Status.SENT, sent_at=now, claimed_at=None, last_error="")


def _code(error: smtplib.SMTPRecipientsRefused | smtplib.SMTPResponseException) -> int:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return max(code for code, _ in error.recipients.values())
    return error.smtp_code


def _retry_later(mail: Mail, kind: mails.Kind, reason: str) -> None:
    """Retry after the kind's next delay; fail if there is none left."""
    if mail.attempts > len(kind.delays):
        return _fail(mail, reason)
    return _record_outcome(mail, due_at=timezone.now() + kind.delays[mail.attempts - 1], last_error=reason[:500])


def _defer(mail: Mail, limit: limits.Limit) -> None:
    _record_outcome(mail, due_at=limit.until, last_error=limit.reason, attempts=F("attempts") - 1)


def _fail(mail: Mail, reason: str) -> None:
    _record_outcome(mail, status=Mail.Status.FAILED, last_error=reason[:500])


def _record_outcome(mail: Mail, **fields: object) -> None:
    """Write the outcome of the attempt, unless the claim has expired and another worker has the row."""
    own = Mail.objects.filter(pk=mail.pk, status=Mail.Status.PENDING, claimed_at=mail.claimed_at)
    own.update(claimed_at=None, **fields)
