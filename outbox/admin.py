"""The outbox in the admin: enqueued mails and their status."""

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse

from outbox import mails
from outbox.models import Mail
from productbackend.site import home
from productbackend.site.admin import COUNT_MAX, ShopAdmin
from productbackend.site.columns import BAD, GOOD, WAITS, status_badge
from productbackend.site.confirmation import confirmed
from productbackend.text.addresses import canonical_address

STATUS = status_badge({Mail.Status.PENDING: WAITS, Mail.Status.SENT: GOOD, Mail.Status.FAILED: BAD})


@admin.register(Mail)
class MailAdmin(ShopAdmin):
    list_name = "Mails"
    section = "Customers and staff"
    rank = 2
    list_display = ("kind", "recipient", "user", STATUS, "attempts", "due_at", "sent_at", "last_error")
    sortable_by = ()
    list_filter = ("status",)
    list_select_related = ("user",)
    ordering = ("-id",)
    search_fields = ("recipient",)
    search_help_text = "An address, or a reference such as an order's number."
    actions = ("send_again",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Mail | None = None) -> bool:
        """Mails are not edited; the permission allows the action."""
        return obj is None and super().has_change_permission(request)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Mail], search_term: str
    ) -> tuple[QuerySet[Mail], bool]:
        if not search_term:
            return queryset, False
        return queryset.filter(Q(recipient=canonical_address(search_term)) | Q(reference=search_term.upper())), False

    @admin.action(description="Send the selected mails again", permissions=["change"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Mail]) -> TemplateResponse | None:
        what = "will be sent again, including mails that were sent already."
        selection = confirmed(self, request, queryset, action="send_again", what=what)
        if isinstance(selection, TemplateResponse):
            return selection
        count = mails.requeue(mail_ids=selection.ids)
        self.message_user(request, f"{count:,} will be sent by the worker.")
        return None


def failed_mails(request: HttpRequest) -> home.Waiting | None:
    if not home.may_view(request, Mail):
        return None
    failed = Mail.objects.filter(status=Mail.Status.FAILED)
    url = home.list_url(Mail, status__exact=Mail.Status.FAILED)
    return home.Waiting("Mails that failed", failed[:COUNT_MAX].count(), url, at_most=COUNT_MAX)


home.WAITING.append(failed_mails)
