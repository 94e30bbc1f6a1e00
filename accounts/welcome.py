"""The welcome mail: once to each customer, at least a day after registration."""

from datetime import timedelta

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from accounts.models import User
from outbox import mails
from outbox.models import Mail

KIND = "welcome"
AGE_MIN = timedelta(days=1)
BATCH = 1_000
CLOCK_SKEW_MAX = timedelta(minutes=1)  # between the clocks of two hosts
# A temporary failure is retried the next day: five attempts.
DELAYS = (timedelta(days=1),) * 4


def due_users() -> QuerySet[User]:
    """Return the users who are due for the mail and have no row for it, including those of missed days."""
    has_row = Exists(Mail.objects.filter(user=OuterRef("pk"), kind=KIND))
    old_enough = User.objects.filter(is_active=True, email__isnull=False, date_joined__lte=timezone.now() - AGE_MIN)
    return old_enough.exclude(has_row).order_by("pk")


def enqueue_welcome_mails() -> int:
    """Enqueue the due mails in batches; return how many users were due. Concurrent runs are harmless."""
    # A date_joined in the future is of a clock that was ahead: reset it.
    now = timezone.now()
    User.objects.filter(date_joined__gt=now + CLOCK_SKEW_MAX).update(date_joined=now)
    total, last = 0, 0
    while batch := list(due_users().filter(pk__gt=last).only("pk", "email")[:BATCH]):
        now = timezone.now()
        # The key prevents a second mail if a concurrent run finds the same users.
        mails.enqueue_many(
            [
                Mail(kind=KIND, key=f"{KIND}:{user.pk}", user=user, recipient=user.email or "", due_at=now)
                for user in batch
            ]
        )
        total, last = total + len(batch), batch[-1].pk
    return total
