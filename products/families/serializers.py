"""The representation of families, and of requests that write them."""

from typing import Any

from rest_framework import serializers
from rest_framework.validators import UniqueValidator

from productbackend.api.fields import (
    CREATED_AT,
    CURRENCY,
    UPDATED_AT,
    CharField,
    HelpText,
    ModelSerializer,
    MoneyField,
    StrictIntegerField,
    help_texts,
)
from products.families.fields import OPTIONS, CombinationsField, OptionsField, PriceField, SlugField
from products.families.reading import FamilyWriter
from products.images.serializers import ImageSerializer
from products.models import AXES_MAX, AXIS_MAX, DESCRIPTION_MAX, QUANTITY_MAX, VARIANTS_MAX, Family
from products.naming import validate_visible


class VariantSerializer(serializers.Serializer):
    """A product of a family."""

    id = serializers.IntegerField(help_text=HelpText("The product's id.", 7))
    sku = serializers.CharField(help_text=HelpText("The stock keeping unit.", "SHIRT-M"))
    slug = serializers.CharField(help_text=HelpText("The product's slug.", "shirt-m"))
    name = serializers.CharField(help_text=HelpText("The product's name.", "Shirt, M"))
    options = OptionsField(help_text=OPTIONS)
    price = MoneyField(help_text=HelpText("The current price.", "19.90"))
    currency = serializers.CharField(help_text=CURRENCY)
    quantity = serializers.IntegerField(help_text=HelpText("Pieces in stock.", 40))
    in_stock = serializers.BooleanField(help_text="Whether there are pieces in stock.")
    is_active = serializers.BooleanField(help_text="false: only staff see it.")
    image = ImageSerializer(allow_null=True, help_text="The first ready image.")


class FamilySerializer(ModelSerializer):
    """Products that differ by options, all in one answer."""

    slug = SlugField(max_length=220, example="shirt", validators=[UniqueValidator(Family.objects.all())])
    description = CharField(
        required=False,
        allow_blank=True,
        max_length=DESCRIPTION_MAX,
        help_text=HelpText("Plain text.", "Of cotton."),
    )
    axes = serializers.ListField(
        child=CharField(max_length=AXIS_MAX, validators=[validate_visible]),
        min_length=1,
        max_length=AXES_MAX,
        help_text=HelpText("What the products differ by. A change renames them by position.", ["Size", "Colour"]),
    )
    order = serializers.ListField(
        child=StrictIntegerField(min_value=1, max_value=2**63 - 1),
        max_length=VARIANTS_MAX,
        required=False,
        write_only=True,
        help_text=HelpText("The ids of all of its products, in the wanted order.", [8, 7]),
    )
    variants = VariantSerializer(many=True, read_only=True, help_text="The products that the client may see, in order.")
    price_from = MoneyField(
        read_only=True, allow_null=True, help_text=HelpText("The lowest price of an active one, or null.", "19.90")
    )
    price_to = MoneyField(
        read_only=True, allow_null=True, help_text=HelpText("The highest price of an active one, or null.", "24.90")
    )
    currency = serializers.CharField(read_only=True, help_text=CURRENCY)

    class Meta:
        model = Family
        fields = [
            "id", "name", "slug", "description", "category", "brand", "axes", "order", "variants", "price_from",
            "price_to", "currency", "created_at", "updated_at",
        ]  # fmt: skip
        extra_kwargs = help_texts(
            id=HelpText("The family's id.", 5),
            name=HelpText("The family's name.", "Shirt"),
            brand=HelpText("The brand's name.", "Northway"),
            category=HelpText("A category's id, or null.", 3),
            created_at=CREATED_AT,
            updated_at=HelpText("When the family was last changed. A change of a product is none.", UPDATED_AT.example),
        )

    def to_representation(self, instance: Any) -> dict[str, Any]:
        return FamilyWriter(self.context["request"]).write([instance])[0]


class NewVariantsSerializer(serializers.Serializer):
    """The combinations of options that a family should have."""

    options = CombinationsField(
        help_text=HelpText("Axis -> values. Every combination of them is meant.", {"Size": ["S", "M"]})
    )
    price = PriceField(default="0.00", help_text=HelpText("The price of each new product.", "19.90"))
    quantity = StrictIntegerField(
        min_value=0, max_value=QUANTITY_MAX, default=0, help_text=HelpText("Pieces in stock of each new product.", 10)
    )
