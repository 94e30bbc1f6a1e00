"""Sending what is owed: one row at a time, claimed before and marked after.

A claim is a guarded UPDATE, committed before anything is sent: of two workers one gets the row. A
worker that dies leaves its claim, which lapses after `LEASE`. If it dies between the server's 250
and the UPDATE that says so, the mail goes out twice, with the same Message-ID: that window is left.
"""

import smtplib
from datetime import datetime, timedelta
from email.utils import parseaddr

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.db.models import F, Min, Q, QuerySet
from django.utils import timezone

from outbox import mails, pace
from outbox.models import Mail

# Longer than the task that sends may take, so that no claim lapses under a worker that lives.
LEASE = timedelta(seconds=30)
SWEEP_BATCH = 500  # in one queue with all else: what comes after it waits for it


class Refused(Exception):
    """The mail can never be sent like this."""


def send(mail_id: int) -> None:
    """Send the mail if it is due and nobody else is at it."""
    mail = claim(mail_id)
    if mail is None:
        return None
    kind = mails.kind_of(mail)
    if kind is None:
        return _fail(mail, f"Nothing writes mails of the kind {mail.kind!r}.")
    if mail.attempts > len(kind.delays) + 1:
        return _fail(mail, "Each attempt was lost with its worker.")
    message = kind.compose(mail)
    if message is None:
        mail.delete()
        return None
    try:
        _deliver(mail, message)
    except Refused as error:
        return _fail(mail, str(error))
    except OSError as error:  # smtplib's errors are OSErrors too
        if mail.attempts > len(kind.delays):
            return _fail(mail, str(error))
        _conclude(mail, due_at=timezone.now() + kind.delays[mail.attempts - 1], last_error=str(error)[:500])
    return None


def claim(mail_id: int) -> Mail | None:
    """The mail, where this call is the one that may send it."""
    now = timezone.now()
    if not _due(now).filter(pk=mail_id).update(claimed_at=now, attempts=F("attempts") + 1):
        return None
    # Counted by the one that has the row: of several that wanted it none wastes a place in the minute.
    if not pace.take_one():
        Mail.objects.filter(pk=mail_id, claimed_at=now).update(claimed_at=None, attempts=F("attempts") - 1)
        return None
    return Mail.objects.select_related("user").filter(pk=mail_id).first()


def due() -> list[int]:
    """The mails that wait for a worker, the oldest first and the bulk last, within bounds."""
    most = pace.left(SWEEP_BATCH)
    waiting = _due(timezone.now()).order_by("due_at", "pk").values_list("pk", flat=True)
    urgent = list(waiting.filter(kind__in=mails.urgent_kinds())[:most])
    return urgent + list(waiting.exclude(kind__in=mails.urgent_kinds())[: most - len(urgent)])


def longest_owed() -> float:
    """How many seconds the oldest mail that is not sent yet has been owed, tried or not; 0 where none is."""
    # By the lowest key, which the index of what is due has in it, and not the time of making.
    oldest = Mail.objects.filter(status=Mail.Status.PENDING).aggregate(pk=Min("pk"))["pk"]
    made = Mail.objects.filter(pk=oldest).values_list("created_at", flat=True).first()
    return (timezone.now() - made).total_seconds() if made else 0.0


def longest_due() -> float:
    """How many seconds the first mail of those that a worker may send now has waited for one; 0 where none does."""
    now = timezone.now()
    due = Mail.objects.filter(status=Mail.Status.PENDING, due_at__lte=now).order_by("due_at")
    first = due.values_list("due_at", flat=True).first()
    return (now - first).total_seconds() if first else 0.0


def message_id(mail: Mail) -> str:
    """The same at each attempt, so that a server or a reader can see that two mails are one."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    return f"<{mail.pk}.{mail.created_at:%Y%m%d%H%M%S%f}@{domain}>"


def _due(now: datetime) -> QuerySet[Mail]:
    free = Q(claimed_at=None) | Q(claimed_at__lt=now - LEASE)
    return Mail.objects.filter(free, status=Mail.Status.PENDING, due_at__lte=now)


def _deliver(mail: Mail, message: mails.Message) -> None:
    """Hand the mail over and say so at once, before parting from the server politely."""
    email = EmailMultiAlternatives(
        " ".join(message.subject.split()),
        message.text,
        settings.DEFAULT_FROM_EMAIL,
        [mail.recipient],
        headers={"Message-ID": message_id(mail), "Auto-Submitted": "auto-generated"},
    )
    email.attach_alternative(message.html, "text/html")
    with get_connection() as connection:
        try:
            connection.send_messages([email])
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
            if _code(error) >= 500:
                raise Refused(str(error)) from error
            raise
        except ValueError as error:  # an address or a subject that no header can hold
            raise Refused(str(error)) from error
        now = timezone.now()
        pending = Mail.objects.filter(pk=mail.pk, status=Mail.Status.PENDING)
        pending.update(status=Mail.Status.SENT, sent_at=now, claimed_at=None, last_error="")


def _code(error: smtplib.SMTPRecipientsRefused | smtplib.SMTPResponseException) -> int:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return max(code for code, _ in error.recipients.values())
    return error.smtp_code


def _fail(mail: Mail, reason: str) -> None:
    _conclude(mail, status=Mail.Status.FAILED, last_error=reason[:500])


def _conclude(mail: Mail, **fields: object) -> None:
    """Write what came of the attempt, unless the claim has lapsed and the row is another's."""
    own = Mail.objects.filter(pk=mail.pk, status=Mail.Status.PENDING, claimed_at=mail.claimed_at)
    own.update(claimed_at=None, **fields)
