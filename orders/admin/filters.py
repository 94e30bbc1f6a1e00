"""Filters of the list of orders."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from orders.models import SOLD, Order, OrderLine


class SoldFilter(admin.SimpleListFilter):
    """The orders that count as sales: paid or fulfilled ones, in the shop's currency."""

    title = "sales"
    parameter_name = "sold"

    def lookups(self, request: HttpRequest, model_admin: "admin.ModelAdmin[Any]") -> list[tuple[str, str]]:
        return [("yes", "Paid or fulfilled")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        if self.value() != "yes":
            return queryset
        return queryset.filter(status__in=SOLD, currency=settings.CURRENCY)


class ProductFilter(admin.SimpleListFilter):
    """The orders with a product, by its id. The sidebar has it only if a link has led to it."""

    title = "product"
    parameter_name = "product"

    def lookups(self, request: HttpRequest, model_admin: "admin.ModelAdmin[Any]") -> list[tuple[str, str]]:
        value = self.value()
        return [(value, self.name(value))] if value else []

    def name(self, value: str) -> str:
        """The product's name in the latest order that has it."""
        line = OrderLine.objects.filter(product=product_id(value)).order_by("-pk").first()
        return line.name if line else value

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        value = self.value()
        if not value:
            return queryset
        return queryset.filter(pk__in=OrderLine.objects.filter(product=product_id(value)).values("order"))


def product_id(text: str) -> int:
    """The id that the text is; 0, which no product has, for another text."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else 0
