"""The admin's home page: what apps show on it. They append to these lists in their admin modules.

A function returns None if the user may not see what it would show.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django_celery_beat.models import PeriodicTask

from productbackend.workers.late import late_jobs


@dataclass(frozen=True)
class Waiting:
    """How many rows wait for staff, and the list of them. Counted up to `at_most`, as the list does."""

    label: str
    count: int
    url: str
    at_most: int | None = None

    @property
    def text(self) -> str:
        """The number; if there may be more than were counted, it says so."""
        is_bounded = self.at_most is not None and self.count >= self.at_most
        return f"{self.count:,} or more" if is_bounded else f"{self.count:,}"


@dataclass(frozen=True)
class Panel:
    """A part of the page: its template, and what the template shows."""

    template: str
    context: Callable[[HttpRequest], dict[str, Any] | None]


WAITING: list[Callable[[HttpRequest], Waiting | None]] = []
PANELS: list[Panel] = []


def may_view(request: HttpRequest, model: type[Model]) -> bool:
    """Whether the user may see the model's list."""
    return admin.site.get_model_admin(model).has_view_permission(request)


def list_url(model: type[Model], **query: str) -> str:
    """The URL of the model's list with these filters."""
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{url}?{urlencode(query)}" if query else url


def jobs_that_are_late(request: HttpRequest) -> Waiting | None:
    if not may_view(request, PeriodicTask):
        return None
    ids = [str(job.pk) for job in late_jobs()]
    return Waiting("Jobs that are late", len(ids), list_url(PeriodicTask, id__in=",".join(ids or ["0"])))


def waiting(request: HttpRequest) -> list[Waiting]:
    """What waits for the user, as far as the user may see it."""
    return [found for each in [*WAITING, jobs_that_are_late] if (found := each(request)) is not None]
