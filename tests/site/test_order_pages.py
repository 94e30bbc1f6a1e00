"""The pages of an order in the admin: its own, fulfil, cancel, packing slip, and the preview of its mails."""

import html
import re
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from orders.models import Order
from outbox.models import Mail
from productbackend import fixed_settings
from products.models import Product
from tests import factories
from tests.orders.placed import CARLA, place, place_with_everything
from tests.queries import queries
from tests.site.pages import url

pytestmark = pytest.mark.django_db

PAGES = ["fulfil", "cancel", "slip"]


@pytest.fixture
def order(db: Any) -> Order:
    factories.user("carla")
    return Order.objects.get(number=place_with_everything("carla", (factories.product("Red <shoe>", sku="RED-1"), 2)))


def page(client: Client, name: str, *arguments: Any, **query: str) -> str:
    response = client.get(url("orders.order", name, *arguments), query)
    assert response.status_code == 200
    return response.content.decode()


def words(page: str) -> str:
    """The text of a page, with single spaces."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


def staff_with(permission: str) -> Client:
    user = factories.user(permission, is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename=permission))
    client = Client()
    client.force_login(user)
    return client


def test_the_page_has_all_that_is_needed_to_pack_and_send(admin_client: Client, order: Order) -> None:
    text = words(page(admin_client, "change", order.pk))
    for part in (
        order.number, "carla@example.com", "+49 30 901820", "Ring <twice>.",
        "Carla <Coe> Hauptstraße 1 10115 Berlin Germany +49 30 1", "Coe GmbH Rechnungsweg 2",
        "Parcel & more (parcel)", "RED-1", "Red <shoe>", "39.80 EUR", "4.90 EUR", "44.70 EUR", "6.35", "Paid",
        "19 % of 37.57 EUR: 7.13 EUR, included",
    ):  # fmt: skip
        assert part in text, part


def test_the_page_of_an_order_from_before_addresses_and_tax(admin_client: Client) -> None:
    order = Order.objects.create(number="N1", cart_id=1, total=1, currency="EUR")
    text = words(page(admin_client, "change", order.pk))
    assert "Shipping address: –" in text
    assert "Tracking: –" in text
    assert order.number in page(admin_client, "slip", order.pk)


def test_an_order_is_fulfilled_with_its_tracking(admin_client: Client, order: Order) -> None:
    assert url("orders.order", "fulfil", order.pk) in page(admin_client, "change", order.pk)
    form = page(admin_client, "fulfil", order.pk)
    assert "The customer gets a mail." in form
    tracking = {
        "tracking_carrier": "Post & Sons",
        "tracking_number": "JD0140600",
        "tracking_url": "https://post.example.com/?a=1&b=2",
    }
    assert all(f'name="{name}"' in form for name in tracking)
    path = url("orders.order", "fulfil", order.pk)
    refused = admin_client.post(path, {**tracking, "tracking_url": "javascript:alert(1)"})
    assert "Enter a URL that begins with https:// or http://" in refused.content.decode()
    assert Order.objects.get().status == "paid"
    answer = admin_client.post(path, tracking, follow=True).content.decode()
    assert f"Order {order.number} is fulfilled." in answer
    for part in ("Post &amp; Sons", "JD0140600", 'href="https://post.example.com/?a=1&amp;b=2"'):
        assert part in answer
    order.refresh_from_db()
    assert {name: getattr(order, name) for name in tracking} == tracking
    assert list(order.changes.values_list("status", "user__username"))[1:] == [("fulfilled", "stella")]
    assert Mail.objects.filter(kind="order-sent").count() == 1
    assert url("orders.order", "fulfil", order.pk) not in answer
    again = admin_client.post(path, {"tracking_carrier": "Other"}, follow=True).content.decode()
    assert "The order is fulfilled and cannot be fulfilled." in again
    order.refresh_from_db()
    assert order.tracking_carrier == "Post & Sons"


def test_an_order_is_cancelled_after_a_confirmation(admin_client: Client, order: Order) -> None:
    assert Product.objects.get().quantity == 8
    assert "The order will be cancelled, and its products restocked." in words(page(admin_client, "cancel", order.pk))
    assert Order.objects.get().status == "paid"
    answer = admin_client.post(url("orders.order", "cancel", order.pk), follow=True).content.decode()
    assert f"Order {order.number} is cancelled." in answer
    assert Product.objects.get().quantity == 10
    assert Mail.objects.filter(kind="order-cancelled").count() == 1


def test_the_pages_need_permissions(order: Order) -> None:
    viewer, other = staff_with("view_order"), staff_with("view_product")
    paths = {name: url("orders.order", name, order.pk) for name in PAGES} | {"mails": url("orders.order", "mails")}
    for name, path in paths.items():
        assert Client().get(path).status_code == 302
        assert other.get(path).status_code == 403, name
        assert viewer.get(path).status_code == (200 if name == "slip" else 403), name
    for name in ("fulfil", "cancel"):
        assert viewer.post(paths[name]).status_code == 403
        assert paths[name] not in page(viewer, "change", order.pk)
    assert Order.objects.get().status == "paid"


def test_pages_of_unknown_orders_are_a_404(admin_client: Client) -> None:
    for pk in (1, 10**30):
        for name in PAGES:
            assert admin_client.get(url("orders.order", name, pk)).status_code == 404


def test_the_slip_has_what_the_packer_needs_and_no_prices(admin_client: Client, order: Order, settings: Any) -> None:
    settings.SHOP_NAME = "Shoes & more"
    settings.SHOP_TIME_ZONE = "Asia/Tokyo"
    Order.objects.update(created_at=datetime(2026, 2, 28, 20, tzinfo=UTC))
    slip = page(admin_client, "slip", order.pk)
    text = words(slip)
    for part in (
        "Shoes & more", order.number, "1 March 2026", "Carla <Coe> Hauptstraße 1 10115 Berlin Germany +49 30 1", "Coe",
        "2 RED-1 Red <shoe>", "Ring <twice>.", "Parcel & more",
    ):  # fmt: skip
        assert part in text, part
    assert "EUR" not in text
    assert "19.90" not in text
    assert "Log out" not in text
    assert re.findall(r'href="([^"]*)"', slip) == ["/static/orders/slip.css"]
    assert not re.search(r"<script|<style|\sstyle=", slip)


def test_pieces_that_are_back_in_stock_are_not_packed(admin_client: Client) -> None:
    factories.user("carla")
    products = [(factories.product(name, sku=name), pieces) for name, pieces in (("BOOT", 3), ("SHOE", 1))]
    order = Order.objects.get(number=place("carla", *products))
    order.lines.filter(sku="BOOT").update(restocked=1)
    order.lines.filter(sku="SHOE").update(restocked=1)
    Order.objects.update(refunded=Decimal("39.80"))
    text = words(page(admin_client, "slip", order.pk))
    assert "2 BOOT" in text
    assert "SHOE" not in text
    assert "39.80 EUR of it are refunded." in words(page(admin_client, "fulfil", order.pk))
    Order.objects.update(status="fulfilled")  # what came back after it was sent had been packed
    text = words(page(admin_client, "slip", order.pk))
    assert "3 BOOT" in text
    assert "1 SHOE" in text


def test_names_of_any_kind_are_on_the_slip(admin_client: Client) -> None:
    names = ["W" * 200, "حذاء أحمر", "👟👩‍👩‍👧"]
    factories.user("carla")
    products = [factories.product(name, sku=f"S{number}") for number, name in enumerate(names)]
    number = place("carla", *((product, 1) for product in products), shipping_address=replace(CARLA, name="محمد"))
    slip = page(admin_client, "slip", Order.objects.get(number=number).pk)
    for name in names:
        assert f'<td dir="auto">{name}</td>' in slip
    assert '<span dir="auto">محمد</span>' in slip


def test_the_list_shows_recipients_and_finds_them(admin_client: Client, order: Order) -> None:
    other = place("carla", (factories.product("Hat"), 1), shipping_address=replace(CARLA, name="Zoe"))
    everything = page(admin_client, "changelist")
    assert {"Carla &lt;Coe&gt;", "Zoe"} <= set(re.findall(r'class="field-recipient">([^<]*)<', everything))
    for text, found in (("carla <c", order.number), ("ZOE", other), (other, other)):
        listed = re.findall(r"[2-9A-Z]{4}-[2-9A-Z]{4}-[2-9A-Z]{4}(?=</a>)", page(admin_client, "changelist", q=text))
        assert listed == [found], text
    assert "2 orders" in words(page(admin_client, "changelist", q="carla@EXAMPLE"))


def test_the_list_takes_as_many_queries_for_a_search_of_ten_as_of_two(admin_client: Client) -> None:
    factories.user("carla")
    product = factories.product(quantity=100)
    counts = []
    for orders in (2, 8):
        for _ in range(orders):
            place("carla", (product, 1), shipping_address=CARLA)
        counts.append(queries(admin_client, url("orders.order", "changelist") + "?q=carla"))
    assert counts[0] == counts[1]


KINDS = {"order-confirmation": "Thank you", "order-sent": "is on its way", "order-cancelled": "is cancelled"}


def frame(page: str) -> str:
    """The document in the preview's frame."""
    (source,) = re.findall(r"<iframe[^>]* sandbox srcdoc=\"([^\"]*)\"", page)
    return html.unescape(source)


@pytest.mark.parametrize("kind", KINDS)
def test_a_preview_shows_a_mail_for_a_sample_or_an_order(admin_client: Client, order: Order, kind: str) -> None:
    sample = page(admin_client, "mails", kind=kind)
    assert KINDS[kind] in frame(sample)
    assert "Walking boot" in frame(sample)
    assert "Walking boot" in words(sample.partition("Plain text")[2])
    own = page(admin_client, "mails", kind=kind, number=f" {order.number.lower()} ")
    assert "Carla &lt;Coe&gt;" in frame(own)
    assert "Carla <Coe>" in words(own.partition("Plain text")[2])
    assert Mail.objects.count() == 1  # nothing is sent


def test_a_preview_of_an_unknown_order_or_kind_is_a_form_error(admin_client: Client) -> None:
    assert "There is no such order." in page(admin_client, "mails", kind="order-sent", number="N1")
    assert "is not one of the available choices" in page(admin_client, "mails", kind="welcome")
    assert "<iframe" in page(admin_client, "mails")


def test_a_preview_allows_the_styles_of_its_mail_and_no_others(admin_client: Client) -> None:
    response = admin_client.get(url("orders.order", "mails"), {"kind": "order-sent"})
    policy = response["Content-Security-Policy"]
    assert re.search(r"style-src 'self' 'sha256-[^']{44}';? ?$|style-src 'self' 'sha256-[^']{44}';", policy), policy
    assert "default-src 'self'; " in policy
    assert "unsafe" not in policy
    assert "style=" not in frame(response.content.decode())


def test_a_preview_shows_the_error_of_a_broken_template(admin_client: Client, settings: Any, tmp_path: Path) -> None:
    (tmp_path / "orders" / "mails").mkdir(parents=True)
    settings.TEMPLATES = fixed_settings.templates(mails=[tmp_path])
    template = tmp_path / "orders" / "mails" / "sent.html"
    for broken, error in (("{% if order %}", "TemplateSyntaxError"), ("{{ shop|money:'EUR' }}", "ValueError")):
        template.write_text(broken)
        shown = page(admin_client, "mails", kind="order-sent")
        assert "The mail cannot be rendered." in shown
        assert error in shown
        assert "<iframe" not in shown
    template.write_text("<p style='color: red'>Mine: {{ order.number }}</p>")
    assert frame(page(admin_client, "mails", kind="order-sent")) == "<p style='color: red'>Mine: SMT2-3GPF-YXX7</p>"
