"""The panels of the home page: sales with best sellers, and what runs out."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from backoffice.dashboard import reading, rollups, sales
from backoffice.dashboard.charts import Bar, draw
from backoffice.permissions import may_export
from orders.models import SOLD, Order
from productbackend.site import home
from productbackend.site.days import Days, today
from productbackend.text.formats import money
from products.inventory import low_stock
from products.models import Product

LISTED = 10  # products that run out
DAY = "%-d %b"


@dataclass(frozen=True)
class Tile:
    """A figure with the list behind it."""

    label: str
    text: str
    url: str


@dataclass(frozen=True)
class Chart:
    """One figure, day by day."""

    label: str
    most: str
    svg: SafeString


def sales_panel(request: HttpRequest) -> dict[str, Any] | None:
    """Sales of today and of the last 30 days. Those who only export orders see what their files say."""
    sees_orders = home.may_view(request, Order)
    if not sees_orders and not may_export(request.user, Order):
        return None
    url = orders_url if sees_orders else file_url
    days, found = rollups.window(), reading.read(rollups.window())
    names = ["orders", "revenue", "pieces"] if sees_orders else ["orders", "revenue"]
    urls = {day: url(Days(day, day)) for day in days}
    return {
        "definition": sales.DEFINITION,
        "is_empty": not found.total.orders,
        "may_add_product": not Product.objects.exists() and request.user.has_perm("products.add_product"),
        "groups": [
            ("Today", _tiles(found.days[days.last], names, urls[days.last])),
            (f"Last {rollups.WINDOW} days", _tiles(found.total, names, url(days))),
        ],
        "charts": [_chart(name, found, urls) for name in names],
        "first": f"{days.first:{DAY}}",
        "names": [name.capitalize() for name in names],
        "rows": [
            (f"{day:%a} {day:{DAY}}", [text for _, text in _texts(figures, names)], urls[day])
            for day, figures in reversed(found.days.items())
        ],
        "best": _best(found, days) if sees_orders else [],
        "stale": len(found.stale),
        "stale_since": found.stale_since,
        "sees_orders": sees_orders,
    }


def running_out(request: HttpRequest) -> dict[str, Any] | None:
    """The products that run out with the fewest pieces."""
    if not home.may_view(request, Product):
        return None
    rows = [(row, reverse("admin:products_product_change", args=[row.pk])) for row in low_stock.fewest(LISTED)]
    return {"rows": rows, "url": home.list_url(Product, stock="low"), "default": settings.LOW_STOCK}


def orders_url(days: Days, **more: str) -> str:
    """The list of the orders that are sales of these days."""
    return home.list_url(Order, sold="yes", day=str(days), **more)


def file_url(days: Days) -> str:
    """The file of these orders, for those who do not see the list."""
    query = {"status": [*SOLD], "created_after": days.start.isoformat(), "created_before": days.end.isoformat()}
    return f"{reverse('export-orders')}?{urlencode(query, doseq=True)}"


def _texts(figures: sales.Figures, names: list[str]) -> list[tuple[str, str]]:
    texts = {
        "orders": f"{figures.orders:,}",
        "revenue": money(figures.revenue, settings.CURRENCY),
        "pieces": f"{figures.pieces:,}",
    }
    return [(name, texts[name]) for name in names]


def _tiles(figures: sales.Figures, names: list[str], url: str) -> list[Tile]:
    return [Tile(name, text, url) for name, text in _texts(figures, names)]


def _chart(name: str, found: reading.Sales, urls: dict[date, str]) -> Chart:
    texts = {day: dict(_texts(figures, [name]))[name] for day, figures in found.days.items()}
    now = today()
    bars = [
        Bar(getattr(figures, name), f"{day:{DAY}}: {texts[day]}", urls[day], "bar today" if day == now else "bar")
        for day, figures in found.days.items()
    ]
    most: date = max(found.days, key=lambda day: getattr(found.days[day], name))
    return Chart(name.capitalize(), f"most {texts[most]} on {most:{DAY}}", draw(bars))


def _best(found: reading.Sales, days: Days) -> list[tuple[str, str, str]]:
    sellers = reading.best_sellers(found)
    products = Product.objects.in_bulk([pk for pk, _ in sellers])
    rows = [
        (products[pk].name, f"{pieces:,}", orders_url(days, product=str(pk)))
        for pk, pieces in sellers
        if pk in products and pieces > 0
    ]
    return rows[: reading.BEST]
