"""Serializers of tax rates."""

from typing import Any

from productbackend.api.fields import CharField, DayField, HelpText, ModelSerializer, StrictDecimalField
from productbackend.api.postal_addresses import CountryField
from taxes.models import RATE_MAX, TAX_CLASS_MAX, TaxRate


class RateField(StrictDecimalField):
    """A rate in percent with up to four decimals, without needless zeros."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=7, decimal_places=4, normalize_output=True, **kwargs)


class TaxRateSerializer(ModelSerializer):
    """The tax rate of a class in a country, from a day on until a later rate begins."""

    # All fields are declared: DRF would require the fields of the unique constraint, and PUT may omit some.
    country = CountryField(help_text=HelpText("ISO 3166-1 alpha-2.", "DE"))
    tax_class = CharField(
        max_length=TAX_CLASS_MAX,
        required=False,
        help_text=HelpText("A word of the shop's own; products and delivery methods name it.", "standard"),
    )
    rate = RateField(max_value=RATE_MAX, help_text=HelpText("Percent, from 0 to 100.", "19"))
    valid_from = DayField(
        required=False,
        help_text=HelpText("The first day, in the shop's time zone. Today if omitted.", "2026-01-01"),
    )

    class Meta:
        model = TaxRate
        fields = ["id", "country", "tax_class", "rate", "valid_from"]
        validators: list[Any] = []  # taxes.rates reports a rate that exists already, with its field
        extra_kwargs = {"id": {"help_text": HelpText("The rate's id.", 4)}}
