"""Which products run out: those on sale with as many pieces as their own threshold, or as LOW_STOCK, or fewer."""

from typing import Any

from django.conf import settings
from django.db.models import Count, F, Max, Q, QuerySet

from products.models import Product

LISTED_MAX = 1_000  # ids that a list's query may name


def running_out(products: QuerySet[Product]) -> QuerySet[Product]:
    """Those of `products` that run out."""
    shops, own = _parts(products)
    ids = [pk for part in (shops, own) for pk in part.order_by().values_list("pk", flat=True)[: LISTED_MAX + 1]]
    # Of few a page is read by their ids; of many it is soon full in the page's own order. The limit, above all
    # thresholds, lets the index on quantities count them: the alternatives alone would read every product.
    if len(ids) <= LISTED_MAX:
        return products.filter(pk__in=ids)
    highest = Product.objects.aggregate(highest=Max("low_stock"))["highest"] or 0
    return products.filter(is_active=True, quantity__lte=max(settings.LOW_STOCK, highest)).filter(_low())


def count(at_most: int) -> int:
    """How many products run out, counted up to `at_most`.

    First as if none had a threshold of its own, which an index counts without reading products; then the difference
    that those with one make.
    """
    active, low = Product.objects.order_by().filter(is_active=True), Q(quantity__lte=settings.LOW_STOCK)
    own = active.filter(low_stock__isnull=False).aggregate(
        low=Count("pk", filter=Q(quantity__lte=F("low_stock"))), shops=Count("pk", filter=low)
    )
    return min(at_most, active.filter(low)[: at_most + own["shops"]].count() - own["shops"] + own["low"])


def fewest(number: int) -> list[Product]:
    """The `number` products that run out with the fewest pieces."""
    rows = [row for part in _parts(Product.objects.all()) for row in part.order_by("quantity", "pk")[:number]]
    return sorted(rows, key=lambda row: (row.quantity, row.pk))[:number]


def _parts(products: QuerySet[Any]) -> tuple[QuerySet[Any], QuerySet[Any]]:
    """Those with the shop's threshold, and those with their own: each part is read from an index of its own."""
    active = products.filter(is_active=True)
    return (
        active.filter(low_stock=None, quantity__lte=settings.LOW_STOCK),
        active.filter(low_stock__isnull=False, quantity__lte=F("low_stock")),
    )


def _low() -> Q:
    shops = Q(low_stock=None, quantity__lte=settings.LOW_STOCK)
    return shops | Q(low_stock__isnull=False, quantity__lte=F("low_stock"))
