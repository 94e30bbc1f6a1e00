"""The history in the admin: the list of all changes, and those of an object on its page "History"."""

from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode

from backoffice.history.models import Change
from backoffice.history.presenting import Shown, kind_name, shown, visible_kinds
from productbackend.database.changes import KINDS
from productbackend.site.admin import ReadOnly, ShopAdmin

PERSONS_MAX = 50  # that the filter lists; others are found by `?person=` and their number
VALUE_LENGTH = 100  # characters of a value in the list
OBJECT_HISTORY = "admin/backoffice/object_history.html"


class KindFilter(admin.SimpleListFilter):
    title = "kind"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: "admin.ModelAdmin[Any]") -> list[tuple[str, str]]:
        return [(kind, kind_name(kind)) for kind in visible_kinds(request.user)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Change]) -> QuerySet[Change]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


class PersonFilter(admin.SimpleListFilter):
    """Those who are staff now. A number in the URL finds the changes of other accounts, closed ones too."""

    title = "person"
    parameter_name = "person"

    def lookups(self, request: HttpRequest, model_admin: "admin.ModelAdmin[Any]") -> list[tuple[Any, str]]:
        staff = get_user_model()._default_manager.filter(is_staff=True).order_by("username_key")
        return list(staff.values_list("pk", "username")[:PERSONS_MAX])

    def queryset(self, request: HttpRequest, queryset: QuerySet[Change]) -> QuerySet[Change]:
        value = self.value()
        if not value or not value.isascii() or not value.isdigit() or len(value) > 18:
            return queryset
        return queryset.filter(user_id=int(value))


@admin.register(Change)
class ChangeAdmin(ReadOnly, ShopAdmin):
    class Media:
        css = {"all": ["backoffice/history.css"]}

    section = "Customers and staff"
    list_name = "History of changes"
    rank = 2
    list_display = ("created_at", "what", "short_values", "person", "way")
    sortable_by = ()
    list_filter = (KindFilter, PersonFilter, "created_at")
    ordering = ("-created_at", "-id")
    fields = readonly_fields = ("created_at", "what", "action", "person", "way", "source", "values")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Change]:
        """Only the kinds of objects that the user may see."""
        kinds = visible_kinds(request.user)
        rows = super().get_queryset(request)
        return rows if len(kinds) == len(KINDS) else rows.filter(kind__in=kinds)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        page = super().get_changelist_instance(request)
        page.result_list = list(page.result_list)
        for row, each in zip(page.result_list, shown(page.result_list), strict=True):
            row.shown = each  # read together, rather than for each cell
        return page

    @staticmethod
    def _shown(row: Any) -> Shown:
        found: Shown = row.shown if hasattr(row, "shown") else shown([row])[0]
        return found

    @admin.display(description="object")
    def what(self, row: Change) -> str:
        each = self._shown(row)
        name = format_html('<a href="{}">{}</a>', each.url, each.name) if each.url else each.name
        return format_html('{} <bdi class="object-name">{}</bdi> ({})', each.kind, name, row.object_id)

    @admin.display(description="by")
    def person(self, row: Change) -> str:
        each = self._shown(row)
        if row.user_id is None:
            return each.person
        url = f"{reverse('admin:backoffice_change_changelist')}?{urlencode({'person': row.user_id})}"
        return format_html('<a href="{}">{}</a>', url, each.person)

    @admin.display(description="values")
    def short_values(self, row: Change) -> str:
        return self._shown(row).described(VALUE_LENGTH)

    @admin.display(description="values")
    def values(self, row: Change) -> str:
        return self._shown(row).html()


def show_on_object_pages() -> None:
    """Let the page "History" of every recorded model in the admin begin with the object's changes."""
    for model in KINDS:
        if admin.site.is_registered(model):
            type(admin.site.get_model_admin(model)).object_history_template = OBJECT_HISTORY
