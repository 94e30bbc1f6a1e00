"""The shapes of the catalogue."""

import math
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_unicode_slug
from rest_framework import serializers
from rest_framework.validators import UniqueValidator

from productbackend.api.fields import StrictBooleanField
from products import categories
from products.image_serializers import ImageSerializer
from products.models import QUANTITY_MAX, Category, Product
from products.product_writer import ProductWriter


class SlugField(serializers.CharField):
    """Letters of any script, digits, hyphens and underscores; made from the name where left out."""

    default_error_messages = {"invalid": "It takes letters, digits, hyphens and underscores."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, help_text=self.__doc__, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        value: str = super().to_internal_value(data)
        try:
            validate_unicode_slug(value)
        except ValidationError:
            self.fail("invalid")
        return value


class CategoryListSerializer(serializers.ListSerializer):
    """Finds the paths of all rows in one query."""

    def to_representation(self, data: Any) -> Any:
        rows = list(data)
        self._context = {**self.context, "paths": categories.paths(rows)}  # as the child reads it
        return super().to_representation(rows)


class CategorySerializer(serializers.ModelSerializer):
    slug = SlugField(max_length=120, validators=[UniqueValidator(Category.objects.all())])
    path = serializers.SerializerMethodField(help_text="The names from the root to this category.")

    class Meta:
        model = Category
        fields = ["id", "name", "slug", "parent", "path"]
        list_serializer_class = CategoryListSerializer

    def get_path(self, category: Category) -> list[str]:
        found = self.context.get("paths") or categories.paths([category])
        return found[category.pk]


class PriceField(serializers.DecimalField):
    """Money, as a string with two decimals at most."""

    described_as = {"pattern": r"^[0-9]{1,8}(\.[0-9]{1,2})?$"}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=10, decimal_places=2, min_value=0, **kwargs)


class RatingField(serializers.FloatField):
    """A number; "NaN" is a float to Python and none to us."""

    def to_internal_value(self, data: Any) -> float:
        value = super().to_internal_value(data)
        if isinstance(data, bool) or not math.isfinite(value):
            self.fail("invalid")
        return value


class ProductSerializer(serializers.ModelSerializer):
    slug = SlugField(max_length=220, validators=[UniqueValidator(Product.objects.all())])
    sku = serializers.CharField(
        max_length=64,
        required=False,
        help_text="Made from the name where left out.",
        validators=[UniqueValidator(Product.objects.all())],
    )
    description = serializers.CharField(required=False, allow_blank=True, max_length=20_000)
    category_name = serializers.CharField(source="category.name", default=None, read_only=True, allow_null=True)
    price = PriceField(required=False)
    currency = serializers.CharField(read_only=True, help_text="ISO 4217.")
    quantity = serializers.IntegerField(min_value=0, max_value=QUANTITY_MAX)
    rating = RatingField(min_value=0.1, max_value=5, required=False)
    is_active = StrictBooleanField(required=False)
    image = ImageSerializer(read_only=True, allow_null=True, help_text="The first ready image.")
    images = ImageSerializer(many=True, read_only=True)

    class Meta:
        model = Product
        fields = [
            "id", "name", "slug", "sku", "brand", "description", "category", "category_name", "price", "currency",
            "quantity", "rating", "is_active", "image", "images", "created_at", "updated_at",
        ]  # fmt: skip

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """Written out: going from field to field takes most of the time of a page."""
        return ProductWriter(self.context.get("request")).write([instance])[0]


class FormCategoryField(serializers.PrimaryKeyRelatedField):
    """A form has no null; what is left empty is none."""

    described_as = {"type": "integer"}


class ProductUploadSerializer(ProductSerializer):
    """A new product as multipart, with one picture."""

    category = FormCategoryField(queryset=Category.objects.all(), required=False, allow_null=True)
    is_active = serializers.BooleanField(required=False)  # type: ignore[assignment]  # in a form it is text
    image = serializers.FileField(required=False, write_only=True)  # type: ignore[assignment]

    class Meta(ProductSerializer.Meta):
        pass


class CategoryCountSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    count = serializers.IntegerField(help_text="Its subtree's products too.")


class BrandCountSerializer(serializers.Serializer):
    name = serializers.CharField()
    count = serializers.IntegerField()


class PriceBandSerializer(serializers.Serializer):
    min = serializers.DecimalField(max_digits=10, decimal_places=2)
    max = serializers.DecimalField(max_digits=10, decimal_places=2, allow_null=True, help_text="null: no limit.")
    count = serializers.IntegerField()


class RatingCountSerializer(serializers.Serializer):
    min = serializers.IntegerField()
    count = serializers.IntegerField(help_text="Rated so or better.")


class FacetsSerializer(serializers.Serializer):
    """Counts of what the filters find."""

    count = serializers.IntegerField()
    exact = serializers.BooleanField(help_text="false: only the first 10,000 matches were counted.")
    categories = CategoryCountSerializer(many=True)
    brands = BrandCountSerializer(many=True)
    prices = PriceBandSerializer(many=True)
    ratings = RatingCountSerializer(many=True)
