"""Payments in the admin: read only, and what staff do about money.

The order's page shows its payments, movements and refunds.
"""

from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse

from orders.admin import seams
from orders.models import Order
from payments import cancelling, ledger
from payments.admin.forms import piece_text
from payments.admin.pages import MoneyPages
from payments.admin.waiting import ROWS_MAX
from payments.models import MoneyMovement, Payment, ProviderEvent, Refund
from payments.providers import transfer
from payments.watching import unresolved_refunds
from productbackend.site import home
from productbackend.site.admin import COUNT_MAX, OBJECT_LINKS, ReadOnly, ShopAdmin
from productbackend.site.columns import BAD, GOOD, WAITS, amount, status_badge
from productbackend.site.days import Days, today
from productbackend.site.filters import DayFilter
from productbackend.text.formats import money

if TYPE_CHECKING:
    from accounts.models import User

NOTHING = "–"
STATUS = status_badge(
    {Payment.Status.PENDING: WAITS, Payment.Status.SUCCEEDED: GOOD, Payment.Status.FAILED: BAD},
)
REFUND_STATUS = status_badge({Refund.Status.PENDING: WAITS, Refund.Status.DONE: GOOD, Refund.Status.FAILED: BAD})
AMOUNT = amount("amount", "currency")


class MoneyInline(ReadOnly, admin.TabularInline):
    """Rows about the money of an order, on its page."""

    extra = 0
    can_delete = False

    def get_readonly_fields(self, request: HttpRequest, obj: Order | None = None) -> tuple[Any, ...]:
        return tuple(self.fields or ())


class PaymentInline(MoneyInline):
    model = Payment
    fields = ("method", STATUS, AMOUNT, "reference", "note", "error", "created_at")


class RefundInline(MoneyInline):
    model = Refund
    fields = (amount("amount", "payment.currency"), REFUND_STATUS, "pieces", "reason", "error", "user", "created_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Refund]:
        return super().get_queryset(request).select_related("user", "payment").prefetch_related("lines__line")

    @admin.display(description="of")
    def pieces(self, refund: Refund) -> str:
        parts = [piece_text(row.quantity, row.line.sku, restock=row.restock) for row in refund.lines.all()]
        return ", ".join([*parts, "the delivery"] if refund.delivery else parts) or NOTHING


class MovementInline(MoneyInline):
    model = MoneyMovement
    fields = ("kind", AMOUNT, "provider", "reference", "user", "occurred_at")
    verbose_name_plural = "movements of money"

    def get_queryset(self, request: HttpRequest) -> QuerySet[MoneyMovement]:
        return super().get_queryset(request).select_related("user")


def found_by(rows: QuerySet[Any], *conditions: Q) -> QuerySet[Any]:
    """Those that meet one of the conditions: an index serves each of these, and none serves them together."""
    every: QuerySet[Any] = rows.model._default_manager.order_by()
    ids = [pk for each in conditions for pk in every.filter(each).values_list("pk", flat=True)[:COUNT_MAX]]
    return rows.filter(pk__in=ids)


def of_any(rows: QuerySet[Any], provider: str, **condition: str) -> Q:
    """The condition, for an index whose first column is `provider`."""
    names = list(rows.model._default_manager.order_by().values_list(provider, flat=True).distinct())
    return Q(**{f"{provider}__in": names, **condition})


def of_order(number: str) -> Q:
    return Q(order__in=list(Order.objects.filter(number=number).values_list("pk", flat=True)))


@admin.register(Payment)
class PaymentAdmin(ReadOnly, MoneyPages):
    section = "Orders"
    list_display = ("order", "method", STATUS, AMOUNT, "created_at")
    sortable_by = ()
    list_filter = ("status", "method", DayFilter)
    list_select_related = ("order",)
    search_fields = ("reference__exact", "order__number__exact")
    search_help_text = "The provider's reference of a payment, or an order's number."
    fields = (
        "order", "method", STATUS, AMOUNT, "reference", "note", "error", "user", "cancel_requested_at",
        "checked_at", "due_at", "created_at", "updated_at",
    )  # fmt: skip
    readonly_fields = (STATUS, AMOUNT)
    ordering = ("-id",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Payment], search_term: str
    ) -> tuple[QuerySet[Payment], bool]:
        if not search_term:
            return queryset, False
        return found_by(queryset, of_any(queryset, "method", reference=search_term), of_order(search_term)), False


@admin.register(MoneyMovement)
class MoneyMovementAdmin(ReadOnly, ShopAdmin):
    section = "Orders"
    list_name = "Movements of money"
    list_display = ("order", "kind", AMOUNT, "provider", "reference", "user", "occurred_at")
    sortable_by = ()
    list_filter = ("kind", "provider")
    list_select_related = ("order", "user")
    search_fields = ("reference__exact", "order__number__exact")
    search_help_text = "The provider's reference of a movement, or an order's number."
    ordering = ("-id",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[MoneyMovement], search_term: str
    ) -> tuple[QuerySet[MoneyMovement], bool]:
        if not search_term:
            return queryset, False
        return found_by(queryset, of_any(queryset, "provider", reference=search_term), of_order(search_term)), False


@admin.register(ProviderEvent)
class ProviderEventAdmin(ReadOnly, ShopAdmin):
    list_name = "Events of payment providers"
    list_display = ("provider", "event_id", "kind", "reference", "processed_at", "created_at")
    sortable_by = ()
    list_filter = ("provider",)
    search_fields = ("event_id__exact", "reference__exact")
    search_help_text = "The id of an event, or the provider's reference of a payment."
    ordering = ("-id",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ProviderEvent], search_term: str
    ) -> tuple[QuerySet[ProviderEvent], bool]:
        if not search_term:
            return queryset, False
        return found_by(queryset, of_any(queryset, "provider", event_id=search_term), Q(reference=search_term)), False


def order_links(request: HttpRequest, order: Order) -> list[seams.Link]:
    """What the user may do about the money of an order."""
    links = []
    if order.status in ("pending", "expired") and request.user.has_perm("payments.add_moneymovement"):
        links.append(seams.Link("Mark as paid", reverse("admin:payments_payment_mark_paid", args=[order.pk])))
    may_refund = order.status != "pending" and request.user.has_perm("payments.add_refund")
    if may_refund and ledger.order_balance(order.pk).refundable:
        links.append(seams.Link("Refund", reverse("admin:payments_payment_refund", args=[order.pk])))
    return links


def list_links(request: HttpRequest) -> list[seams.Link]:
    if not request.user.has_perm("payments.view_refund"):
        return []
    return [seams.Link("Money that waits for you", reverse("admin:payments_payment_waiting"))]


def cancel_notes(request: HttpRequest, order: Order) -> list[str]:
    """What the cancellation means for the order's money."""
    notes = []
    for payment in Payment.objects.filter(order=order).order_by("pk"):
        if amount := ledger.payment_balance(payment.pk).due_back:
            text = money(amount, order.currency)
            if payment.method != transfer.CODE:
                notes.append(f"{text} will be refunded to the customer by {payment.method}.")
            elif cancelling.states_transfer(order, cast("User", request.user)):
                notes.append(f"With this you state that you send {text} back to the customer by bank transfer.")
            else:
                notes.append(
                    f"The order is your own. {text} are to be sent back to you by bank transfer: the refund waits for "
                    'staff under "Money that waits for you".'
                )
    return notes


def cancel_all_notes(request: HttpRequest, orders: QuerySet[Order]) -> list[str]:
    """What the cancellation of the orders means for money that came by bank transfer, if any did."""
    came = MoneyMovement.objects.filter(order__in=orders, provider=transfer.CODE, kind=MoneyMovement.Kind.CAPTURE)
    if not came.exists():
        return []
    return [
        "With this you state that you send back to the customers what came by bank transfer; only refunds of orders "
        'of your own wait for staff under "Money that waits for you".'
    ]


def failed_payments(request: HttpRequest) -> home.Waiting | None:
    """Those of the last 30 days: customers' cards are declined every day, and older ones concern nobody any more."""
    if not home.may_view(request, Payment):
        return None
    days, status = Days.until(today(), 30), Payment.Status.FAILED
    failed = Payment.objects.filter(status=status, **days.range("created_at")).order_by()
    url = home.list_url(Payment, status__exact=status, day=str(days))
    return home.Waiting("Payments that failed, last 30 days", failed[:COUNT_MAX].count(), url, at_most=COUNT_MAX)


def failed_refunds(request: HttpRequest) -> home.Waiting | None:
    if not request.user.has_perm("payments.view_refund"):
        return None
    number = unresolved_refunds()[:ROWS_MAX].count()
    return home.Waiting("Refunds that failed", number, reverse("admin:payments_payment_waiting"), at_most=ROWS_MAX)


home.WAITING.extend([failed_payments, failed_refunds])
seams.INLINES.extend([PaymentInline, RefundInline, MovementInline])
OBJECT_LINKS[Order].append(order_links)
seams.LIST_LINKS.append(list_links)
seams.CANCEL_NOTES.append(cancel_notes)
seams.CANCEL_ALL_NOTES.append(cancel_all_notes)
