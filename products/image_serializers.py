"""The shape of an image, and of what is sent to make or change one."""

from typing import Any

from django.core.files.storage import default_storage
from django.urls import reverse
from rest_framework import serializers
from rest_framework.request import Request

from productbackend.api.permissions import is_staff_with
from productbackend.media import TYPES
from products.models import ProductImage

BEST_FIRST = ("avif", "webp")  # a browser takes the first that it knows; other formats come after these
POSITION_MAX = 1_000_000_000  # leaves room for those that come after


class ImageErrorSerializer(serializers.Serializer):
    code = serializers.CharField(read_only=True)
    detail = serializers.CharField(read_only=True)


class ImageSourceSerializer(serializers.Serializer):
    """One file of a rendition."""

    rendition = serializers.CharField(help_text="Such as full or thumb.")
    type = serializers.CharField(help_text="The media type.")
    url = serializers.URLField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()


class ImageSerializer(serializers.ModelSerializer):
    """An image as it is read. `original` is for staff alone, and left out for others."""

    error = ImageErrorSerializer(allow_null=True, read_only=True)
    original = serializers.URLField(
        read_only=True, help_text="Where staff read the uploaded file; left out for others."
    )
    full = serializers.URLField(
        allow_null=True, read_only=True, help_text="The large rendition; null until the image is ready."
    )
    thumb = serializers.URLField(
        allow_null=True, read_only=True, help_text="The small rendition; null until the image is ready."
    )
    sources = ImageSourceSerializer(
        many=True,
        read_only=True,
        help_text="Each rendition in each of its formats, best first, as <picture> takes them; empty until ready.",
    )

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
            "sources",
        )
        read_only_fields = fields

    def to_representation(self, instance: ProductImage) -> dict[str, Any]:
        return ImageWriter(self.context.get("request")).write(instance)


class ImageWriter:
    """Writes images for one reader: who that is and where the shop lives is asked once, and not for each."""

    def __init__(self, request: Request | None) -> None:
        self.origin = request.build_absolute_uri("/").removesuffix("/") if request else ""
        self.media = self._absolute(default_storage.url(""))  # names of our making need no escaping
        self.shows_original = request is not None and is_staff_with(request.user, "view", ProductImage)

    def write(self, image: ProductImage) -> dict[str, Any]:
        data: dict[str, Any] = {
            "id": image.pk,
            "product": image.product_id,
            "alt_text": image.alt_text,
            "position": image.position,
            "status": image.status,
            "error": {"code": image.error_code, "detail": image.error_detail} if image.error_code else None,
            "width": image.width,
            "height": image.height,
        }
        if self.shows_original:
            data["original"] = self._absolute(reverse("image-original", args=[image.product_id, image.pk]))
        for name in ("full", "thumb"):
            made = image.renditions.get(name)
            data[name] = f"{self.media}{made['file']}" if made else None
        data["sources"] = [
            {
                "rendition": name,
                "type": TYPES[file.rpartition(".")[2]],
                "url": f"{self.media}{file}",
                "width": made["width"],
                "height": made["height"],
            }
            for name, made in sorted(image.renditions.items(), key=_smallness)
            for file in sorted([made["file"], *made.get("others", [])], key=_preference)
        ]
        return data

    def _absolute(self, url: str) -> str:
        return f"{self.origin}{url}" if url.startswith("/") else url


def _smallness(item: tuple[str, dict[str, Any]]) -> int:
    return -int(item[1]["width"] * item[1]["height"])


def _preference(file: str) -> int:
    extension = file.rpartition(".")[2]
    return BEST_FIRST.index(extension) if extension in BEST_FIRST else len(BEST_FIRST)


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
