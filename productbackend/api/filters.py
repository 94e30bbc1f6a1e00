"""Filters that refuse what makes no sense: a 400 that names the parameter, never a silent pass."""

from collections.abc import Container, Iterable
from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from django_filters.utils import translate_validation
from drf_spectacular.utils import extend_schema_field
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from productbackend.fields import KEY_LENGTH, fold


def refuse_repeated(request: Request, names: Iterable[str]) -> None:
    """A 400 for a query parameter that is given several times: whichever counted, a client would mean the other."""
    repeated = [name for name in names if len(request.query_params.getlist(name)) > 1]
    if repeated:
        raise ValidationError({name: ["It takes one value."] for name in repeated}, code="repeated")


class FilterSet(django_filters.FilterSet):
    """django-filter's, which makes a form of all filters, for longer than a page takes; with `only`, of those alone."""

    base_filters: dict[str, Any]

    def __init__(self, *args: Any, only: Container[str] | None = None, **kwargs: Any) -> None:
        if only is not None:
            self.base_filters = {name: each for name, each in self.base_filters.items() if name in only}
        super().__init__(*args, **kwargs)
        for name, each in self.filters.items():
            each.label = name  # in the browsable page's dialog, where a column's own name says less


class FilterBackend(DjangoFilterBackend):
    """django-filter's, with the filters alone that a request names."""

    def filter_queryset(self, request: Any, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        filterset_class = self.get_filterset_class(view, queryset)
        given = filterset_class.base_filters.keys() & request.query_params.keys() if filterset_class else None
        if not given:
            return queryset
        refuse_repeated(request, given)
        kwargs = self.get_filterset_kwargs(request, queryset, view)
        filterset = filterset_class(**kwargs, only=given)
        if not filterset.is_valid():
            raise translate_validation(filterset.errors)
        return filterset.qs


class StrictBooleanField(forms.Field):
    """true or false; django-filter's own takes anything and ignores what it does not know."""

    def to_python(self, value: Any) -> bool | None:
        if value in (None, ""):
            return None
        if str(value).lower() not in ("true", "false"):
            raise forms.ValidationError("It takes true or false.", code="invalid")
        return str(value).lower() == "true"


@extend_schema_field({"type": "boolean"})
class BooleanFilter(django_filters.Filter):
    field_class = StrictBooleanField


class IdField(forms.IntegerField):
    """An id: any that is well-formed; one that no row has finds nothing."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=0, max_value=2**63 - 1, **kwargs)


@extend_schema_field({"type": "integer", "minimum": 0, "maximum": 2**63 - 1})
class IdFilter(django_filters.Filter):
    field_class = IdField


class WholeField(forms.IntegerField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=-(2**63), max_value=2**63 - 1, **kwargs)


@extend_schema_field({"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1})
class WholeFilter(django_filters.Filter):
    """A whole number, within what databases can compare."""

    field_class = WholeField


class FoldedFilter(django_filters.CharFilter):
    """Text that is compared without case, in a folded column."""

    def filter(self, qs: QuerySet[Any], value: str | None) -> QuerySet[Any]:
        if not value:
            return qs
        return qs.filter(**{f"{self.field_name}__{self.lookup_expr}": fold(value.strip())[:KEY_LENGTH]})
