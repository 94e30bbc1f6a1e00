"""Serializer fields that accept exactly what the OpenAPI document says, without DRF's coercions; their help texts."""

import re
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import models
from rest_framework import serializers

from productbackend.text.addresses import LENGTH_MAX, canonical_address, validate_address


class HelpText(str):
    """A `help_text` with an example, which the OpenAPI document shows too."""

    example: Any

    def __new__(cls, text: str, example: Any) -> "HelpText":
        made = super().__new__(cls, text)
        made.example = example
        return made

    def __deepcopy__(self, memo: dict[int, Any]) -> "HelpText":
        return self  # DRF copies the arguments of fields for each serializer


def help_texts(**texts: str) -> dict[str, dict[str, Any]]:
    """`extra_kwargs` of a ModelSerializer: the help texts of the fields that it derives from the model."""
    return {name: {"help_text": text} for name, text in texts.items()}


CREATED_AT = HelpText("When it was created.", "2026-03-01T12:00:00Z")
UPDATED_AT = HelpText("When it was last changed.", "2026-03-01T12:00:00Z")
CURRENCY = HelpText("ISO 4217.", "EUR")


class StrictBooleanField(serializers.BooleanField):
    """Accepts JSON true and false only; DRF's field also accepts 0, "yes" and "off"."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


INTEGER = re.compile(r"-?[0-9]{1,20}")
DECIMAL = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?")
DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")


class StrictIntegerField(serializers.IntegerField):
    """Accepts an integer or ASCII digits as in a form; DRF's field also accepts 1_000 and digits of any script."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, float) and data.is_integer() and abs(data) < 2**63:
            return int(data)
        if isinstance(data, str) and INTEGER.fullmatch(data):
            return int(data)
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("invalid")
        return data


class StrictKeyField(serializers.PrimaryKeyRelatedField):
    """Accepts an object's integer id; DRF's field also accepts 69.5 as 69 and true as 1."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, str) and INTEGER.fullmatch(data):
            data = int(data)
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("incorrect_type", data_type=type(data).__name__)
        if abs(data) >= 2**63:
            self.fail("does_not_exist", pk_value=data)
        return super().to_internal_value(data)


class MoneyField(serializers.DecimalField):
    """An amount of money with two decimal places."""

    def __init__(self, *, max_digits: int = 10, **kwargs: Any) -> None:
        super().__init__(max_digits=max_digits, decimal_places=2, **kwargs)


class StrictDecimalField(serializers.DecimalField):
    """A number from 0, as a string or a number; DRF's field also accepts 1_000, 1e2 and digits of any script."""

    def __init__(self, *, max_digits: int, decimal_places: int, **kwargs: Any) -> None:
        super().__init__(max_digits=max_digits, decimal_places=decimal_places, min_value=0, **kwargs)
        pattern = rf"^[0-9]{{1,{max_digits - decimal_places}}}(\.[0-9]{{1,{decimal_places}}})?$"
        self.described_as = {"pattern": pattern}

    def validate_empty_values(self, data: Any) -> tuple[bool, Any]:
        # DRF's DecimalField takes an empty string for null.
        return super(serializers.DecimalField, self).validate_empty_values(data)

    def to_internal_value(self, data: Any) -> Decimal:
        text = data if isinstance(data, str) else repr(data) if type(data) in (int, float) else ""
        if not DECIMAL.fullmatch(text):
            self.fail("invalid")
        value = super().to_internal_value(text)
        if value >= 0 and not re.fullmatch(self.described_as["pattern"], text):
            self.fail("invalid")
        return value


class AmountField(StrictDecimalField):
    """An amount of money from 0, as a string with two decimal places at most."""

    def __init__(self, *, max_digits: int = 10, **kwargs: Any) -> None:
        super().__init__(max_digits=max_digits, decimal_places=2, **kwargs)


class DayField(serializers.DateField):
    """A day as YYYY-MM-DD; DRF's field also accepts 2026-1-1 and digits of any script."""

    def to_internal_value(self, data: Any) -> date:
        if not isinstance(data, str) or not DAY.fullmatch(data):
            self.fail("invalid", format="YYYY-MM-DD")
        return super().to_internal_value(data)


class CharField(serializers.CharField):
    """Takes text alone, where DRF's field also takes a number for its digits.

    Checks the maximum length first: no other validator then scans a megabyte of text.
    """

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)

    def run_validators(self, value: Any) -> None:
        if self.max_length is not None and len(value) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        super().run_validators(value)


class EmailField(CharField, serializers.EmailField):
    """An e-mail address in its canonical spelling."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=LENGTH_MAX, **kwargs)
        self.validators.append(validate_address)

    def to_internal_value(self, data: Any) -> str:
        return canonical_address(super().to_internal_value(data))


class ModelSerializer(serializers.ModelSerializer):
    """DRF's ModelSerializer with the fields of this module."""

    serializer_field_mapping = serializers.ModelSerializer.serializer_field_mapping | {models.CharField: CharField}
    serializer_related_field = StrictKeyField
