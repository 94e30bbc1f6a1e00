"""Retention of recipients."""

from datetime import timedelta

from django.utils import timezone

from outbox.models import Mail
from productbackend.database.transactions import in_slices

RECIPIENT_RETENTION = timedelta(days=90)


def anonymize_recipients() -> int:
    """Remove the addresses of mails that were sent or failed before the retention period; return how many.

    The rows stay: a welcome mail's row prevents a second one.
    """
    ended = Mail.objects.exclude(status=Mail.Status.PENDING).exclude(recipient="")
    old = ended.filter(created_at__lt=timezone.now() - RECIPIENT_RETENTION)
    return sum(slice_.update(recipient="", last_error="") for slice_ in in_slices(old))
