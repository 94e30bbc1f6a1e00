"""Query filters of tax rates."""

import django_filters

from productbackend.api.filters import FilterSet
from productbackend.api.postal_addresses import COUNTRIES
from taxes.models import TaxRate


class TaxRateFilter(FilterSet):
    country = django_filters.ChoiceFilter(
        choices=[(code, code) for code in COUNTRIES], field_name="country", help_text="ISO 3166-1 alpha-2."
    )
    tax_class = django_filters.CharFilter(field_name="tax_class", help_text="The whole class, such as standard.")

    class Meta:
        model = TaxRate
        fields: list[str] = []
