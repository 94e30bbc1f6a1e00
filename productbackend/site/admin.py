"""Base classes of the admin: quick pages on large tables, and domain errors as messages."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.options import IS_POPUP_VAR
from django.contrib.admin.views.main import ORDER_VAR, ChangeList
from django.core.paginator import Paginator
from django.db import models
from django.db.models import Q
from django.http import HttpRequest, HttpResponseRedirect
from django_celery_beat.admin import PeriodicTaskAdmin
from django_celery_beat.models import PeriodicTask

from productbackend.database.fields import fold
from productbackend.database.recorded import RecordedQuerySet
from productbackend.errors import DomainError
from productbackend.site import sections

COUNT_MAX = 5_000
DELETE_MAX = 500  # rows in one action: the confirmation page lists and submits each
LAST_CHARACTER = "\U0010ffff"

admin.site.site_header = admin.site.site_title = settings.SHOP_NAME
admin.site.index_title = "Administration"


@dataclass(frozen=True)
class Link:
    """A link at the top of a page."""

    label: str
    url: str


# What apps link to at the top of the pages of a model's objects. They append in their admin modules.
OBJECT_LINKS: dict[type[models.Model], list[Callable[[HttpRequest, Any], list[Link]]]] = defaultdict(list)


class BoundedPaginator(Paginator):
    """Counts up to 5,000 rows: the time to count a whole table grows with its size."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return rows.order_by()[:COUNT_MAX].count() if isinstance(rows, models.QuerySet) else super().count

    @property
    def is_bounded(self) -> bool:
        """Whether there may be more rows than were counted."""
        return self.count >= COUNT_MAX


class IndexedChangeList(ChangeList):
    """A list that is ordered by one column, and by the key after it: an index has these, and no other column between.

    Choosing another column replaces the first one. The default order is the model admin's own, also if the column is
    not offered for sorting: its number was typed by hand, and no index may have it.
    """

    def apply_select_related(self, qs: models.QuerySet[Any]) -> models.QuerySet[Any]:
        """Read related rows by their own statements: to join a small table MySQL sorts all rows, not those shown."""
        names = self.list_select_related
        return qs.prefetch_related(*names) if isinstance(names, (list, tuple)) else super().apply_select_related(qs)

    def get_ordering_field(self, field_name: Any) -> Any:
        return super().get_ordering_field(field_name) if field_name in (self.sortable_by or ()) else None

    def get_ordering(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> list[Any]:
        queryset = queryset.order_by()  # it has the default order, which would follow the chosen column
        if ORDER_VAR not in self.params:
            return super().get_ordering(request, queryset)
        self.params[ORDER_VAR] = self.params[ORDER_VAR].partition(".")[0]
        ordering = super().get_ordering(request, queryset)
        if ordering == ["-pk"]:  # no column was chosen
            del self.params[ORDER_VAR]
            return super().get_ordering(request, queryset)
        if len(ordering) == 2 and ordering[1] == "-pk" and not _is_descending(ordering[0]):
            ordering[1] = "pk"
        return ordering


def _is_descending(term: Any) -> bool:
    return term.startswith("-") if isinstance(term, str) else bool(getattr(term, "descending", False))


class Listed:
    """Says how the navigation shows the list: its section, its name if it is not the model's, and its rank there."""

    section = sections.SYSTEM
    list_name = ""
    rank = 1  # the least is the first

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The list, with its name as the title. A window that chooses a row says so, as Django does."""
        context = {} if IS_POPUP_VAR in request.GET else {"title": sections.list_name(self)}
        return super().changelist_view(request, context | (extra_context or {}))  # type: ignore[misc]


class ShopAdmin(Listed, admin.ModelAdmin):
    """Admin pages that an index serves; a DomainError becomes a message."""

    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    list_max_show_all = 200

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return IndexedChangeList

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        context = dict(extra_context or {})
        if (registered := OBJECT_LINKS.get(self.model)) and (row := self.get_object(request, object_id)) is not None:
            context["more_links"] = [link for each in registered for link in each(request, row)]
        return super().change_view(request, object_id, form_url, context)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        if isinstance(objs, models.QuerySet) and (number := objs.count()) > DELETE_MAX:
            return [], {}, set(), [f"{number:,} are selected, and at most {DELETE_MAX} can be deleted in one action"]
        return super().get_deleted_objects(objs, request)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Save the page atomically: on a DomainError roll back and show its message."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except DomainError as error:
            self.message_user(request, f"Nothing was saved. {error.detail}", messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())


class ReadOnly:
    """Rows that the admin shows but does not change."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def begins_with(field: str, text: str) -> Q:
    """A prefix search on a casefolded column, as a range that every database reads from an index."""
    key = fold(text)
    return Q(**{f"{field}__gte": key, f"{field}__lt": key + LAST_CHARACTER})


admin.site.unregister(PeriodicTask)


@admin.register(PeriodicTask)
class JobAdmin(Listed, PeriodicTaskAdmin):
    """django-celery-beat's pages, whose actions write many rows without a signal: they are recorded too."""

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[PeriodicTask]:
        rows: models.QuerySet[PeriodicTask] = RecordedQuerySet(PeriodicTask).order_by(*self.get_ordering(request))
        return rows.select_related("interval", "crontab", "solar", "clocked")
