"""Query filters that reject invalid values with a 400 that names the parameter, and never ignore them."""

import re
from collections.abc import Container
from datetime import UTC, datetime
from typing import Any

import django_filters
from django import forms
from django.core.validators import EMPTY_VALUES
from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from django_filters.utils import translate_validation
from drf_spectacular.utils import extend_schema_field
from rest_framework.request import Request

from productbackend.database.fields import KEY_LENGTH, fold


class FilterSet(django_filters.FilterSet):
    """Builds the form of the filters in `only` only: a form of all filters takes longer than reading a page."""

    base_filters: dict[str, Any]

    def __init__(self, *args: Any, only: Container[str] | None = None, **kwargs: Any) -> None:
        if only is not None:
            self.base_filters = {name: each for name, each in self.base_filters.items() if name in only}
        super().__init__(*args, **kwargs)
        for name, each in self.filters.items():
            each.label = name  # in the filter dialog of the browsable API, instead of the column's name

    @classmethod
    def parameters(cls) -> dict[str, bool]:
        """The names of the filters, and whether each may be repeated."""
        return {name: hasattr(each, "several") for name, each in cls.base_filters.items()}

    @classmethod
    def parse(cls, request: Request, queryset: QuerySet[Any] | None = None) -> "FilterSet | None":
        """The filters whose parameters the request has; None if it has none. Raises ValidationError."""
        given = cls.base_filters.keys() & request.query_params.keys()
        if not given:
            return None
        filterset = cls(request.query_params, queryset, request=request, only=given)
        if not filterset.is_valid():
            raise translate_validation(filterset.errors)
        return filterset

    @property
    def values(self) -> dict[str, Any]:
        """The values of the filters. One that is left empty is ignored."""
        return {name: value for name, value in self.form.cleaned_data.items() if value not in EMPTY_VALUES}

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        for name, value in self.values.items():
            queryset = self.filters[name].filter(queryset, value)
        return queryset


class FilterBackend(DjangoFilterBackend):
    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        filterset_class = self.get_filterset_class(view, queryset)
        filterset = filterset_class.parse(request, queryset) if filterset_class else None
        return queryset if filterset is None else filterset.qs


class StrictBooleanField(forms.Field):
    """Accepts true or false; django-filter's field ignores unknown values."""

    def to_python(self, value: Any) -> bool | None:
        if value in (None, ""):
            return None
        if str(value).lower() not in ("true", "false"):
            raise forms.ValidationError("It takes true or false.", code="invalid")
        return str(value).lower() == "true"


@extend_schema_field({"type": "boolean"})
class BooleanFilter(django_filters.Filter):
    field_class = StrictBooleanField


class AsciiNumberMixin:
    """Accepts a number in ASCII digits; Python would also accept 1_000, 1e2 and digits of any script."""

    pattern: re.Pattern[str]

    def to_python(self, value: Any) -> Any:
        if value not in (None, "") and not self.pattern.fullmatch(str(value)):
            raise forms.ValidationError("It takes a number.", code="invalid")
        return super().to_python(value)  # type: ignore[misc]


class IntegerField(AsciiNumberMixin, forms.IntegerField):
    pattern = re.compile(r"-?[0-9]{1,40}")


class DecimalField(AsciiNumberMixin, forms.DecimalField):
    pattern = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?")


@extend_schema_field({"type": "number"})
class DecimalFilter(django_filters.Filter):
    field_class = DecimalField


class IntegerFilter(django_filters.Filter):
    """A whole number; by default within 64 bits, which databases can compare."""

    field_class = IntegerField

    def __init__(self, *, min_value: int = -(2**63), max_value: int = 2**63 - 1, **kwargs: Any) -> None:
        super().__init__(min_value=min_value, max_value=max_value, **kwargs)
        extend_schema_field({"type": "integer", "minimum": min_value, "maximum": max_value})(self)


class IdFilter(IntegerFilter):
    """An id. One that no row has matches nothing and is no error."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=0, **kwargs)


class FoldedFilter(django_filters.CharFilter):
    """Compares text without case, with a casefolded column."""

    def filter(self, qs: QuerySet[Any], value: str) -> QuerySet[Any]:
        return qs.filter(**{f"{self.field_name}__{self.lookup_expr}": fold(value.strip())[:KEY_LENGTH]})


class ChoicesField(django_filters.fields.MultipleChoiceField):
    """Ignores empty values, as forms send them."""

    def to_python(self, value: Any) -> list[str]:
        return [each for each in super().to_python(value) if each]


class ChoicesFilter(django_filters.MultipleChoiceFilter):
    """Matches any of the values of a parameter that may be repeated."""

    field_class = ChoicesField
    several = True

    def filter(self, qs: QuerySet[Any], value: list[str]) -> QuerySet[Any]:
        return qs.filter(**{f"{self.field_name}__in": value}) if value else qs


# A + that was not escaped arrives as a space.
UNESCAPED_OFFSET = re.compile(r"(:[0-9.]+) ([0-9]{2}:?[0-9]{2})$")
TIME_MAX = 40  # characters


class TimeField(forms.Field):
    """A time as in responses, with any offset; UTC without one. A date is its midnight."""

    def to_python(self, value: Any) -> datetime | None:
        if value in (None, ""):
            return None
        text = UNESCAPED_OFFSET.sub(r"\1+\2", str(value)[: TIME_MAX + 1])
        try:
            time = datetime.fromisoformat(text) if len(text) <= TIME_MAX and text.isascii() else None
            if time is not None:
                return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        raise forms.ValidationError("It takes a time such as 2026-11-26T08:00:00Z.", code="invalid")


@extend_schema_field({"type": "string", "format": "date-time"})
class TimeFilter(django_filters.Filter):
    field_class = TimeField


VALUES_MAX = 100  # of a parameter that may be repeated, or of a list with commas


class SeveralInput(forms.TextInput):
    """All values of a parameter. The filter dialog of the browsable API shows the first."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        return data.getlist(name) if hasattr(data, "getlist") else []

    def format_value(self, value: Any) -> Any:
        return value[0] if value else None


class SeveralField(forms.Field):
    """Cleans each value by `field`. Empty values are ignored."""

    widget = SeveralInput

    def __init__(self, *, field: forms.Field, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.field = field

    def to_python(self, value: list[str] | None) -> list[Any]:
        values = value or []
        if len(values) > VALUES_MAX:
            raise forms.ValidationError(f"It may be given {VALUES_MAX} times at most.", code="max_length")
        cleaned = dict.fromkeys(self.field.clean(each) for each in values)
        return [each for each in cleaned if each not in EMPTY_VALUES]


class SeveralFilter(django_filters.Filter):
    """Matches any of the values of a parameter that may be repeated."""

    several = True
    field_class = SeveralField


class IdsFilter(SeveralFilter):
    """Matches any of the ids. One that no row has matches nothing and is no error."""

    def __init__(self, **kwargs: Any) -> None:
        field = IntegerField(min_value=0, max_value=2**63 - 1, required=False)
        super().__init__(field=field, lookup_expr="in", **kwargs)
        items = {"type": "integer", "minimum": 0, "maximum": 2**63 - 1}
        extend_schema_field({"type": "array", "items": items, "maxItems": VALUES_MAX})(self)


class FoldedField(forms.CharField):
    """Text as in a casefolded column."""

    def to_python(self, value: Any) -> str:
        return fold(super().to_python(value) or "")[:KEY_LENGTH]


@extend_schema_field({"type": "array", "items": {"type": "string"}, "maxItems": VALUES_MAX})
class FoldedValuesFilter(SeveralFilter):
    """Compares text without case, with a casefolded column."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(field=FoldedField(required=False), lookup_expr="in", **kwargs)


IDS_PATTERN = rf"[0-9]{{1,19}}(,[0-9]{{1,19}}){{0,{VALUES_MAX - 1}}}"


class IdListField(forms.Field):
    """Ids with commas between, each once, in their order."""

    def to_python(self, value: str | None) -> list[int]:
        if not value:
            return []
        if not re.fullmatch(IDS_PATTERN, value):
            raise forms.ValidationError(f"It takes up to {VALUES_MAX} ids with commas between.", code="invalid")
        # No row has the largest id; databases cannot compare larger numbers.
        return list(dict.fromkeys(min(int(each), 2**63 - 1) for each in value.split(",")))


@extend_schema_field({"type": "string", "pattern": f"^{IDS_PATTERN}$"})
class IdListFilter(django_filters.Filter):
    field_class = IdListField

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(field_name="pk", lookup_expr="in", **kwargs)
