"""Pages about money: refund an order, mark it as paid, and the money that waits for staff."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from orders.models import Order
from payments import ledger, refunds, sending
from payments.admin import waiting
from payments.admin.forms import MarkPaidForm, RefundForm, confirmation, contents, form_key
from payments.marking import PAYABLE, mark_paid, not_payable
from payments.models import Refund
from payments.refunds import RefundRequest
from productbackend.api.permissions import sees_all
from productbackend.errors import DomainError
from productbackend.site.admin import ShopAdmin
from productbackend.text.formats import money

if TYPE_CHECKING:
    from accounts.models import User

# The steps of the page "Money that waits for you": what does it, and what it says then.
STEPS: dict[str, tuple[Callable[..., Refund], str]] = {
    "sent": (sending.mark_sent, "is marked as sent"),
    "again": (sending.send_again, "is sent again"),
    "aside": (sending.put_aside, "is put aside"),
}


def details(error: DomainError) -> list[str]:
    """The sentences of an error: one for each invalid value."""
    return [each["detail"] for each in error.extra.get("errors", [{"detail": error.detail}])]


class MoneyPages(ShopAdmin):
    """The pages beyond those of Django's admin."""

    change_list_template = "admin/payments/payment/change_list.html"

    def get_urls(self) -> list[URLPattern]:
        guarded = self.admin_site.admin_view
        return [
            path("orders/<int:pk>/refund/", guarded(self.refund_page), name="payments_payment_refund"),
            path("orders/<int:pk>/mark-paid/", guarded(self.mark_paid_page), name="payments_payment_mark_paid"),
            path("waiting/", guarded(self.waiting_page), name="payments_payment_waiting"),
            path("refunds/<int:pk>/<slug:step>/", guarded(self.step), name="payments_payment_step"),
            *super().get_urls(),
        ]

    def refund_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A form whose amount is shown first; it refunds if that amount is confirmed."""
        order = self._order(request, pk, "add_refund")
        user = cast("User", request.user)
        if refunds.key_is_used(user=user, key=form_key(request.POST)):  # two clicks, or the browser's "Back"
            text = "This form has made its refund already: see the order's refunds. Nothing more was refunded."
            self.message_user(request, text, messages.WARNING)
            return self._to_order(order)
        form = RefundForm(order, request.POST if request.method == "POST" else None)
        shown: dict[str, Any] = {}
        if form.is_valid():
            wanted = form.wanted(user)
            try:
                amount = refunds.preview(wanted)
                shown = {
                    "amount": amount,
                    "contents": contents(wanted),
                    "by_transfer": refunds.is_by_transfer(order, amount),
                    "confirmation": confirmation(wanted, amount),
                }
                if request.POST.get("confirmed") == shown["confirmation"]:
                    return self._refund(request, order, wanted)
            except DomainError as error:
                shown = {}
                for each in details(error):
                    form.add_error(None, each)
        context = {
            "title": f"Refund order {order.number}",
            "form": form,
            "balance": ledger.order_balance(order.pk),
            "refundable": refunds.refundable(order.pk),
            **shown,
        }
        return self._page(request, "refund", order, context)

    def mark_paid_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A form with the amount and a note; marks the order as paid if it is submitted."""
        order = self._order(request, pk, "add_moneymovement")
        if order.status not in PAYABLE:
            self.message_user(request, not_payable(order), messages.ERROR)
            return self._to_order(order)
        form = MarkPaidForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            try:
                order = mark_paid(order_id=order.pk, user=cast("User", request.user), **form.cleaned_data)
            except DomainError as error:
                if error.code != "validation-error":
                    self.message_user(request, error.detail, messages.ERROR)
                    return self._to_order(order)
                form.add_error("amount", error.detail)
            else:
                self.log_change(request, order, f"Marked as paid: {form.cleaned_data['amount']} {order.currency}.")
                self._report_mark(request, order)
                return self._to_order(order)
        context = {"title": f"Mark order {order.number} as paid", "form": form}
        return self._page(request, "mark_paid", order, context)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        context = {**(extra_context or {}), "may_view_waiting": request.user.has_perm("payments.view_refund")}
        return super().changelist_view(request, context)

    def waiting_page(self, request: HttpRequest) -> HttpResponse:
        """What waits for staff, each with what to do."""
        self._require(request, "view_refund")
        sections = [section() for section in waiting.SECTIONS]
        may_act = request.user.has_perm("payments.add_refund")
        may_open = sees_all(request.user, Order)
        context = {"title": "Money that waits for you", "sections": sections, "may_act": may_act, "may_open": may_open}
        return self._page(request, "waiting", None, context)

    def step(self, request: HttpRequest, pk: int, step: str) -> HttpResponse:
        """Apply a step of the page to a refund, report its outcome, and return to the page."""
        self._require(request, "add_refund")
        if step not in STEPS:
            raise Http404
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        apply, outcome = STEPS[step]
        try:
            refund = apply(refund_id=pk, user=cast("User", request.user))
        except DomainError as error:
            for each in details(error):
                self.message_user(request, each, messages.ERROR)
        else:
            text = f"The refund of {money(refund.amount, refund.order.currency)} {outcome}."
            self.log_change(request, refund.order, text)
            self.message_user(request, text, messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:payments_payment_waiting"))

    def _refund(self, request: HttpRequest, order: Order, wanted: RefundRequest) -> HttpResponse:
        refund, replayed = sending.request(wanted)
        if not replayed:
            text = f"A refund of {money(refund.amount, order.currency)} is {refund.status}."
            self.log_change(request, order, text)
            self.message_user(request, text, messages.SUCCESS)
        return self._to_order(order)

    def _report_mark(self, request: HttpRequest, order: Order) -> None:
        if order.status == Order.Status.PAID:
            self.message_user(request, f"Order {order.number} is paid.", messages.SUCCESS)
        else:
            text = (
                f"The goods of order {order.number} are gone: it stays {order.status}. The money is to be sent back, "
                "and waits for you."
            )
            self.message_user(request, text, messages.WARNING)

    @staticmethod
    def _require(request: HttpRequest, permission: str) -> None:
        if not request.user.has_perm(f"payments.{permission}"):
            raise PermissionDenied

    def _order(self, request: HttpRequest, pk: int, permission: str) -> Order:
        """The order, for those who may see orders and have the permission. Raises PermissionDenied or Http404."""
        self._require(request, permission)
        if not sees_all(request.user, Order):
            raise PermissionDenied
        return get_object_or_404(Order, pk=pk)

    @staticmethod
    def _to_order(order: Order) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:orders_order_change", args=[order.pk]))

    def _page(
        self, request: HttpRequest, template: str, order: Order | None, context: dict[str, Any]
    ) -> TemplateResponse:
        shared = {**self.admin_site.each_context(request), "opts": self.opts, "media": self.media, "original": order}
        return TemplateResponse(request, f"admin/payments/payment/{template}.html", shared | context)
