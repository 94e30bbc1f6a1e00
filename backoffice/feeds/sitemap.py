"""The sitemap: https://www.sitemaps.org/protocol.html."""

from collections.abc import Iterable
from datetime import UTC, datetime

from backoffice.feeds.addresses import part_url
from backoffice.feeds.markup import DECLARATION, escaped
from backoffice.feeds.rows import Row

NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
URL_MAX = 2_047  # characters, by the protocol
HEAD = f'{DECLARATION}<urlset xmlns="{NAMESPACE}">\n'
TAIL = "</urlset>\n"


def entry(row: Row) -> str:
    """The entry of a product; empty if its address is longer than the protocol allows."""
    if len(row.link) > URL_MAX:
        return ""
    return f"<url><loc>{escaped(row.link)}</loc><lastmod>{time_text(row.changed_at)}</lastmod></url>\n"


def index(changes: Iterable[datetime]) -> str:
    """The index, with a part for each of these times: when one of its products last changed."""
    parts = "".join(
        f"<sitemap><loc>{escaped(part_url(number))}</loc><lastmod>{time_text(changed)}</lastmod></sitemap>\n"
        for number, changed in enumerate(changes, start=1)
    )
    return f'{DECLARATION}<sitemapindex xmlns="{NAMESPACE}">\n{parts}</sitemapindex>\n'


def time_text(time: datetime) -> str:
    """A time as the protocol has it, W3C's format, in UTC."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
