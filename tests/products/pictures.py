"""Draws, encodes and uploads pictures for tests."""

import io
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image, ImageDraw
from rest_framework.test import APIClient

from products.images import lifecycle
from products.models import Product, ProductImage


def photograph(width: int, height: int) -> Image.Image:
    """A picture with gradients, edges and text, like a photograph."""
    across = Image.linear_gradient("L").rotate(90).resize((width, height))
    down = Image.linear_gradient("L").resize((width, height))
    image = Image.merge("RGB", (across, down, Image.blend(across, down, 0.5)))
    draw = ImageDraw.Draw(image)
    draw.ellipse((width // 4, height // 4, width // 2, height // 2), fill=(200, 30, 30))
    draw.rectangle((width // 2, height // 2, width * 3 // 4, height * 3 // 4), outline=(0, 0, 0), width=9)
    draw.text((width // 10, height // 10), "Product", fill=(255, 255, 255), font_size=max(10, height // 8))
    return image


def encode(image: Image.Image, format: str = "JPEG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def jpeg(width: int = 800, height: int = 600, **options: Any) -> bytes:
    return encode(photograph(width, height), **options)


def upload(data: bytes, name: str = "photo.jpg", content_type: str = "image/jpeg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, content_type)


def decode(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def files() -> list[str]:
    """The names of all files in the file store."""
    root = Path(settings.MEDIA_ROOT)
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def post(client: APIClient, product: Product, data: bytes | None = None, **fields: Any) -> Any:
    """Upload a picture over HTTP."""
    file = upload(jpeg() if data is None else data)
    return client.post(f"/products/{product.pk}/images/", {"image": file, **fields}, format="multipart")


def add(product: Product, width: int = 60, **fields: Any) -> ProductImage:
    """A ready image with `fields`; each width is a different file."""
    image, _ = lifecycle.add(product_id=product.pk, file=upload(jpeg(width, 40)))
    lifecycle.process(image.pk)
    ProductImage.objects.filter(pk=image.pk).update(**fields)
    image.refresh_from_db()
    return image


def fetch(client: APIClient, url: str, **headers: Any) -> Any:
    """GET a URL from a response."""
    return client.get(url.removeprefix("http://testserver"), headers=headers)


def path(image: ProductImage, suffix: str = "") -> str:
    return f"/products/{image.product_id}/images/{image.pk}/{suffix}"
