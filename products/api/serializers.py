"""The representations of categories, products and facets."""

import math
from typing import Any

from django.utils.functional import cached_property
from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers
from rest_framework.validators import UniqueValidator

from productbackend.api.fields import (
    CREATED_AT,
    CURRENCY,
    DECIMAL,
    UPDATED_AT,
    AmountField,
    CharField,
    HelpText,
    ModelSerializer,
    MoneyField,
    StrictBooleanField,
    StrictIntegerField,
    StrictKeyField,
    help_texts,
)
from products import categories
from products.families.fields import OPTIONS, FormOptionsField, OptionsField, SlugField
from products.images.serializers import ImageSerializer
from products.models import DESCRIPTION_MAX, POSITION_MAX, QUANTITY_MAX, Category, Family, Product, Suggestion
from products.reads.rows import MEMBERS, ProductWriter
from products.search import suggestions

CATEGORY = HelpText("A category's id, or null.", 3)
FAMILY = HelpText("A family's id, or null.", 5)
RATING = HelpText("From 0.1 to 5; null until somebody gives one.", 4.5)
IS_ACTIVE = "false hides it from everyone but staff."
COUNT = HelpText("The number of products.", 12)


class CategorySerializer(ModelSerializer):
    """A category of the tree."""

    slug = SlugField(max_length=120, example="boots", validators=[UniqueValidator(Category.objects.all())])
    position = StrictIntegerField(
        min_value=0,
        max_value=POSITION_MAX,
        required=False,
        help_text=HelpText("The sort order among its siblings in the tree, ascending; then by name.", 0),
    )
    path = serializers.SerializerMethodField(help_text="The names from the root to this category.")

    class Meta:
        model = Category
        fields = ["id", "name", "slug", "parent", "position", "path"]
        extra_kwargs = help_texts(
            id=HelpText("The category's id.", 3),
            name=HelpText("Unique among siblings, ignoring case.", "Boots"),
            parent=HelpText("The id of the parent category; null at the root.", 1),
        )

    @cached_property
    def paths(self) -> dict[int, list[str]]:
        """Of all categories that are rendered, by one query."""
        rows: Any = self.root.instance
        return categories.paths(list(rows) if self.parent is not None else [rows])

    def get_path(self, category: Category) -> list[str]:
        return self.paths[category.pk]


@extend_schema_field({"type": "array", "items": {"$ref": "#/components/schemas/CategoryNode"}})
class ChildrenField(serializers.ListField):
    """Nodes of the same shape."""


class CategoryNodeSerializer(serializers.Serializer):
    """A category in the tree, with those below it."""

    id = serializers.IntegerField(help_text=HelpText("The category's id.", 3))
    name = serializers.CharField(help_text=HelpText("The category's name.", "Boots"))
    slug = serializers.CharField(help_text=HelpText("For the URLs of pages.", "boots"))
    children = ChildrenField(help_text="The categories below it, in their order.")


class RatingField(serializers.FloatField):
    """A finite number; rejects NaN, which Python accepts as a float."""

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool) or (isinstance(data, str) and not DECIMAL.fullmatch(data)):
            self.fail("invalid")
        value = super().to_internal_value(data)
        if not math.isfinite(value):
            self.fail("invalid")
        return value


class ProductSerializer(ModelSerializer):
    """A product of the catalogue."""

    slug = SlugField(max_length=220, example="walking-boot", validators=[UniqueValidator(Product.objects.all())])
    sku = CharField(
        max_length=64,
        required=False,
        help_text=HelpText("The stock keeping unit, unique; derived from the name if omitted.", "WALKING-BOOT"),
        validators=[UniqueValidator(Product.objects.all())],
    )
    description = CharField(
        required=False,
        allow_blank=True,
        max_length=DESCRIPTION_MAX,
        help_text=HelpText("Plain text.", "Waterproof, for wide feet."),
    )
    category_name = serializers.CharField(
        source="category.name",
        default=None,
        read_only=True,
        allow_null=True,
        help_text=HelpText("The category's name, or null.", "Boots"),
    )
    price = AmountField(required=False, help_text=HelpText("The current price.", "19.90"))
    currency = serializers.CharField(read_only=True, help_text=CURRENCY)
    quantity = StrictIntegerField(min_value=0, max_value=QUANTITY_MAX, help_text=HelpText("Pieces in stock.", 40))
    rating = RatingField(
        min_value=0.1,
        max_value=5,
        required=False,
        allow_null=True,
        help_text=RATING,
    )
    options = OptionsField(required=False, help_text=OPTIONS)
    is_active = StrictBooleanField(required=False, help_text=IS_ACTIVE)
    image = ImageSerializer(read_only=True, allow_null=True, help_text="The first ready image.")
    images = ImageSerializer(many=True, read_only=True, help_text="The images that the user may see, in order.")

    class Meta:
        model = Product
        fields = MEMBERS
        extra_kwargs = help_texts(
            id=HelpText("The product's id.", 7),
            name=HelpText("The product's name.", "Walking boot"),
            brand=HelpText("The brand's name.", "Northway"),
            category=CATEGORY,
            family=FAMILY,
            tax_class=HelpText("The class of its tax rates: a word of the shop's own.", "standard"),
            created_at=CREATED_AT,
            updated_at=HelpText("When it was last changed, by a sale too.", UPDATED_AT.example),
        )

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """Rendered without the serializer's fields, which would take most of the time of a page."""
        return ProductWriter(self.context.get("request")).write([instance])[0]


class FormKeyField(StrictKeyField):
    """In a form, which has no null, an empty value means none."""

    described_as = {"type": "integer"}


class FormRatingField(RatingField):
    """In a form, which has no null, an empty value means none."""

    described_as = {"type": "number"}


class FormBooleanField(serializers.BooleanField):
    """In a form a boolean is text; longer text than "false" is rejected."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, str) and len(data) > len("false"):
            self.fail("invalid", input=data[:20])
        return super().to_internal_value(data)


@extend_schema_serializer(component_name="ProductUpload")
class ProductUploadSerializer(ProductSerializer):
    """A new product as multipart/form-data, with one picture."""

    category = FormKeyField(queryset=Category.objects.all(), required=False, allow_null=True, help_text=CATEGORY)
    family = FormKeyField(queryset=Family.objects.all(), required=False, allow_null=True, help_text=FAMILY)
    options = FormOptionsField(required=False, help_text=HelpText("Axis -> value.", {"Size": "M"}))
    rating = FormRatingField(min_value=0.1, max_value=5, required=False, allow_null=True, help_text=RATING)
    is_active = FormBooleanField(required=False, help_text=IS_ACTIVE)  # type: ignore[assignment]
    image = serializers.FileField(  # type: ignore[assignment]
        required=False, write_only=True, help_text="A picture: JPEG, PNG, WebP, GIF or AVIF, detected by content."
    )

    class Meta(ProductSerializer.Meta):
        pass


class CategoryCountSerializer(serializers.Serializer):
    id = serializers.IntegerField(help_text=HelpText("The category's id.", 3))
    name = serializers.CharField(help_text=HelpText("The category's name.", "Boots"))
    parent = serializers.IntegerField(  # type: ignore[assignment]
        allow_null=True, help_text=HelpText("The id of the parent category; null at the root.", 1)
    )
    count = serializers.IntegerField(help_text=HelpText("Includes products of its subcategories.", 42))


class BrandCountSerializer(serializers.Serializer):
    name = serializers.CharField(help_text=HelpText("The brand.", "Northway"))
    count = serializers.IntegerField(help_text=COUNT)


class PriceBandSerializer(serializers.Serializer):
    min = MoneyField(help_text=HelpText("The lower bound, inclusive.", "10.00"))
    max = MoneyField(allow_null=True, help_text=HelpText("The upper bound, exclusive; null: no limit.", "20.00"))
    count = serializers.IntegerField(help_text=COUNT)


class RatingCountSerializer(serializers.Serializer):
    min = serializers.IntegerField(help_text=HelpText("The minimum rating.", 4))
    count = serializers.IntegerField(help_text=HelpText("Products with this rating or a better one.", 42))


class PriceRangeSerializer(serializers.Serializer):
    min = serializers.DecimalField(
        max_digits=10,
        decimal_places=2,
        allow_null=True,
        help_text=HelpText("The lowest price; null if nothing is found.", "4.50"),
    )
    max = serializers.DecimalField(
        max_digits=10,
        decimal_places=2,
        allow_null=True,
        help_text=HelpText("The highest price; null if nothing is found.", "89.00"),
    )


class OptionCountSerializer(serializers.Serializer):
    value = serializers.CharField(help_text=HelpText("The value.", "M"))
    count = serializers.IntegerField(help_text=COUNT)


class AxisCountsSerializer(serializers.Serializer):
    axis = serializers.CharField(help_text=HelpText("The name of the axis.", "Size"))
    values = OptionCountSerializer(many=True, help_text="Counts by value, the most frequent first.")


class FacetsSerializer(serializers.Serializer):
    """Counts of the filtered products, each facet without its own filter."""

    count = serializers.IntegerField(help_text=HelpText("The number of counted matches.", 12))
    exact = serializers.BooleanField(help_text="false: only the first 10,000 matches were counted, for some facet.")
    categories = CategoryCountSerializer(many=True, help_text="Counts by category.")
    brands = BrandCountSerializer(many=True, help_text="Counts by brand, the most frequent first.")
    prices = PriceBandSerializer(many=True, help_text="Counts by price band.")
    ratings = RatingCountSerializer(many=True, help_text="Counts by minimum rating.")
    options = AxisCountsSerializer(many=True, help_text="Counts by option, each axis without its own filter.")
    price = PriceRangeSerializer(help_text="The range of the prices, without `min_price` and `max_price`.")


class SuggestionQuerySerializer(serializers.Serializer):
    q = CharField(
        min_length=suggestions.TEXT_MIN,
        max_length=suggestions.TEXT_MAX,
        help_text=HelpText("The beginning of a name, or of one of its words with what follows it.", "boo"),
    )


class SuggestionSerializer(serializers.Serializer):
    kind = serializers.ChoiceField(
        choices=Suggestion.Kind.choices, help_text=HelpText("What is suggested.", Suggestion.Kind.PRODUCT.value)
    )
    text = serializers.CharField(help_text=HelpText("The name of the product, category or brand.", "Red boot"))
    id = serializers.IntegerField(allow_null=True, help_text=HelpText("Its id; null for a brand.", 7))
    slug = serializers.CharField(allow_null=True, help_text=HelpText("Its slug; null for a brand.", "red-boot"))
    image = serializers.URLField(
        allow_null=True,
        help_text=HelpText(
            "The small rendition of the product's first ready image; null if there is none.",
            "https://shop.example/media/products/7-thumb.webp",
        ),
    )


class SuggestionsSerializer(serializers.Serializer):
    """At most ten suggestions: categories, brands, products."""

    results = SuggestionSerializer(many=True, help_text="The suggestions, the best ones of each kind first.")
