"""Fields of serializers: slugs, and options."""

import json
import unicodedata
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from productbackend.api.fields import AmountField, CharField, HelpText
from products.models import AXES_MAX, AXIS_MAX, OPTION_MAX, VARIANTS_MAX
from products.naming import is_slug, validate_visible

OPTIONS = HelpText("Axis -> value; `{}` for a product of no family. An axis may be missing.", {"Size": "M"})
VALUE = {"type": "string", "minLength": 1, "maxLength": OPTION_MAX}
MAP = {"type": "object", "additionalProperties": VALUE, "maxProperties": AXES_MAX}


class MapField(serializers.Field):
    """An object with up to three axes as its names."""

    default_error_messages = {
        "not_a_dict": "Expected an object with axes as its names.",
        "max_length": f"A family has {AXES_MAX} axes at most.",
        "axis": f"The name of an axis has up to {AXIS_MAX} characters.",
    }

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            self.fail("not_a_dict")
        if len(data) > AXES_MAX:
            self.fail("max_length")
        errors, found = {}, {}
        for axis, value in data.items():
            if len(axis) > AXIS_MAX:
                self.fail("axis")
            try:
                found[axis] = self.values.run_validation(value)
            except serializers.ValidationError as error:
                errors[axis] = error.detail
        if errors:
            raise serializers.ValidationError(errors)
        return found

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.values = self.value_field()

    def value_field(self) -> Any:
        return CharField(max_length=OPTION_MAX, validators=[validate_visible])

    def to_representation(self, value: Any) -> Any:
        return value


@extend_schema_field(MAP)
class OptionsField(MapField):
    """The options of one product."""


@extend_schema_field(MAP)
class FormOptionsField(OptionsField):
    """In a form, an object as JSON text."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if isinstance(data, str):
            try:
                data = json.loads(data) if data else {}
            except (ValueError, RecursionError):
                self.fail("not_a_dict")
        return super().to_internal_value(data)


@extend_schema_field(
    {
        "type": "object",
        "additionalProperties": {"type": "array", "items": VALUE, "minItems": 1, "maxItems": VARIANTS_MAX},
        "maxProperties": AXES_MAX,
    }
)
class CombinationsField(MapField):
    """The values of each axis."""

    def value_field(self) -> Any:
        value = CharField(max_length=OPTION_MAX, validators=[validate_visible])
        return serializers.ListField(child=value, min_length=1, max_length=VARIANTS_MAX)


class PriceField(AmountField):
    """A price as text, as it is documented."""

    def to_internal_value(self, data: Any) -> Decimal:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class SlugField(CharField):
    """Letters of any script, digits, hyphens and underscores; derived from the name if omitted."""

    default_error_messages = {"invalid": "Enter letters, digits, hyphens and underscores only."}

    def __init__(self, *, example: str, **kwargs: Any) -> None:
        super().__init__(required=False, help_text=HelpText(str(self.__doc__), example), **kwargs)

    def to_internal_value(self, data: Any) -> str:
        value: str = super().to_internal_value(data)
        if len(value) <= (self.max_length or 0):  # the validator rejects a longer one
            value = unicodedata.normalize("NFC", value)
            if value and not is_slug(value):
                self.fail("invalid")
        return value
