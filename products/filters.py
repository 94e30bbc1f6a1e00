"""The filters of the catalogue's lists."""

from datetime import UTC, datetime
from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_field

from productbackend.api.filters import BooleanFilter, FilterSet, FoldedFilter, IdFilter, WholeFilter
from products import categories, search
from products.models import Category, Product


@extend_schema_field({"type": "string", "pattern": r"^-?[0-9]{1,8}(\.[0-9]{1,2})?$"})
class PriceFilter(django_filters.Filter):
    field_class = forms.DecimalField

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=10, decimal_places=2, field_name="price", **kwargs)


@extend_schema_field({"type": "number"})
class RatingFilter(django_filters.Filter):
    field_class = forms.FloatField


@extend_schema_field({"type": "integer", "minimum": 1, "maximum": 9999})
class YearFilter(django_filters.Filter):
    field_class = forms.IntegerField

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=1, max_value=9999, **kwargs)

    def filter(self, qs: QuerySet[Any], value: int | None) -> QuerySet[Any]:
        return qs if value is None else qs.filter(created_at__gte=datetime(value, 1, 1, tzinfo=UTC))


class PartOfNameFilter(FoldedFilter):
    """A part of the name can only be looked for by going through all names: their index is the shortest way."""

    def filter(self, qs: Any, value: str | None) -> QuerySet[Any]:
        found: Any = super().filter(qs, value)
        return found.counted_by(self.field_name) if value else found


class ProductFilter(FilterSet):
    category = IdFilter(method="in_category", help_text="A category's id; products below it too.")
    category_name = FoldedFilter(field_name="category__name_key", help_text="The category's name, in any case.")
    name = FoldedFilter(field_name="name_key", help_text="The whole name, in any case.")
    name_contains = PartOfNameFilter(field_name="name_key", lookup_expr="contains", help_text="A part of the name.")
    brand = FoldedFilter(field_name="brand_key", help_text="The whole brand, in any case.")
    brand_contains = FoldedFilter(field_name="brand_key", lookup_expr="contains", help_text="A part of the brand.")
    min_price = PriceFilter(lookup_expr="gte")
    max_price = PriceFilter(lookup_expr="lte")
    min_quantity = WholeFilter(field_name="quantity", lookup_expr="gte")
    max_quantity = WholeFilter(field_name="quantity", lookup_expr="lte")
    min_rating = RatingFilter(field_name="rating", lookup_expr="gte")
    max_rating = RatingFilter(field_name="rating", lookup_expr="lte")
    released_after = YearFilter(field_name="created_at", help_text="A year: created in it or later.")
    in_stock = BooleanFilter(method="has_stock", help_text="true: there is some; false: there is none.")
    search = django_filters.CharFilter(
        method="matches", help_text="Words in name, brand and description; every one must occur."
    )

    class Meta:
        model = Product
        fields: list[str] = []

    def in_category(self, queryset: Any, name: str, value: int | None) -> QuerySet[Any]:
        return queryset if value is None else queryset.in_parts("category", categories.subtree_ids(value))

    def has_stock(self, queryset: QuerySet[Any], name: str, value: bool | None) -> QuerySet[Any]:
        if value is None:
            return queryset
        return queryset.filter(quantity__gt=0) if value else queryset.filter(quantity=0)

    def matches(self, queryset: Any, name: str, value: str) -> QuerySet[Any]:
        queryset = search.matching(queryset, value)
        queryset.parts = None  # a search is done once, and not for each category
        return queryset if "ordering" in self.data else search.best_first(queryset, value)


class CategoryFilter(FilterSet):
    parent = IdFilter(field_name="parent", help_text="The id of a parent: its children alone.")
    name = FoldedFilter(field_name="name_key", help_text="The whole name, in any case.")

    class Meta:
        model = Category
        fields: list[str] = []
