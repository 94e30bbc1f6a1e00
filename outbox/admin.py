"""Mail in the admin: what was owed, and what became of it."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from outbox import mails
from outbox.models import Mail
from productbackend.admin import ShopAdmin


@admin.register(Mail)
class MailAdmin(ShopAdmin):
    list_display = ("kind", "recipient", "user", "status", "attempts", "due_at", "sent_at", "last_error")
    sortable_by = ()
    list_filter = ("status",)
    list_select_related = ("user",)
    ordering = ("-id",)
    search_fields = ("recipient",)
    search_help_text = "An address, or what the mail is about, such as an order's number."
    actions = ("send_again",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """No mail is edited; the permission lets its bearer send it again."""
        return obj is None and super().has_change_permission(request)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term:
            return queryset, False
        return queryset.filter(Q(recipient=search_term.lower()) | Q(reference=search_term.upper())), False

    @admin.action(description="Send the selected mails again", permissions=["change"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Mail]) -> None:
        owed = mails.owe_again(mail_ids=list(queryset.values_list("pk", flat=True)))
        self.message_user(request, f"{owed} will be sent by the worker.")
