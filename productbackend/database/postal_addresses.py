"""Postal addresses: the value, and the columns in which a model stores it."""

from dataclasses import asdict, dataclass
from typing import Any, Self, overload

from django.core.exceptions import ValidationError
from django.db import models
from django_countries import countries

# The widest values that are accepted, in characters. Nothing else is checked: rules by country refuse real customers.
LENGTHS = {
    "name": 200,
    "company": 200,
    "line1": 200,
    "line2": 200,
    "postal_code": 40,
    "city": 200,
    "region": 200,
    "country": 2,  # ISO 3166-1 alpha-2
    "phone": 40,
}


@dataclass(frozen=True, kw_only=True)
class PostalAddress:
    """Where something is delivered or billed to."""

    name: str
    line1: str
    city: str
    country: str
    company: str = ""
    line2: str = ""
    postal_code: str = ""
    region: str = ""
    phone: str = ""

    @property
    def lines(self) -> list[str]:
        """The address as it stands on a parcel, a line each, without the telephone number."""
        place = " ".join(filter(None, [self.postal_code, self.city]))
        lines = [self.name, self.company, self.line1, self.line2, place, self.region, country_name(self.country)]
        return [line for line in lines if line]


def validate_country(code: str) -> None:
    """Raise ValidationError unless `code` is of ISO 3166-1 alpha-2, such as DE."""
    if code not in countries:
        raise ValidationError("Enter an ISO 3166-1 code of two capital letters, such as DE.", code="invalid")


def country_name(code: str) -> str:
    """The English name of a country; the code itself if ISO 3166-1 no longer has it."""
    return str(countries.name(code)) or code


class PostalAddressColumns:
    """An attribute of a model: a `PostalAddress` or None, stored in a column for each part of it.

    With the prefix `shipping_` they are `shipping_name`, `shipping_line1` and so on: they can be searched and erased.
    An address without a country is None.
    """

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix

    def contribute_to_class(self, model: type[models.Model], attribute: str, **kwargs: Any) -> None:
        for part, length in LENGTHS.items():
            column = models.CharField(max_length=length, blank=True, default="", db_default="")
            model.add_to_class(f"{self.prefix}{part}", column)
        setattr(model, attribute, self)

    @property
    def columns(self) -> list[str]:
        return [f"{self.prefix}{part}" for part in LENGTHS]

    def values(self, address: PostalAddress | None) -> dict[str, str]:
        """The columns with the values that store `address`."""
        parts = asdict(address) if address else dict.fromkeys(LENGTHS, "")
        return {f"{self.prefix}{part}": value for part, value in parts.items()}

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...

    @overload
    def __get__(self, instance: models.Model, owner: type) -> PostalAddress | None: ...

    def __get__(self, instance: models.Model | None, owner: type) -> Self | PostalAddress | None:
        if instance is None:
            return self
        parts = {part: getattr(instance, f"{self.prefix}{part}") for part in LENGTHS}
        return PostalAddress(**parts) if parts["country"] else None

    def __set__(self, instance: models.Model, address: PostalAddress | None) -> None:
        for column, value in self.values(address).items():
            setattr(instance, column, value)
