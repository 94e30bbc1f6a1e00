"""Delivery methods in the admin, with a page of what they cost by country."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django_countries import countries

from delivery import methods, offers
from delivery.models import DeliveryMethod
from productbackend.database.postal_addresses import country_name
from productbackend.errors import InvalidValue
from productbackend.site.admin import ShopAdmin
from productbackend.site.columns import amount
from productbackend.site.filters import yes_no

AMOUNTS = (Decimal("10.00"), Decimal("50.00"), Decimal("200.00"))  # of goods, on the page of prices
PRICE = amount("price")
ELSEWHERE = ""  # a country that no method names
REASONS = {
    "country": "not in this country",
    "amount_too_low": "amount too low",
    "amount_too_high": "amount too high",
}


class MethodForm(forms.ModelForm):
    countries = forms.MultipleChoiceField(
        choices=list(countries), required=False, help_text="Where it is offered; none selected: everywhere."
    )

    class Meta:
        model = DeliveryMethod
        fields = (
            "name", "code", "description", "is_active", "position", "price", "free_from", "tax_class", "min_amount",
            "max_amount", "countries", "needs_address",
        )  # fmt: skip
        labels = {
            "is_active": "Offered in the shop",
            "position": "Position in the list",
            "price": f"Price in {settings.CURRENCY}",
            "free_from": f"Free from an amount of goods in {settings.CURRENCY}",
            "min_amount": f"Smallest amount of goods in {settings.CURRENCY}",
            "max_amount": f"Largest amount of goods in {settings.CURRENCY}",
            "needs_address": "The customer gives an address",
        }
        widgets = {"description": forms.Textarea(attrs={"rows": 3})}

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        limits = DeliveryMethod(min_amount=data.get("min_amount"), max_amount=data.get("max_amount"))
        try:
            methods.check_limits(limits)
        except InvalidValue as error:
            self.add_error(error.extra["errors"][0]["field"], error.detail)
        return data


@dataclass(frozen=True)
class Row:
    country: str
    prices: list[str]


@dataclass(frozen=True)
class Table:
    method: DeliveryMethod
    rows: list[Row]


@admin.register(DeliveryMethod)
class DeliveryMethodAdmin(ShopAdmin):
    section = "Delivery and tax"
    form = MethodForm
    list_display = ("name", "code", PRICE, amount("free_from"), "where", "offered", "position")
    sortable_by = ("name", "code", PRICE, "position")
    list_filter = (yes_no("is_active", "offered in the shop"),)
    ordering = ("position", "id")
    fieldsets = (
        (None, {"fields": ("name", "code", "description", "is_active", "position")}),
        ("Price", {"fields": ("price", "free_from", "tax_class")}),
        ("Offered", {"fields": ("min_amount", "max_amount", "countries", "needs_address")}),
    )

    @admin.display(description="offered", boolean=True, ordering="is_active")
    def offered(self, method: DeliveryMethod) -> bool:
        return method.is_active

    @admin.display(description="countries")
    def where(self, method: DeliveryMethod) -> str:
        return ", ".join(method.countries) or "everywhere"

    def save_model(self, request: HttpRequest, obj: DeliveryMethod, form: Any, change: bool) -> None:
        methods.save(obj)

    def get_urls(self) -> list[URLPattern]:
        prices = path("prices/", self.admin_site.admin_view(self.prices), name="delivery_prices")
        return [prices, *super().get_urls()]

    def prices(self, request: HttpRequest) -> TemplateResponse:
        """Show what each method costs by country for carts of some amounts."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows = list(DeliveryMethod.objects.all())
        named = {code for method in rows for code in method.countries} | {settings.SHOP_COUNTRY} - {""}
        shown = [*sorted(named, key=country_name), ELSEWHERE]
        context = {
            **self.admin_site.each_context(request),
            "title": "Prices by country",
            "opts": self.opts,
            "currency": settings.CURRENCY,
            "amounts": AMOUNTS,
            "tables": [Table(method, [_row(method, country) for country in shown]) for method in rows],
        }
        return TemplateResponse(request, "admin/delivery/prices.html", context)


def _row(method: DeliveryMethod, country: str) -> Row:
    found = [offers.offer(method, items=amount, country=country) for amount in AMOUNTS]
    name = "Any other country" if country == ELSEWHERE else country_name(country)
    return Row(name, [REASONS.get(each.reason or "", f"{each.price:.2f}") for each in found])
