"""Removes personal data from the admin log, and deletes expired sessions."""

from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts.models import User
from productbackend.database.transactions import in_slices


def anonymize(*, user: User) -> None:
    """Remove the account's name from the admin log entries about it."""
    about = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(User), object_id=str(user.pk))
    about.update(object_repr=f"account {user.pk}")


def clear_sessions() -> int:
    """Delete expired sessions in slices; return how many."""
    expired = Session.objects.filter(expire_date__lt=timezone.now())
    return sum(slice_.delete()[0] for slice_ in in_slices(expired))


def on_account_closed(sender: type[User], user: User, **kwargs: Any) -> None:
    anonymize(user=user)
