"""The feed for Google Merchant Center: RSS 2.0 with the attributes of https://support.google.com/merchants/answer/7052112."""

import hashlib

from django.conf import settings

from backoffice.feeds.markup import DECLARATION, escaped
from backoffice.feeds.rows import Row
from productbackend.database.fields import fold

NAMESPACE = "http://base.google.com/ns/1.0"
ID_MAX, TITLE_MAX, DESCRIPTION_MAX, BRAND_MAX, LINK_MAX = 50, 150, 5_000, 70, 2_000  # characters
DIGEST = 12  # characters at the end of an id that is shortened
TAIL = "</channel>\n</rss>\n"
# The axes of families that Google has an attribute for.
ATTRIBUTES = {"size": "size", "color": "color", "colour": "color", "material": "material", "pattern": "pattern"}
# Why a product is not in the feed: Google would refuse it.
REASONS = {
    "picture": "without a picture",
    "price": "without a price",
    "link": f"with an address of more than {LINK_MAX:,} characters",
}


def head() -> str:
    """The beginning of the file."""
    shop = escaped(settings.SHOP_NAME)
    return (
        f'{DECLARATION}<rss version="2.0" xmlns:g="{NAMESPACE}">\n<channel>\n<title>{shop}</title>\n'
        f"<link>{escaped(settings.SITE_URL)}</link>\n<description>{shop}</description>\n"
    )


def reason(row: Row) -> str | None:
    """Why a product is left out: one of REASONS; None if it is in the feed."""
    if row.image is None:
        return "picture"
    if row.price <= 0:
        return "price"
    return "link" if len(row.link) > LINK_MAX else None


def item(row: Row) -> str:
    """The item of a product that is in the feed. No product has a GTIN, so `identifier_exists` is no."""
    values = {
        "id": item_id(row.sku),
        "title": row.name[:TITLE_MAX],
        "description": row.description.strip()[:DESCRIPTION_MAX] or row.name,
        "link": row.link,
        "image_link": row.image or "",
        "availability": "in_stock" if row.in_stock else "out_of_stock",
        "price": f"{row.price:.2f} {settings.CURRENCY}",
        "condition": "new",
        "brand": row.brand[:BRAND_MAX],
        "identifier_exists": "no",
        "item_group_id": str(row.family or ""),
    }
    for axis, value in row.options.items():
        if attribute := ATTRIBUTES.get(fold(axis)):
            values[attribute] = value
    parts = [f"<g:{name}>{escaped(value)}</g:{name}>\n" for name, value in values.items() if value]
    return f"<item>\n{''.join(parts)}</item>\n"


def item_id(sku: str) -> str:
    """The SKU; of a longer one than Google takes its beginning and a digest, so that two stay different."""
    if len(sku) <= ID_MAX:
        return sku
    digest = hashlib.sha256(sku.encode()).hexdigest()[:DIGEST]
    return f"{sku[: ID_MAX - DIGEST - 1]}-{digest}"
