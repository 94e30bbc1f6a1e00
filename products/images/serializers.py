"""The representation of an image, and of requests that create or change one."""

from collections.abc import Iterable
from typing import Any

from django.core.files.storage import default_storage
from django.db.models import F, Prefetch
from django.db.models.lookups import In
from django.urls import reverse
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request

from productbackend.api.fields import CharField, HelpText, StrictIntegerField, help_texts
from productbackend.api.permissions import is_staff_with
from productbackend.database.statements import Select, slots
from productbackend.storages.media import TYPES
from products.models import ProductImage

PREFERRED_FORMATS = ("avif", "webp")  # a browser takes the first that it supports; other formats follow
POSITION_MAX = 1_000_000_000  # far below the column's maximum, for images that are appended

ALT_TEXT = HelpText("A text alternative to the picture.", "A brown boot from the side")
POSITION = HelpText("The sort order, ascending; then by id.", 0)
MEDIA = "https://shop.example/media/products/ab/abc"  # of the examples


class ImageErrorSerializer(serializers.Serializer):
    code = serializers.CharField(read_only=True, help_text=HelpText("The error code.", "truncated"))
    detail = serializers.CharField(
        read_only=True, help_text=HelpText("The error as a sentence.", "The file is cut off.")
    )


class ImageSourceSerializer(serializers.Serializer):
    """One file of a rendition."""

    rendition = serializers.CharField(help_text=HelpText("Such as full, thumb or large.", "full"))
    type = serializers.CharField(help_text=HelpText("The media type.", "image/webp"))
    url = serializers.URLField(help_text=HelpText("The file; it may be cached for ever.", f"{MEDIA}-full.webp"))
    width = serializers.IntegerField(help_text=HelpText("In pixels.", 500))
    height = serializers.IntegerField(help_text=HelpText("In pixels.", 375))


class ImageSerializer(serializers.ModelSerializer):
    """An image in responses. `original` is for staff only, and omitted for others."""

    omits = {"original"}
    error = ImageErrorSerializer(allow_null=True, read_only=True, help_text="Why it failed, or null.")
    original = serializers.URLField(
        read_only=True,
        help_text=HelpText(
            "The URL of the uploaded file, for staff only; omitted for others.",
            "https://shop.example/products/7/images/11/original/",
        ),
    )
    full = serializers.URLField(
        allow_null=True,
        read_only=True,
        help_text=HelpText(
            "The rendition for a page of one product, 500×500 by default; null until the image is ready.",
            f"{MEDIA}-full.jpg",
        ),
    )
    thumb = serializers.URLField(
        allow_null=True,
        read_only=True,
        help_text=HelpText("The small rendition; null until the image is ready.", f"{MEDIA}-thumb.jpg"),
    )
    large = serializers.URLField(
        allow_null=True,
        read_only=True,
        help_text=HelpText(
            "The rendition for zooming, 1200×1200 by default, never enlarged; null until the image is ready, for "
            "images from before an upgrade until the shop has rebuilt them, and if the shop has no such rendition.",
            f"{MEDIA}-large.jpg",
        ),
    )
    sources = ImageSourceSerializer(
        many=True,
        read_only=True,
        help_text="Each rendition in each of its formats, in the order that <picture> needs; empty until ready.",
    )

    class Meta:
        model = ProductImage
        fields = [
            "id", "product", "alt_text", "position", "status", "error", "width", "height", "original", "full", "thumb",
            "large", "sources",
        ]  # fmt: skip
        read_only_fields = fields
        extra_kwargs = help_texts(
            id=HelpText("The image's id.", 11),
            product=HelpText("The product's id.", 7),
            alt_text=ALT_TEXT,
            position=POSITION,
            status="pending until the renditions are created, then ready; or failed.",
            width=HelpText("The width of the original after rotation, in pixels.", 4000),
            height=HelpText("The height of the original after rotation, in pixels.", 3000),
        )

    def to_representation(self, instance: ProductImage) -> dict[str, Any]:
        return ImageWriter(self.context.get("request")).write(instance)


class ImageWriter:
    """Renders images for one request. What depends on the request alone is computed once, not per image."""

    def __init__(self, request: Request | None) -> None:
        self.origin = request.build_absolute_uri("/").removesuffix("/") if request else ""
        self.media = self._absolute(default_storage.url(""))  # generated names need no escaping
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
        for name in ("full", "thumb", "large"):
            rendition = image.renditions.get(name)
            data[name] = f"{self.media}{rendition['file']}" if rendition else None
        data["sources"] = [
            {
                "rendition": name,
                "type": TYPES[file.rpartition(".")[2]],
                "url": f"{self.media}{file}",
                "width": rendition["width"],
                "height": rendition["height"],
            }
            for name, rendition in sorted(image.renditions.items(), key=_by_descending_area)
            for file in sorted([rendition["file"], *rendition.get("others", [])], key=_preference)
        ]
        return data

    def _absolute(self, url: str) -> str:
        return f"{self.origin}{url}" if url.startswith("/") else url


READY = ProductImage.objects.filter(status=ProductImage.Status.READY).order_by("position", "pk")
READY_IMAGES = Select(lambda count: READY.filter(In(F("product_id"), slots(count))))


def ready_images(path: str) -> Prefetch:
    """A prefetch of the `images` of products at `path`: the ready ones in order, as `product.ready_images`."""
    return Prefetch(path, READY, to_attr="ready_images")


def read_ready_images(products: Iterable[Any]) -> None:
    """Set `ready_images` of the products that lack it, by one statement that is compiled once."""
    found: dict[int, list[ProductImage]] = {}
    lacking = [product for product in products if not hasattr(product, "ready_images")]
    for product in lacking:
        product.ready_images = found.setdefault(product.pk, [])
    for image in READY_IMAGES.of_list(list(found)):
        found[image.product_id].append(image)


def _by_descending_area(item: tuple[str, dict[str, Any]]) -> int:
    return -int(item[1]["width"] * item[1]["height"])


def _preference(file: str) -> int:
    extension = file.rpartition(".")[2]
    return PREFERRED_FORMATS.index(extension) if extension in PREFERRED_FORMATS else len(PREFERRED_FORMATS)


class ImageUploadSerializer(serializers.Serializer):
    # The domain rejects an empty file with its own error.
    image = serializers.FileField(allow_empty_file=True, help_text="JPEG, PNG, WebP, GIF or AVIF, detected by content.")
    alt_text = CharField(max_length=200, required=False, allow_blank=True, default="", help_text=ALT_TEXT)


@extend_schema_serializer(component_name="ImageChange")
class ImageChangeSerializer(serializers.Serializer):
    alt_text = CharField(max_length=200, required=False, allow_blank=True, help_text=ALT_TEXT)
    position = StrictIntegerField(min_value=0, max_value=POSITION_MAX, required=False, help_text=POSITION)


class ImageOrderSerializer(serializers.Serializer):
    images = serializers.ListField(
        child=StrictIntegerField(min_value=0, max_value=2**63 - 1),
        help_text="The ids of all of the product's images, in the wanted order.",
    )
