"""The welcome mail: once to each customer, a day or more after registering."""

from datetime import timedelta

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from accounts.models import User
from outbox import mails
from outbox.models import Mail

KIND = "welcome"
AGE = timedelta(days=1)
BATCH = 1_000
# A refusal for now is tried again the next day, five days at most.
DELAYS = (timedelta(days=1),) * 4


def owed() -> QuerySet[User]:
    """Who is owed the mail and has no row for it yet, whatever days were missed."""
    has_row = Exists(Mail.objects.filter(user=OuterRef("pk"), kind=KIND))
    old_enough = User.objects.filter(is_active=True, email__isnull=False, date_joined__lte=timezone.now() - AGE)
    return old_enough.exclude(has_row).order_by("pk")


def owe_welcome_mails() -> int:
    """Write down what is owed, in batches; how many users were found. Running it twice at once is harmless."""
    total, last = 0, 0
    while batch := list(owed().filter(pk__gt=last).only("pk", "email")[:BATCH]):
        now = timezone.now()
        # The key keeps it to one a user, should another run find the same users.
        mails.owe_all(
            [
                Mail(kind=KIND, key=f"{KIND}:{user.pk}", user=user, recipient=user.email or "", due_at=now)
                for user in batch
            ]
        )
        total, last = total + len(batch), batch[-1].pk
    return total
