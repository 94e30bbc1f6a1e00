"""What the home page says of the sitemap and the feed."""

from typing import Any

from django.http import HttpRequest

from backoffice.feeds import addresses, google
from backoffice.feeds.models import FeedBuild
from productbackend.site import home
from products.models import Product


def panel(request: HttpRequest) -> dict[str, Any] | None:
    """How many products are in the files that are served, and why others are not in the feed."""
    if not addresses.is_on() or not home.may_view(request, Product):
        return None
    build = FeedBuild.published().first()
    if build is None:
        return {"published_at": None}
    counts = {"urls": f"{build.urls:,}", "items": f"{build.items:,}"}
    return {"published_at": build.published_at, "left_out": left_out(build), **counts}


def left_out(build: FeedBuild) -> str:
    """How many products are on sale and not in the feed, by reason."""
    counts = [(build.left_out.get(reason, 0), text) for reason, text in google.REASONS.items()]
    return ", ".join(f"{count:,} {text}" for count, text in counts if count)
