"""Query filters of carts."""

from typing import Any

from django.db.models import QuerySet, Sum
from django.db.models.functions import Coalesce

from carts.models import Cart
from productbackend.api.filters import BooleanFilter, FilterSet, FoldedFilter, IntegerFilter


class CartFilter(FilterSet):
    username = FoldedFilter(field_name="user__username_key", help_text="The owner's user name, in any case.")
    completed = BooleanFilter(field_name="completed", help_text="Checkout deletes the cart: true finds none.")
    min_count = IntegerFilter(method="at_least", help_text="The minimum number of pieces in the cart.")
    max_count = IntegerFilter(method="at_most", help_text="The maximum number of pieces in the cart.")

    class Meta:
        model = Cart
        fields: list[str] = []

    def at_least(self, queryset: QuerySet[Any], name: str, value: int | None) -> QuerySet[Any]:
        return queryset if value is None else self._counted(queryset).filter(pieces__gte=value)

    def at_most(self, queryset: QuerySet[Any], name: str, value: int | None) -> QuerySet[Any]:
        return queryset if value is None else self._counted(queryset).filter(pieces__lte=value)

    @staticmethod
    def _counted(queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.annotate(pieces=Coalesce(Sum("items__quantity"), 0))
