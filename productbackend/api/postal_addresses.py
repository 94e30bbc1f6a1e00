"""Postal addresses in JSON."""

from typing import Any

from django_countries import countries
from rest_framework import serializers

from productbackend.api.fields import CharField, HelpText
from productbackend.database.postal_addresses import LENGTHS, PostalAddress

COUNTRIES = [code for code, _ in countries]
CODES = frozenset(COUNTRIES)


class CountryField(CharField):
    """An ISO 3166-1 alpha-2 code. DRF's ChoiceField would copy all of them for each serializer."""

    default_error_messages = {"invalid_choice": "Enter an ISO 3166-1 code of two capital letters, such as DE."}
    described_as = {"enum": COUNTRIES}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(trim_whitespace=False, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        code: str = super().to_internal_value(data)
        if code not in CODES:
            self.fail("invalid_choice")
        return code


def _text(part: str, text: str, example: str, **options: Any) -> CharField:
    return CharField(max_length=LENGTHS[part], help_text=HelpText(text, example), **options)


OPTIONAL: dict[str, Any] = {"required": False, "allow_blank": True}


class PostalAddressSerializer(serializers.Serializer):
    """A postal address. Nothing is refused for the form of its postal code or telephone number."""

    is_for_both = True  # requests and responses
    name = _text("name", "The recipient.", "Carla Coe")
    company = _text("company", "The company, if any.", "Example GmbH", **OPTIONAL)
    line1 = _text("line1", "Street and number.", "Hauptstraße 1")
    line2 = _text("line2", "What else the address needs.", "2nd floor", **OPTIONAL)
    postal_code = _text("postal_code", "The postal code, if there is one.", "10115", **OPTIONAL)
    city = _text("city", "The town.", "Berlin")
    region = _text("region", "A state or province, where addresses name one.", "", **OPTIONAL)
    country = CountryField(help_text=HelpText("ISO 3166-1 alpha-2.", "DE"))
    phone = _text("phone", "For the carrier.", "+49 30 901820", **OPTIONAL)


def postal_address(data: dict[str, Any]) -> PostalAddress:
    """The address of validated `data`, which may have other members too."""
    return PostalAddress(**{part: data[part] for part in LENGTHS if part in data})
