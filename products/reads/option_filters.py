"""The filters of products of families: by their options, and by whether they stand for their family."""

from collections.abc import Collection, Sequence
from typing import Any

from django import forms
from django.db.models import Case, Exists, ExpressionWrapper, F, IntegerField, OuterRef, Q, QuerySet, Value, When
from django.db.models.expressions import NegatedExpression
from django.db.models.lookups import Exact
from drf_spectacular.utils import extend_schema_field

from productbackend.api.filters import VALUES_MAX, BooleanFilter, SeveralFilter
from productbackend.database.fields import KEY_LENGTH, fold
from products.models import AXES_MAX, Family, Option


class OnePerFamilyFilter(BooleanFilter):
    def filter(self, qs: QuerySet[Any], value: bool) -> QuerySet[Any]:
        return qs.filter(is_lead=True) if value else qs


class OptionField(forms.CharField):
    """An axis and a value as in casefolded columns, from text such as `Size:M`."""

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value) or ""
        if not text:
            return None
        axis, _, option = text.partition(":")
        if not fold(axis) or not fold(option):
            raise forms.ValidationError("It takes an axis and a value, such as Size:M.", code="invalid")
        return fold(axis), fold(option)[:KEY_LENGTH]


ITEMS = {"type": "string", "pattern": r"^[^:]*[^:\s][^:]*:.*\S.*$"}


@extend_schema_field({"type": "array", "items": ITEMS, "maxItems": VALUES_MAX})
class OptionFilter(SeveralFilter):
    """Matches products by their options: any of the values of an axis, and all of the axes."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(field=OptionField(required=False), **kwargs)

    def filter(self, qs: QuerySet[Any], value: Sequence[tuple[str, str]]) -> QuerySet[Any]:
        axes = by_axis(value)
        if len(axes) > AXES_MAX:  # no product has so many
            return qs.none()
        for has_option in having(value):
            qs = qs.filter(has_option)
        return qs


def having(options: Sequence[tuple[str, str]]) -> list[Exists]:
    """The conditions of a product that has the options, one for each axis."""
    return [
        Exists(Option.objects.filter(product=OuterRef("pk"), axis_key=axis, value_key__in=values))
        for axis, values in by_axis(options).items()
    ]


def in_families(ids: Collection[int]) -> Q:
    """The condition of a product of one of these families.

    By a join, which reads them by the index of families: MySQL takes the products of no family for one large family,
    and would read the whole table for thousands of ids.
    """
    return Q(family__in=Family.objects.order_by().filter(pk__in=ids))


def row_by_row(condition: Exists | NegatedExpression) -> Exact:
    """The condition, for rows that are read in the order of an index until a page is full.

    MySQL would join the subquery's table to the rows, and sort all of them.
    """
    return Exact(Case(When(condition, then=Value(1)), default=Value(0), output_field=IntegerField()), 1)


def without_index(flag: str) -> ExpressionWrapper:
    """The column, 0 or 1, for a comparison without an index: MySQL takes half the rows for few, and would read them."""
    return ExpressionWrapper(F(flag) + Value(0), output_field=IntegerField())


def by_axis(options: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    """The keys of the values by the key of their axis."""
    found: dict[str, list[str]] = {}
    for axis, value in options:
        found.setdefault(axis, []).append(value)
    return found
