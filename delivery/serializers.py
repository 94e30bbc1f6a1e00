"""Serializers of delivery methods, and of what is offered for a cart."""

from rest_framework import serializers

from delivery.models import AMOUNT_DIGITS, CODE, POSITION_MAX, DeliveryMethod
from delivery.offers import REASONS
from productbackend.api.fields import (
    AmountField,
    HelpText,
    ModelSerializer,
    MoneyField,
    StrictBooleanField,
    StrictIntegerField,
    help_texts,
)
from productbackend.api.postal_addresses import COUNTRIES, CountryField

GOODS = "compared with the amount of the goods, inclusive; null for no limit"


class DeliveryMethodSerializer(ModelSerializer):
    """A delivery method, with its price and where and for what amounts it is offered."""

    price = AmountField(required=False, help_text=HelpText("What it costs below `free_from`.", "4.90"))
    free_from = AmountField(
        max_digits=AMOUNT_DIGITS,
        required=False,
        allow_null=True,
        help_text=HelpText("The amount of goods from which it costs nothing, inclusive; or null.", "50.00"),
    )
    min_amount = AmountField(
        max_digits=AMOUNT_DIGITS, required=False, allow_null=True, help_text=HelpText(f"The least, {GOODS}.", "10.00")
    )
    max_amount = AmountField(
        max_digits=AMOUNT_DIGITS, required=False, allow_null=True, help_text=HelpText(f"The most, {GOODS}.", None)
    )
    countries = serializers.ListField(
        child=CountryField(),
        required=False,
        max_length=len(COUNTRIES),
        help_text=HelpText("ISO 3166-1 alpha-2, each once. Empty: everywhere.", ["DE", "AT"]),
    )
    needs_address = StrictBooleanField(required=False, help_text="Whether checkout asks for a shipping address.")
    is_active = StrictBooleanField(required=False, help_text="false: it is not offered, and staff alone see it.")
    position = StrictIntegerField(
        min_value=0, max_value=POSITION_MAX, required=False, help_text=HelpText("The sort order, ascending.", 0)
    )

    class Meta:
        model = DeliveryMethod
        fields = [
            "id", "code", "name", "description", "price", "free_from", "min_amount", "max_amount", "countries",
            "needs_address", "tax_class", "is_active", "position",
        ]  # fmt: skip
        extra_kwargs = help_texts(
            id=HelpText("The method's id.", 2),
            code=HelpText(f"Carts and orders name it. Unique; of the form `{CODE}`.", "parcel"),
            name=HelpText("What customers see.", "Parcel"),
            description=HelpText("More for customers.", "Two to three days."),
            tax_class=HelpText("The class of its tax rates.", "standard"),
        )


class OfferSerializer(serializers.Serializer):
    """A delivery method with its price for a cart; `reason` says why it is not available."""

    id = serializers.IntegerField(source="method.id", help_text=HelpText("The method's id.", 2))
    code = serializers.CharField(source="method.code", help_text=HelpText("To choose it by.", "parcel"))
    name = serializers.CharField(source="method.name", help_text=HelpText("What customers see.", "Parcel"))
    description = serializers.CharField(
        source="method.description", help_text=HelpText("More for customers.", "Two to three days.")
    )
    price = MoneyField(help_text=HelpText("What it costs for this cart.", "4.90"))
    free_from = MoneyField(
        source="method.free_from",
        max_digits=AMOUNT_DIGITS,
        allow_null=True,
        help_text=HelpText("The amount of goods from which it costs nothing, inclusive; or null.", "50.00"),
    )
    min_amount = MoneyField(
        source="method.min_amount",
        max_digits=AMOUNT_DIGITS,
        allow_null=True,
        help_text=HelpText(f"The least, {GOODS}.", "10.00"),
    )
    max_amount = MoneyField(
        source="method.max_amount",
        max_digits=AMOUNT_DIGITS,
        allow_null=True,
        help_text=HelpText(f"The most, {GOODS}.", None),
    )
    countries = serializers.ListField(
        source="method.countries",
        child=CountryField(),
        help_text=HelpText("ISO 3166-1 alpha-2. Empty: everywhere.", ["DE", "AT"]),
    )
    needs_address = serializers.BooleanField(
        source="method.needs_address", help_text="Whether it needs a shipping address."
    )
    available = serializers.BooleanField(help_text="Whether this cart can be checked out with it.")
    reason = serializers.ChoiceField(REASONS, allow_null=True, help_text="Why it is not available; else null.")


class OffersSerializer(serializers.Serializer):
    results = OfferSerializer(many=True, help_text="All active methods, in their order.")
