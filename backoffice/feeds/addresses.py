"""The addresses of products and of their pictures, as others see them."""

import hashlib
from urllib.parse import quote

from django.conf import settings
from django.core.files.storage import default_storage


def is_on() -> bool:
    """Whether the shop has said where its products are seen."""
    return settings.SHOP_PRODUCT_URL is not None


def basis() -> str:
    """A digest of the settings that the files depend on: with other ones they are to be written again."""
    given = (settings.SHOP_PRODUCT_URL, settings.SITE_URL, settings.MEDIA_URL, settings.CURRENCY, settings.SHOP_NAME)
    return hashlib.sha256("\n".join(map(str, given)).encode()).hexdigest()


def product_url(slug: str) -> str:
    """The address of a product's page in the shop's front end: ASCII, whatever the script of the slug."""
    pattern: str = settings.SHOP_PRODUCT_URL
    return pattern.replace("{slug}", quote(slug, safe=""))


def image_url(file: str) -> str:
    """The absolute URL of a rendition, at the service or at MEDIA_URL's host."""
    url: str = default_storage.url(file)
    return f"{settings.SITE_URL}{url}" if url.startswith("/") else url


def part_url(number: int) -> str:
    """The URL of a part of the sitemap."""
    return f"{settings.SITE_URL}/sitemap-{number}.xml"
