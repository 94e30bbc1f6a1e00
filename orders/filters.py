"""Query filters of orders."""

from typing import Any

from django.db.models import QuerySet
from django_filters import CharFilter
from drf_spectacular.utils import extend_schema_field

from orders.models import Order
from orders.search import beginning_with
from productbackend.api.filters import ChoicesFilter, FilterSet, IdFilter, TimeFilter
from productbackend.text.addresses import LENGTH_MAX, canonical_address

SEARCH_MAX = 100  # characters


@extend_schema_field({"type": "string", "maxLength": LENGTH_MAX})
class AddressFilter(CharFilter):
    """Matches an e-mail address in any spelling."""

    def filter(self, qs: QuerySet[Any], value: str | None) -> QuerySet[Any]:
        return qs.filter(**{self.field_name: canonical_address(value)}) if value else qs


@extend_schema_field({"type": "string", "maxLength": SEARCH_MAX})
class SearchFilter(CharFilter):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=SEARCH_MAX, **kwargs)


class OrderFilter(FilterSet):
    status = ChoicesFilter(
        choices=Order.Status.choices, field_name="status", help_text="A status; repeated, any of them."
    )
    created_after = TimeFilter(field_name="created_at", lookup_expr="gte", help_text="At or after this time.")
    created_before = TimeFilter(field_name="created_at", lookup_expr="lt", help_text="Before this time.")
    updated_after = TimeFilter(field_name="updated_at", lookup_expr="gte", help_text="At or after this time.")

    class Meta:
        model = Order
        fields: list[str] = []


class StaffOrderFilter(OrderFilter):
    """With the filters for staff who see every order."""

    email = AddressFilter(max_length=LENGTH_MAX, field_name="email", help_text="For staff: the order's e-mail address.")
    customer = IdFilter(field_name="user", help_text="For staff: the id of an account.")
    search = SearchFilter(
        method="beginning_with",
        help_text="For staff: the beginning of a number, an e-mail address, the recipient's name or a user name.",
    )

    def beginning_with(self, queryset: QuerySet[Order], name: str, value: str) -> QuerySet[Order]:
        return queryset.filter(pk__in=beginning_with(value))
