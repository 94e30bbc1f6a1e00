"""Periodic tasks about accounts."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts.tasks import clear_sessions

pytestmark = pytest.mark.django_db


def test_only_expired_sessions_are_deleted() -> None:
    now = timezone.now()
    for number in range(5):
        Session.objects.create(session_key=f"old{number}", session_data="", expire_date=now - timedelta(minutes=1))
    Session.objects.create(session_key="new", session_data="", expire_date=now + timedelta(minutes=1))
    clear_sessions()
    assert list(Session.objects.values_list("pk", flat=True)) == ["new"]
