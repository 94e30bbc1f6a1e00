"""The confirmation page of irreversible admin actions, with the number of rows that will change."""

import hashlib
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse

LISTED_MAX = 20  # rows that the page lists


@dataclass(frozen=True)
class Selection:
    """The rows of an action by their ids, and a token that identifies them when the page is submitted."""

    ids: list[int]

    @property
    def token(self) -> str:
        last = self.ids[-1] if self.ids else 0
        return f"{last}-{hashlib.sha256(repr(self.ids).encode()).hexdigest()}"

    @classmethod
    def of(cls, queryset: QuerySet[Any], token: str) -> "Selection":
        """Select the rows of the action, without rows that are newer than the confirmation page."""
        last = token.partition("-")[0]
        rows = queryset.filter(pk__lte=int(last)) if last.isascii() and last.isdigit() else queryset
        return cls(list(rows.order_by("pk").values_list("pk", flat=True)))


def confirmed(
    modeladmin: ModelAdmin, request: HttpRequest, queryset: QuerySet[Any], *, action: str, what: str
) -> Selection | TemplateResponse:
    """Return the confirmed selection, or the confirmation page if it was not submitted or the rows have changed.

    `what` completes the sentence about the rows: "will be fulfilled."
    """
    token = request.POST.get("selection", "")[:100]
    selection = Selection.of(queryset, token)
    if request.POST.get("post"):
        is_listed = request.POST.get("select_across", "0") == "0"  # the request lists each row
        if token == selection.token or (is_listed and not token):
            return selection
        modeladmin.message_user(request, "Nothing was done: the selection has changed since.", messages.ERROR)
        selection = Selection.of(queryset, "")
    opts = modeladmin.model._meta
    number = len(selection.ids)
    context = {
        **modeladmin.admin_site.each_context(request),
        "title": "Are you sure?",
        "subtitle": None,
        "opts": opts,
        "media": modeladmin.media,
        "action": action,
        "sentence": f"{number:,} {opts.verbose_name if number == 1 else opts.verbose_name_plural} {what}",
        "rows": list(queryset.filter(pk__in=selection.ids[:LISTED_MAX]).order_by("pk")),
        "others": max(0, number - LISTED_MAX),
        "selection": selection.token,
        "select_across": request.POST.get("select_across", "0"),
        "action_checkbox_name": ACTION_CHECKBOX_NAME,
        "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
    }
    return TemplateResponse(request, "admin/confirm_action.html", context)
