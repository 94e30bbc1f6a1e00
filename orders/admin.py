"""Orders in the admin: read here, and moved on by the shop's own rules."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from orders import lifecycle
from orders.models import Order, OrderChange, OrderLine
from productbackend.admin import ReadOnly, ShopAdmin, begins_with
from productbackend.errors import DomainError

CUSTOMERS_MAX = 200  # whose orders one search brings


class LineInline(ReadOnly, admin.TabularInline):
    model = OrderLine
    extra = 0
    can_delete = False
    fields = ("sku", "name", "unit_price", "quantity", "line_total")
    readonly_fields = fields


class ChangeInline(ReadOnly, admin.TabularInline):
    model = OrderChange
    extra = 0
    can_delete = False
    fields = ("status", "user", "created_at")
    readonly_fields = fields
    verbose_name_plural = "history"

    def get_queryset(self, request: HttpRequest) -> QuerySet[OrderChange]:
        return super().get_queryset(request).select_related("user")


@admin.register(Order)
class OrderAdmin(ShopAdmin):
    list_display = ("number", "user", "status", "total", "currency", "created_at")
    sortable_by = ("number", "total", "created_at")
    list_filter = ("status",)
    ordering = ("-created_at", "-id")
    search_fields = ("number",)
    search_help_text = "An order's number or its beginning, or the beginning of a user name."
    inlines = (LineInline, ChangeInline)
    fields = ("number", "user", "status", "total", "currency", "placed_by", "created_at")
    actions = ("fulfil", "cancel")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """No order is edited; the permission lets its bearer fulfil and cancel."""
        return obj is None and super().has_change_permission(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        return super().get_queryset(request).select_related("user", "placed_by")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term:
            return queryset, False
        number = search_term.upper()
        customers = get_user_model().objects.filter(begins_with("username_key", search_term))
        ids = list(customers.order_by("username_key").values_list("pk", flat=True)[:CUSTOMERS_MAX])
        numbers = Q(number__gte=number, number__lt=f"{number}~")  # all of a number's characters are before ~
        return queryset.filter(numbers | Q(user__in=ids)), False

    @admin.action(description="Fulfil the selected orders", permissions=["change"])
    def fulfil(self, request: HttpRequest, queryset: QuerySet[Order]) -> None:
        self._move(request, queryset, lifecycle.fulfil, "fulfilled")

    @admin.action(description="Cancel the selected orders, and restock", permissions=["change"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Order]) -> None:
        self._move(request, queryset, lifecycle.cancel, "cancelled")

    def _move(self, request: HttpRequest, queryset: QuerySet[Order], step: Callable[..., Order], become: str) -> None:
        """Take each order on its own, and say which could not go."""
        done = 0
        for order in queryset.order_by("pk"):
            try:
                step(order_id=order.pk, user=request.user)
                done += 1
            except DomainError as error:
                self.message_user(request, f"{order.number}: {error.detail}", messages.ERROR)
        if done:
            self.message_user(request, f"{done} orders are {become}." if done > 1 else f"One order is {become}.")
