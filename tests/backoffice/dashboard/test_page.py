"""The home page: every figure equals the list behind it, and is shown to those who may see it."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.test import Client

from backoffice import admin
from backoffice.tasks import roll_sales
from orders import lifecycle
from orders.models import Order
from outbox.models import Mail
from payments.models import Payment, Refund
from products.models import Product, ProductImage
from tests import factories
from tests.backoffice.dashboard.selling import listed, local, note, sell, tiles
from tests.backoffice.files import body_of, csv_rows
from tests.backoffice.people import member

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_berlin")]

HOME = "/admin/"
NOW = local("2026-10-27 12:00")  # two days after a day of 25 hours
DAY = timedelta(days=1)


def home(client: Client) -> str:
    response = client.get(HOME)
    assert response.status_code == 200
    return response.content.decode()


@pytest.fixture
def shop(keeper: Client) -> dict[str, Product]:
    """Orders of several days and statuses, and something of everything that waits."""
    lamp, chair = factories.product("Lamp", quantity=100), factories.product("Chair", quantity=100, low_stock=50)
    for moment, line, columns in (
        (NOW, (lamp, 1), {}),
        (NOW, (chair, 2), {"status": "fulfilled"}),
        (NOW, (lamp, 9), {"status": "pending"}),
        (NOW - 2 * DAY, (lamp, 3), {"status": "fulfilled", "refunded": "10.00"}),
        (local("2026-10-25 23:30"), (lamp, 1), {}),
        (NOW - 29 * DAY, (chair, 1), {}),
        (NOW - 30 * DAY, (chair, 40), {}),
        (NOW - 5 * DAY, (chair, 8), {"status": "cancelled"}),
    ):
        sell(moment, line, **columns)
    order = Order.objects.filter(status="paid").latest("created_at")
    for moment, status in ((NOW, "failed"), (NOW - 40 * DAY, "failed"), (NOW, "pending")):
        with time_machine.travel(moment, tick=False):
            Payment.objects.create(order=order, method="stripe", status=status, amount=1, currency="EUR")
    Refund.objects.create(order=order, payment=Payment.objects.earliest("pk"), amount=1, status="failed")
    Mail.objects.filter(pk__in=[mail.pk for mail in Mail.objects.all()[:3]]).update(status="failed")
    for number in range(2):
        ProductImage.objects.create(product=lamp, status="failed", sha256=f"{number}", width=1, height=1)
    return {"lamp": lamp, "chair": chair}


def rows(client: Client, url: str) -> int:
    """How many rows a list of the admin has."""
    response = client.get(url)
    assert response.status_code == 200, url
    return response.context["cl"].result_count


def test_every_figure_equals_the_list_behind_it(keeper: Client, shop: dict[str, Product]) -> None:
    expected = {
        "Today": ("2", "59.70 EUR", "3"),
        "Last 30 days": ("5", "149.20 EUR", "8"),
    }
    with time_machine.travel(NOW, tick=False):
        for _ in range(2):  # before and after the job has run
            shown = tiles(home(keeper))
            for period, texts in expected.items():
                found = [shown[f"{period}: {name}"] for name in ("orders", "revenue", "pieces")]
                assert tuple(text for text, _ in found) == texts
                [url] = {url for _, url in found}
                assert len(listed(keeper, url)) == int(texts[0])
                assert note(keeper, url).startswith(
                    f"Orders: {texts[0]}. Revenue: {texts[1]}. Pieces: {texts[2]}. Revenue is the total of"
                )
            roll_sales()
        for label, number in {
            "Orders to send": 4,
            "Mails that failed": 3,
            "Products that run out": 1,
            "Products with failed pictures": 1,
            "Payments that failed, last 30 days": 1,
        }.items():
            text, url = shown[label]
            assert (text, rows(keeper, url)) == (str(number), number), label
        text, url = shown["Refunds that failed"]
        assert text == "1"
        assert re.search(r"Refunds that failed\s*\(1\)|Refunds that failed", keeper.get(url).content.decode())


def test_the_chart_has_each_day_with_the_list_behind_it(keeper: Client, shop: dict[str, Product]) -> None:
    with time_machine.travel(NOW, tick=False):
        page = home(keeper)
        for name, text in {"orders": "2", "revenue": "69.60 EUR", "pieces": "4"}.items():
            assert f"<title>25 Oct: {text}</title>" in page, name
        assert page.count("<title>") == 1 + 3 * 30  # the page's own
        row = re.search(r'<th scope="row"><a href="([^"]*)">Sun 25 Oct</a></th>(.*?)</tr>', page)
        assert row
        assert re.findall("<td>(.*?)</td>", row[2]) == ["2", "69.60 EUR", "4"]
        assert len(listed(keeper, row[1].replace("&amp;", "&"))) == 2


def test_best_sellers_lead_to_their_orders(keeper: Client, shop: dict[str, Product]) -> None:
    with time_machine.travel(NOW, tick=False):
        best = re.findall(r'dir="auto">(\w+)</th><td><a href="([^"]*)">(\d+)</a>', home(keeper))
        assert [(name, pieces) for name, _, pieces in best] == [("Lamp", "5"), ("Chair", "3")]
        for _, url, pieces in best:
            assert f"Pieces of the product: {pieces}." in note(keeper, url.replace("&amp;", "&"))


def test_a_cancelled_order_is_gone_immediately(keeper: Client, shop: dict[str, Product]) -> None:
    with time_machine.travel(NOW, tick=False):
        roll_sales()
    with time_machine.travel(NOW + timedelta(hours=1), tick=False):
        order = Order.objects.get(created_at=NOW - 29 * DAY)
        lifecycle.cancel(order_id=order.pk, user=None)
        assert tiles(home(keeper))["Last 30 days: orders"][0] == "4"


ALL = {"Orders to send", "Mails that failed", "Payments that failed, last 30 days", "Refunds that failed"}
CATALOGUE = {"Products that run out", "Products with failed pictures"}
SALES = {f"{period}: {name}" for period in ("Today", "Last 30 days") for name in ("orders", "revenue", "pieces")}


def test_each_sees_what_they_may_see(client: Client, shop: dict[str, Product], subtests: pytest.Subtests) -> None:
    for permissions, expected in {
        ("orders.view_order",): {"Orders to send"} | SALES,
        ("orders.change_order",): {"Orders to send"} | SALES,
        ("products.change_product",): CATALOGUE,
        ("outbox.view_mail",): {"Mails that failed"},
        ("payments.view_payment",): {"Payments that failed, last 30 days"},
        ("payments.view_refund",): {"Refunds that failed"},
        ("django_celery_beat.view_periodictask",): {"Jobs that are late"},
        ("carts.view_cart",): set(),
    }.items():
        with subtests.test(permissions[0]), time_machine.travel(NOW, tick=False):
            client.force_login(member(*permissions, name=permissions[0]))
            page = home(client)
            assert set(tiles(page)) == expected
            assert ("Best sellers" in page) == ("orders" in permissions[0])
            assert ("Runs out" in page) == ("products" in permissions[0])


def test_accountants_see_revenue_and_get_its_orders_as_a_file(client: Client, shop: dict[str, Product]) -> None:
    accountant = factories.user("ada", is_staff=True)
    accountant.groups.add(Group.objects.get(name="Accountants"))
    client.force_login(accountant)
    with time_machine.travel(NOW, tick=False):
        page = home(client)
        shown = tiles(page)
        assert set(shown) == {name for name in SALES if "pieces" not in name}
        assert "have permission to view or edit anything" not in page
        assert "Best sellers" not in page
        for label, (text, url) in shown.items():
            lines = csv_rows(body_of(client.get(url)))
            revenue = sum(float(line["total"]) - float(line["refunded"]) for line in lines)
            assert text == (f"{len(lines)}" if "orders" in label else f"{revenue:.2f} EUR")


def test_a_new_shop_is_told_where_to_begin(keeper: Client) -> None:
    page = home(keeper)
    assert "No orders were paid in the last 30 days." in page
    assert '<a href="/admin/products/product/add/">Add the first product</a>' in page
    assert "<svg viewBox" not in page
    assert "Best sellers" not in page
    assert "Sales" not in keeper.get("/admin/orders/").content.decode()  # an app's own page


def test_a_list_of_other_days_than_those_of_the_page_is_not_summed(keeper: Client, shop: dict[str, Product]) -> None:
    for query in ("?sold=yes", "?day=2026-10-27", "?sold=yes&day=2026-01-01..2026-10-27"):
        assert "list-note" not in keeper.get(f"/admin/orders/order/{query}").content.decode()
    for query in ("?day=soon", "?day=2026-10-27..2026-10-01", "?day=9999-12-31", "?day=0001-01-01"):
        assert keeper.get(f"/admin/orders/order/{query}").status_code == 302, query


def test_a_list_with_more_orders_than_are_counted_has_the_sums_of_the_page(
    keeper: Client, shop: dict[str, Product], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admin, "COUNT_MAX", 2)
    url = "/admin/orders/order/?sold=yes&day=2026-09-28..2026-10-27"
    with time_machine.travel(NOW, tick=False):
        roll_sales()
        assert note(keeper, url).startswith("Orders: 5. Revenue: 149.20 EUR. Pieces: 8.")
        for other in ("&q=carla", "&status__exact=paid", f"&product={shop['lamp'].pk}"):
            assert "list-note" not in keeper.get(url + other).content.decode()
        longer = url.replace("09-28", "09-27")
        assert "list-note" not in keeper.get(longer).content.decode()
