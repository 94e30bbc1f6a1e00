"""Pages of the admin about one order: fulfil, cancel, add a note, its packing slip, and its mails."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from orders import lifecycle
from orders.admin import seams
from orders.admin.forms import FulfilForm, NoteForm, PreviewForm
from orders.mails import CONFIRMATION, render_mail
from orders.models import Order
from orders.samples import sample_order
from outbox.mails import Message
from productbackend.errors import DomainError
from productbackend.site.admin import ShopAdmin
from productbackend.site.inline_styles import style_sources
from productbackend.site.middleware import policy

if TYPE_CHECKING:
    from accounts.models import User


class OrderPages(ShopAdmin):
    """The pages beyond those of Django's admin."""

    def get_urls(self) -> list[URLPattern]:
        guarded = self.admin_site.admin_view
        return [
            path("<int:pk>/fulfil/", guarded(self.fulfil_page), name="orders_order_fulfil"),
            path("<int:pk>/cancel/", guarded(self.cancel_page), name="orders_order_cancel"),
            path("<int:pk>/note/", guarded(self.note_page), name="orders_order_note"),
            path("<int:pk>/slip/", guarded(self.slip_page), name="orders_order_slip"),
            path("mails/", guarded(self.mails_page), name="orders_order_mails"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {**(extra_context or {}), "may_change_orders": self.has_change_permission(request)}
        return super().change_view(request, object_id, form_url, context)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        context = {**(extra_context or {}), "may_change_orders": self.has_change_permission(request)}
        context["more_links"] = [link for each in seams.LIST_LINKS for link in each(request)]
        response = super().changelist_view(request, context)
        shown = getattr(response, "context_data", {})
        if "cl" in shown:  # no redirect, and no page of an action
            shown["notes"] = [note for each in seams.LIST_NOTES for note in each(request, shown["cl"].queryset)]
        return response

    def fulfil_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A form with the tracking; fulfils the order if it is submitted."""
        order = self._order_to_change(request, pk)
        form = FulfilForm(request.POST if request.method == "POST" else None)
        if not form.is_valid():
            return self._step_page(request, order, "Fulfil", form)
        return self._apply_step(request, order, lifecycle.fulfil, tracking=form.tracking)

    def cancel_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A confirmation page; cancels the order if it is submitted."""
        order = self._order_to_change(request, pk)
        if request.method != "POST":
            return self._step_page(request, order, "Cancel", None)
        return self._apply_step(request, order, lifecycle.cancel)

    def note_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A form with a note for other staff; adds it if it is submitted."""
        order = self._order_to_change(request, pk)
        form = NoteForm(request.POST if request.method == "POST" else None)
        if not form.is_valid():
            context = {"title": f"Note about order {order.number}", "original": order, "form": form}
            return self._page(request, "note", context)
        form.instance.order, form.instance.user = order, request.user
        form.save()
        self.message_user(request, "The note was added.", messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:orders_order_change", args=[order.pk]))

    def slip_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The packing slip, for printing."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        order = get_object_or_404(Order, pk=pk)
        return TemplateResponse(request, "orders/slip.html", {"order": order, "shop": settings.SHOP_NAME})

    def mails_page(self, request: HttpRequest) -> HttpResponse:
        """A preview of the mails, for a sample or an order."""
        self._require_change_permission(request)
        form = PreviewForm(request.GET or {"kind": CONFIRMATION})
        mail, error = _preview(form) if form.is_valid() else (None, "")
        context = {"title": "Mails", "form": form, "mail": mail, "template_error": error}
        response = self._page(request, "mails", context)
        # The frame with the mail's HTML has the policy of this page.
        response["Content-Security-Policy"] = policy(style_src=style_sources(mail.html if mail else ""))
        return response

    def _require_change_permission(self, request: HttpRequest) -> None:
        if not self.has_change_permission(request):
            raise PermissionDenied

    def _order_to_change(self, request: HttpRequest, pk: int) -> Order:
        self._require_change_permission(request)
        return get_object_or_404(Order, pk=pk)

    def _page(self, request: HttpRequest, template: str, context: dict[str, Any]) -> TemplateResponse:
        shared = {**self.admin_site.each_context(request), "opts": self.opts, "media": self.media}
        return TemplateResponse(request, f"admin/orders/order/{template}.html", shared | context)

    def _step_page(self, request: HttpRequest, order: Order, verb: str, form: FulfilForm | None) -> TemplateResponse:
        notes = [] if form else [note for each in seams.CANCEL_NOTES for note in each(request, order)]
        context = {
            "title": f"{verb} order {order.number}",
            "original": order,
            "verb": verb,
            "form": form,
            "notes": notes,
        }
        return self._page(request, "step", context)

    def _apply_step(
        self, request: HttpRequest, order: Order, step: Callable[..., Order], **fields: Any
    ) -> HttpResponse:
        """Apply `step`, report its outcome, and return to the order."""
        try:
            order = step(order_id=order.pk, user=cast("User", request.user), **fields)
            self.message_user(request, f"Order {order.number} is {order.status}.", messages.SUCCESS)
        except DomainError as error:
            self.message_user(request, error.detail, messages.ERROR)
        return HttpResponseRedirect(reverse("admin:orders_order_change", args=[order.pk]))


def _preview(form: PreviewForm) -> tuple[Message | None, str]:
    """Render the mail that the form names; return it, or None and the error of a template."""
    try:
        return render_mail(form.cleaned_data["kind"], form.cleaned_data["number"] or sample_order()), ""
    except Exception as error:  # any error of the shop's own templates is shown to their author
        return None, f"{type(error).__name__}: {error}"
