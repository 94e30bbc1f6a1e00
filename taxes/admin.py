"""Tax rates in the admin."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django_countries import countries

from productbackend.database.postal_addresses import country_name
from productbackend.site.admin import ShopAdmin
from taxes import rates
from taxes.models import TaxRate


class RateForm(forms.ModelForm):
    country = forms.ChoiceField(choices=list(countries))

    class Meta:
        model = TaxRate
        fields = ("country", "tax_class", "rate", "valid_from")


@admin.register(TaxRate)
class TaxRateAdmin(ShopAdmin):
    section = "Delivery and tax"
    form = RateForm
    list_display = ("country_name", "tax_class", "percent", "begins", "in_force")
    list_display_links = ("country_name", "percent")
    sortable_by = ("country_name", "tax_class", "begins")
    list_filter = ("country", "tax_class")
    ordering = ("country", "tax_class", "-valid_from")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"valid_from": rates.today(), **super().get_changeform_initial_data(request)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[TaxRate]:
        return super().get_queryset(request).annotate(is_in_force=rates.in_force())

    @admin.display(description="country", ordering="country")
    def country_name(self, rate: TaxRate) -> str:
        return f"{country_name(rate.country)} ({rate.country})"

    @admin.display(description="rate")
    def percent(self, rate: TaxRate) -> str:
        return f"{rate.rate.normalize():f} %"

    @admin.display(description="from", ordering="valid_from")
    def begins(self, rate: TaxRate) -> str:
        return f"{rate.valid_from:%Y-%m-%d}"

    @admin.display(description="in force", boolean=True)
    def in_force(self, rate: Any) -> bool:
        return bool(rate.is_in_force)
