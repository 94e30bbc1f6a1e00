"""Query filters of delivery methods."""

import django_filters

from delivery.models import DeliveryMethod
from productbackend.api.filters import BooleanFilter, FilterSet


class DeliveryMethodFilter(FilterSet):
    code = django_filters.CharFilter(field_name="code", help_text="The whole code.")
    is_active = BooleanFilter(field_name="is_active", help_text="For staff: false finds the inactive ones.")

    class Meta:
        model = DeliveryMethod
        fields: list[str] = []
