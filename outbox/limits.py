"""Limits the mails to an unverified address: it may be a stranger's.

A mail over the limit waits. A mail behind too many waiting ones fails. All kinds count together.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from outbox.models import Mail

PERIOD = timedelta(hours=1)
SENT_MAX = 5  # in a period
WAITING_MAX = 20
CLAIM_AGE_MAX = timedelta(minutes=1)  # longer than a claim's lease


@dataclass(frozen=True)
class Limit:
    """Why a mail is not sent now, and until when it waits; `until` is None if it fails."""

    reason: str
    until: datetime | None


def _never(address: str) -> bool:
    return False


_is_verified: Callable[[str], bool] = _never


def register(is_verified: Callable[[str], bool]) -> None:
    """Register the function that says whether an address is verified. Called from an app's `ready`."""
    global _is_verified
    _is_verified = is_verified


def reached(mail: Mail) -> Limit | None:
    """Return the limit that a claimed mail exceeds, or None."""
    if mail.was_confirmed or _is_verified(mail.recipient):
        return None
    now = timezone.now()
    same_recipient = Mail.objects.filter(recipient=mail.recipient).exclude(pk=mail.pk)
    sent = list(
        same_recipient.filter(sent_at__gt=now - PERIOD, sent_at__lte=now)
        .order_by("-sent_at")
        .values_list("sent_at", flat=True)[:SENT_MAX]
    )
    # Claimed mails may be sent concurrently, so they count. This mail was claimed before the count: of two workers
    # at least one sees the other.
    pending = same_recipient.filter(status=Mail.Status.PENDING)
    claimed = pending.filter(claimed_at__gt=now - CLAIM_AGE_MAX, claimed_at__lte=now + CLAIM_AGE_MAX).count()
    if len(sent) + claimed < SENT_MAX:
        return None
    if pending.filter(pk__lt=mail.pk)[:WAITING_MAX].count() >= WAITING_MAX:
        return Limit(f"The address is not verified, and {WAITING_MAX} mails to it are waiting already.", None)
    freed_at = (sent[-1] or now) + PERIOD if len(sent) == SENT_MAX else now + CLAIM_AGE_MAX
    return Limit(f"The address is not verified: it gets at most {SENT_MAX} mails an hour.", freed_at)
