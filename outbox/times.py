"""Resets times in the future that a wrong clock wrote."""

from datetime import datetime, timedelta

from django.db.models import Q

from outbox import limits, mails
from outbox.models import Mail

# Longer than the time limit of the task, so that no claim expires while its worker runs.
LEASE = timedelta(seconds=30)


def reset_future_times(now: datetime) -> None:
    """Make due the pending mails that were created in the future, or are deferred longer than any delay or limit.

    Their times are of a clock that was ahead and has been corrected.
    """
    later = now + LEASE  # the clocks of two hosts differ a little
    wrong = Q(created_at__gt=later)
    longest = max([limits.PERIOD, *(delay for kind in mails.KINDS.values() for delay in kind.delays)])
    wrong |= Q(due_at__gt=later + longest) | Q(attempts=0, due_at__gt=later + limits.PERIOD)
    for name, kind in mails.KINDS.items():
        for attempt, delay in enumerate(kind.delays, 1):
            wrong |= Q(kind=name, attempts=attempt, due_at__gt=later + max(delay, limits.PERIOD))
    Mail.objects.filter(wrong, status=Mail.Status.PENDING, due_at__gt=later).update(due_at=now)
