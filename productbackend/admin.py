"""What the admin pages of every app share: they stay quick on big tables, and say what a rule refused."""

from functools import cached_property
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.db import models
from django.db.models import Q
from django.http import HttpRequest, HttpResponseRedirect

from productbackend.errors import DomainError
from productbackend.fields import fold

COUNT_MAX = 5_000
LAST_CHARACTER = "\U0010ffff"

admin.site.site_header = admin.site.site_title = settings.SHOP_NAME
admin.site.index_title = "Administration"


class BoundedPaginator(Paginator):
    """Counts to 5,000 rows and no further: counting a whole table takes as long as the table is large."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return rows.order_by()[:COUNT_MAX].count() if isinstance(rows, models.QuerySet) else super().count


class ShopAdmin(admin.ModelAdmin):
    """Pages that an index serves, and a rule's refusal as a message."""

    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    list_max_show_all = 200

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Save all of the page or nothing: what the domain refuses is told, and rolled back."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except DomainError as error:
            self.message_user(request, f"Nothing was saved. {error.detail}", messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())


class ReadOnly:
    """Rows that are read here and written by the shop alone."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def begins_with(field: str, text: str) -> Q:
    """The rows whose `field`, a folded key, begins with `text`: a range, which every database reads from an index."""
    key = fold(text)
    return Q(**{f"{field}__gte": key, f"{field}__lt": key + LAST_CHARACTER})
