"""The entries of the sitemap."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from backoffice.feeds import sitemap
from backoffice.feeds.rows import Row
from tests.backoffice.feeds.reading import locations

NOON = datetime(2026, 3, 1, 12, 0, 0, 999_999, tzinfo=UTC)


def row(**columns: Any) -> Row:
    given: dict[str, Any] = {
        "pk": 1, "name": "Lamp", "link": "https://shop.example/p/lamp", "sku": "L-1", "brand": "", "description": "",
        "price": Decimal("12.50"), "in_stock": True, "image": "https://api.example/a.jpg",
        "changed_at": NOON, "family": None, "options": {},
    }  # fmt: skip
    return Row(**given | columns)


def test_an_entry() -> None:
    assert sitemap.entry(row(link="https://shop.example/?a=1&p=lamp")) == (
        "<url><loc>https://shop.example/?a=1&amp;p=lamp</loc><lastmod>2026-03-01T12:00:00Z</lastmod></url>\n"
    )


def test_an_address_that_is_too_long_is_left_out() -> None:
    assert sitemap.entry(row(link="a" * sitemap.URL_MAX))
    assert sitemap.entry(row(link="a" * (sitemap.URL_MAX + 1))) == ""


def test_times_are_in_utc() -> None:
    assert sitemap.time_text(NOON.astimezone(timezone(timedelta(hours=9)))) == "2026-03-01T12:00:00Z"


def test_the_index() -> None:
    body = sitemap.index([NOON, NOON]).encode()
    assert locations(body) == ["https://api.example/sitemap-1.xml", "https://api.example/sitemap-2.xml"]
    assert body.count(b"<lastmod>2026-03-01T12:00:00Z</lastmod>") == 2
    assert locations(sitemap.index([]).encode()) == []
