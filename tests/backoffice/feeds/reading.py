"""Products for the sitemap and the feed, and what these say of them."""

from typing import Any
from xml.etree import ElementTree

from backoffice.feeds import sitemap
from products.models import Product, ProductImage
from tests.backoffice.files import body_of

URL = "https://shop.example/p/{slug}"
MAP = f"{{{sitemap.NAMESPACE}}}"
GOOGLE = "{http://base.google.com/ns/1.0}"


def picture(product: Product, *, file: str = "products/ab/abc-large.jpg", **columns: Any) -> ProductImage:
    """A row of a picture that is ready. It has no file."""
    number = ProductImage.objects.count()
    renditions = {"large": {"file": file, "width": 1, "height": 1, "others": []}}
    columns = {"status": "ready", "width": 1, "height": 1, "sha256": f"{number}", "renditions": renditions} | columns
    return ProductImage.objects.create(product=product, original=f"products/ab/{number}.jpg", **columns)


def parse(body: bytes) -> Any:
    return ElementTree.fromstring(body)  # noqa: S314 - ours


def locations(body: bytes) -> list[str]:
    """The addresses in a sitemap or its index."""
    return [element.text or "" for element in parse(body).iter(f"{MAP}loc")]


def pages(client: Any) -> list[list[str]]:
    """The addresses in each part of the sitemap that is served."""
    index = locations(content(client.get("/sitemap.xml")))
    return [locations(body_of(client.get(f"/{url.rpartition('/')[2]}"))) for url in index]


def content(response: Any) -> bytes:
    assert response.status_code == 200, response.content
    body: bytes = response.content
    return body


def items(client: Any) -> list[dict[str, str]]:
    """The attributes of each item of the feed that is served."""
    root = parse(body_of(client.get("/feeds/google.xml")))
    assert (root.tag, root.attrib) == ("rss", {"version": "2.0"})
    return [{each.tag.removeprefix(GOOGLE): each.text or "" for each in item} for item in root.iter("item")]
