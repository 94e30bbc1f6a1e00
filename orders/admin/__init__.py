"""Orders in the admin: what is needed to pack and send them; read-only, with steps that fulfil and cancel."""

from collections.abc import Callable, Sequence

from django.contrib import admin, messages
from django.contrib.admin.options import InlineModelAdmin
from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.html import format_html, format_html_join

from orders import lifecycle
from orders.admin import seams
from orders.admin.customers import orders_of
from orders.admin.filters import ProductFilter, SoldFilter
from orders.admin.pages import OrderPages
from orders.models import Order, OrderChange, OrderLine, OrderNote
from orders.search import beginning_with
from orders.tracking import tracking_of
from productbackend.database.postal_addresses import PostalAddress
from productbackend.errors import DomainError
from productbackend.site import home
from productbackend.site.admin import COUNT_MAX, OBJECT_LINKS, ReadOnly
from productbackend.site.columns import ACTIVE, GOOD, WAITS, amount, status_badge
from productbackend.site.confirmation import Selection, confirmed
from productbackend.site.filters import DayFilter
from productbackend.text.formats import money, percent

NOTHING = "–"
STATUS = status_badge(
    {Order.Status.PENDING: WAITS, Order.Status.PAID: ACTIVE, Order.Status.FULFILLED: GOOD},
)
TOTAL = amount("total", "currency")
REFUSED_MAX = 20  # refused orders that are listed


def lines(texts: Sequence[str]) -> str:
    """Each text on a line of its own, in its own direction."""
    return format_html_join("", '<span class="lines" dir="auto">{}</span>', ((text,) for text in texts)) or NOTHING


def address_lines(address: PostalAddress) -> str:
    return lines([*address.lines, address.phone] if address.phone else address.lines)


class LineInline(ReadOnly, admin.TabularInline):
    model = OrderLine
    extra = 0
    can_delete = False
    fields = readonly_fields = (
        "sku", "name", "quantity", amount("unit_price", "order.currency", "price"),
        amount("line_total", "order.currency", "total"), "rate", amount("tax", "order.currency"), "restocked",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[OrderLine]:
        return super().get_queryset(request).select_related("order")

    @admin.display(description="tax rate")
    def rate(self, line: OrderLine) -> str:
        return NOTHING if line.tax_rate is None else percent(line.tax_rate)


class ChangeInline(ReadOnly, admin.TabularInline):
    model = OrderChange
    extra = 0
    can_delete = False
    fields = readonly_fields = (STATUS, "user", "created_at")
    verbose_name_plural = "history"

    def get_queryset(self, request: HttpRequest) -> QuerySet[OrderChange]:
        return super().get_queryset(request).select_related("user")


class NoteInline(ReadOnly, admin.TabularInline):
    model = OrderNote
    extra = 0
    can_delete = False
    fields = readonly_fields = ("written", "user", "created_at")
    verbose_name_plural = "notes of staff"

    def has_view_permission(self, request: HttpRequest, obj: Order | None = None) -> bool:
        """Whoever may see the order: staff write notes for each other."""
        return request.user.has_perm("orders.view_order")

    @admin.display(description="note")
    def written(self, note: OrderNote) -> str:
        return lines([note.text])

    def get_queryset(self, request: HttpRequest) -> QuerySet[OrderNote]:
        return super().get_queryset(request).select_related("user")


@admin.register(Order)
class OrderAdmin(OrderPages):
    class Media:
        css = {"all": ["orders/admin.css"]}

    section = "Orders"
    rank = 0
    list_display = (
        "number", "recipient", "email", "user", STATUS, TOTAL, amount("refunded", "currency"), "created_at",
    )  # fmt: skip
    sortable_by = ("number", TOTAL, "created_at")
    list_filter = ("status", SoldFilter, DayFilter, ProductFilter)
    list_select_related = ("user",)
    ordering = ("-created_at", "-id")
    search_fields = ("number",)
    search_help_text = (
        "The beginning of an order's number, the recipient's name, an e-mail address or a user name, or a whole SKU; "
        "of each the first 1,000."
    )
    inlines = (LineInline, ChangeInline)
    readonly_fields = (
        STATUS, "customers_note", "shipping", "billing", "delivery", "tracking", "items_amount", "delivery_amount",
        "tax_lines", "total_amount", "refunded_amount",
    )  # fmt: skip
    fieldsets = (
        (None, {"fields": ("number", STATUS, "created_at", "expires_at", "paid_at", "user", "placed_by")}),
        ("Customer", {"fields": ("email", "phone", "customers_note")}),
        ("Delivery", {"fields": ("shipping", "billing", "delivery", "tracking")}),
        ("Amounts", {"fields": ("items_amount", "delivery_amount", "tax_lines", "total_amount", "refunded_amount")}),
    )
    actions = ("fulfil", "cancel")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Order | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Order | None = None) -> bool:
        """Orders are not edited; the permission allows the actions."""
        return obj is None and super().has_change_permission(request)

    def get_inlines(self, request: HttpRequest, obj: Order | None) -> list[type[InlineModelAdmin]]:
        """Lines and history, and of notes and what other apps add the ones that have rows."""
        others: list[type[InlineModelAdmin]] = [NoteInline, *seams.INLINES]
        return [*self.inlines, *(each for each in others if each.model._default_manager.filter(order=obj).exists())]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Order], search_term: str
    ) -> tuple[QuerySet[Order], bool]:
        return (queryset.filter(pk__in=beginning_with(search_term)) if search_term else queryset), False

    @admin.display(description="recipient")
    def recipient(self, order: Order) -> str:
        return order.shipping_address.name if order.shipping_address else NOTHING

    @admin.display(description="note")
    def customers_note(self, order: Order) -> str:
        return lines([order.note] if order.note else [])

    @admin.display(description="shipping address")
    def shipping(self, order: Order) -> str:
        return address_lines(order.shipping_address) if order.shipping_address else NOTHING

    @admin.display(description="billing address")
    def billing(self, order: Order) -> str:
        if order.billing_address:
            return address_lines(order.billing_address)
        return "the shipping address" if order.shipping_address else NOTHING

    @admin.display(description="delivery method")
    def delivery(self, order: Order) -> str:
        return f"{order.delivery_name} ({order.delivery_code})" if order.delivery_code else NOTHING

    @admin.display(description="tracking")
    def tracking(self, order: Order) -> str:
        tracking = tracking_of(order)
        if tracking is None:
            return NOTHING
        link = format_html('<a href="{0}" rel="noreferrer">{0}</a>', tracking.url) if tracking.url else ""
        return lines([text for text in (tracking.carrier, tracking.number, link) if text])

    @admin.display(description="items")
    def items_amount(self, order: Order) -> str:
        return money(order.amounts.items, order.currency)

    @admin.display(description="delivery")
    def delivery_amount(self, order: Order) -> str:
        return money(order.amounts.delivery, order.currency)

    @admin.display(description="tax")
    def tax_lines(self, order: Order) -> str:
        currency, how = order.currency, "included" if order.prices_include_tax else "added"
        return lines(
            [
                f"{percent(each.rate)} of {money(each.net, currency)}: {money(each.tax, currency)}, {how}"
                for each in order.amounts.tax_lines
            ]
        )

    @admin.display(description="total")
    def total_amount(self, order: Order) -> str:
        return money(order.total, order.currency)

    @admin.display(description="refunded")
    def refunded_amount(self, order: Order) -> str:
        return money(order.refunded, order.currency) if order.refunded else NOTHING

    @admin.action(description="Fulfil the selected orders", permissions=["change"])
    def fulfil(self, request: HttpRequest, queryset: QuerySet[Order]) -> TemplateResponse | None:
        selection = confirmed(self, request, queryset, action="fulfil", what="will be fulfilled.")
        return self._apply(request, selection, lifecycle.fulfil, "fulfilled")

    @admin.action(description="Cancel the selected orders, and restock", permissions=["change"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Order]) -> TemplateResponse | None:
        notes = [note for each in seams.CANCEL_ALL_NOTES for note in each(request, queryset)]
        what = " ".join(["will be cancelled, their products restocked, and their payments refunded.", *notes])
        selection = confirmed(self, request, queryset, action="cancel", what=what)
        return self._apply(request, selection, lifecycle.cancel, "cancelled")

    def _apply(
        self, request: HttpRequest, selection: Selection | TemplateResponse, step: Callable[..., Order], outcome: str
    ) -> TemplateResponse | None:
        """Apply `step` to each order in its own transaction, and report the refused ones."""
        if isinstance(selection, TemplateResponse):
            return selection
        refused: list[tuple[int, str]] = []
        for pk in selection.ids:
            try:
                step(order_id=pk, user=request.user)
            except DomainError as error:
                refused.append((pk, error.detail))
        numbers = Order.objects.in_bulk([pk for pk, _ in refused[:REFUSED_MAX]])
        for pk, detail in refused[:REFUSED_MAX]:
            self.message_user(request, f"{numbers.get(pk, pk)}: {detail}", messages.ERROR)
        if len(refused) > REFUSED_MAX:
            self.message_user(request, f"{len(refused) - REFUSED_MAX:,} more orders were refused.", messages.ERROR)
        if done := len(selection.ids) - len(refused):
            self.message_user(request, f"{done:,} orders are {outcome}." if done > 1 else f"One order is {outcome}.")
        return None


def orders_to_send(request: HttpRequest) -> home.Waiting | None:
    if not home.may_view(request, Order):
        return None
    paid = Order.objects.filter(status=Order.Status.PAID).order_by()
    url = home.list_url(Order, status__exact=Order.Status.PAID)
    return home.Waiting("Orders to send", paid[:COUNT_MAX].count(), url, at_most=COUNT_MAX)


home.WAITING.insert(0, orders_to_send)
OBJECT_LINKS[get_user_model()].append(orders_of)
