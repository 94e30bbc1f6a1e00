"""The shape of an image, and of what is sent to make or change one."""

from typing import Any

from django.core.files.storage import default_storage
from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from productbackend.api.permissions import is_staff_with
from products.models import ProductImage

POSITION_MAX = 1_000_000_000  # leaves room for those that come after


class ImageErrorSerializer(serializers.Serializer):
    code = serializers.CharField()
    detail = serializers.CharField()


class ImageSerializer(serializers.ModelSerializer):
    """An image as it is read. `original` is for staff alone, and left out for others."""

    error = serializers.SerializerMethodField()
    original = serializers.SerializerMethodField(help_text="Where staff read the uploaded file; left out for others.")
    full = serializers.SerializerMethodField(help_text="The large rendition; null until the image is ready.")
    thumb = serializers.SerializerMethodField(help_text="The small rendition; null until the image is ready.")

    class Meta:
        model = ProductImage
        fields = (
            "id",
            "product",
            "alt_text",
            "position",
            "status",
            "error",
            "width",
            "height",
            "original",
            "full",
            "thumb",
        )
        read_only_fields = fields

    def to_representation(self, instance: ProductImage) -> dict[str, Any]:
        data = super().to_representation(instance)
        request = self.context.get("request")
        if request is None or not is_staff_with(request.user, "view", ProductImage):
            del data["original"]
        return data

    @extend_schema_field(ImageErrorSerializer(allow_null=True))
    def get_error(self, image: ProductImage) -> dict[str, str] | None:
        return {"code": image.error_code, "detail": image.error_detail} if image.error_code else None

    @extend_schema_field(serializers.URLField())
    def get_original(self, image: ProductImage) -> str:
        return self._absolute(reverse("image-original", args=[image.product_id, image.pk]))

    @extend_schema_field(serializers.URLField(allow_null=True))
    def get_full(self, image: ProductImage) -> str | None:
        return self._rendition(image, "full")

    @extend_schema_field(serializers.URLField(allow_null=True))
    def get_thumb(self, image: ProductImage) -> str | None:
        return self._rendition(image, "thumb")

    def _rendition(self, image: ProductImage, name: str) -> str | None:
        made = image.renditions.get(name)
        return self._absolute(default_storage.url(made["file"])) if made else None

    def _absolute(self, url: str) -> str:
        request: Request | None = self.context.get("request")
        return request.build_absolute_uri(url) if request else url


class ImageUploadSerializer(serializers.Serializer):
    # An empty file is no picture, which the domain says in its own words.
    image = serializers.FileField(allow_empty_file=True, help_text="JPEG, PNG, WebP, GIF or AVIF, told by content.")
    alt_text = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")


class ImageChangeSerializer(serializers.Serializer):
    alt_text = serializers.CharField(max_length=200, required=False, allow_blank=True)
    position = serializers.IntegerField(min_value=0, max_value=POSITION_MAX, required=False)


class ImageOrderSerializer(serializers.Serializer):
    images = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=2**63 - 1),
        help_text="The ids of all of the product's images, in the wanted order.",
    )
