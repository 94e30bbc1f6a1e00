"""The pages about an order's money in a browser, wide and narrow: a shop that takes bank transfers."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.shop import Shop
from tests.browser.test_order_pages import PLAIN, in_each_width, open_order, order
from tests.browser.visitor import Visitor
from tests.passwords import PASSWORD
from tests.setup.service import Service

INSTRUCTIONS = "IBAN DE02 1203 0000 0000 2020 51"


@pytest.fixture(scope="module")
def paid_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A service of its own that takes bank transfers."""
    rates = dict.fromkeys(("THROTTLE_REGISTER", "THROTTLE_TOKEN", "THROTTLE_CHECKOUT"), "100000/min")
    payments = {"PAYMENT_METHODS": "transfer", "TRANSFER_INSTRUCTIONS": INSTRUCTIONS}
    data = tmp_path_factory.mktemp("money") / "var"
    service = Service(data, has_demo=False, SHOP_NAME="Product Backend", CURRENCY="EUR", **payments, **rates)
    try:
        service.start()
        yield Shop(service)
    finally:
        service.stop()


@pytest.fixture
def desk(paid_shop: Shop, browser: Browser, screenshots: Path) -> Iterator[Visitor]:
    """A window of the superuser on that service."""
    visitor = Visitor(browser, paid_shop.service.url, screenshots)
    page = visitor.open("/admin/")
    page.get_by_label("Username").fill("boss")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("heading", name="Administration").wait_for()
    page.evaluate("localStorage.setItem('django.admin.navSidebarIsOpen', 'false')")
    yield visitor
    visitor.context.close()
    assert visitor.faults == []


def open_pending_order(desk: Visitor, number: str) -> Page:
    page = desk.open(f"/admin/orders/order/?q={number}")
    page.locator("#result_list").get_by_role("link", name=number).click()
    expect(page.get_by_role("link", name="Mark as paid")).to_be_visible()
    return page


def mark(page: Page, total: str) -> None:
    page.get_by_role("link", name="Mark as paid").click()
    page.get_by_label("Amount").fill(total)
    page.get_by_label("Reference").fill("Statement 12, line 4")
    page.get_by_role("button", name="Mark the order as paid").click()
    expect(page.locator(".messagelist .success")).to_contain_text("is paid.")


def test_money_comes_and_a_part_goes_back(desk: Visitor, paid_shop: Shop) -> None:
    number = order(paid_shop, "paula", PLAIN, ["Walking boot with a very long name " + "W" * 150, "Travel mug, blue"])
    page = open_pending_order(desk, number)
    in_each_width(desk, "money-order-pending")
    page.get_by_role("link", name="Mark as paid").click()
    page.get_by_label("Amount").fill("73.99")
    page.get_by_role("button", name="Mark the order as paid").click()
    expect(page.get_by_text("It must be the order's total, 74.00 EUR.")).to_be_visible()
    in_each_width(desk, "money-mark-paid")
    page.get_by_label("Amount").fill("74.00")
    page.get_by_role("button", name="Mark the order as paid").click()
    expect(page.locator(".messagelist .success")).to_contain_text(f"Order {number} is paid.")
    expect(page.get_by_role("link", name="Packing slip")).to_be_visible()

    page.get_by_role("link", name="Refund", exact=True).click()
    page.locator("tr", has_text="Travel mug").get_by_role("checkbox").first.check()
    page.locator("tr", has_text="Travel mug").get_by_role("spinbutton").fill("1")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator(".preview")).to_contain_text("18.50 EUR will be refunded to the customer")
    expect(page.locator(".preview")).to_contain_text("you send the money by bank transfer")
    expect(page.locator(".preview li")).to_contain_text("1 × ")
    in_each_width(desk, "money-refund")
    page.get_by_role("button", name="Refund 18.50 EUR").click()
    expect(page.locator(".messagelist .success")).to_contain_text("A refund of 18.50 EUR is done.")
    expect(page.locator(".field-refunded_amount")).to_contain_text("18.50 EUR")
    in_each_width(desk, "money-order-paid")
    desk.open("/admin/payments/payment/")
    expect(page.locator("#result_list")).to_contain_text(number)
    in_each_width(desk, "money-payments")


def test_money_waits_for_staff_after_the_customer_cancelled(desk: Visitor, paid_shop: Shop) -> None:
    number = order(paid_shop, "walter", PLAIN, ["Lantern"])
    mark(open_pending_order(desk, number), "37.00")
    token = paid_shop.service.token("walter")
    assert paid_shop.service.request("POST", f"/orders/{number}/cancel/", token=token).ok
    page = desk.open("/admin/orders/order/")
    page.get_by_role("link", name="Money that waits for you").click()
    expect(page.get_by_text("To send by bank transfer (1)")).to_be_visible()
    in_each_width(desk, "money-waiting")
    page.get_by_role("button", name="Mark as sent").click()
    expect(page.locator(".messagelist .success")).to_contain_text("The refund of 37.00 EUR is marked as sent.")
    expect(page.get_by_text("To send by bank transfer (0)")).to_be_visible()


def test_the_list_of_orders_is_exported(desk: Visitor, paid_shop: Shop) -> None:
    number = order(paid_shop, "emil", PLAIN, ["Easel"])
    page = desk.open("/admin/orders/order/")
    in_each_width(desk, "order-list")
    with page.expect_download() as download:
        page.get_by_role("link", name="Export CSV").click()
    assert download.value.suggested_filename.startswith("orders-")
    assert number in Path(download.value.path()).read_text(encoding="utf-8-sig")


def test_the_page_of_a_cancellation_says_what_goes_back(desk: Visitor, paid_shop: Shop) -> None:
    number = order(paid_shop, "karla", PLAIN, ["Kite"])
    mark(open_pending_order(desk, number), "37.00")
    page = open_order(desk, number)
    page.get_by_role("link", name="Cancel").click()
    expect(page.get_by_text("you send 37.00 EUR back to the customer by bank transfer")).to_be_visible()
    in_each_width(desk, "money-cancel")
    page.get_by_role("button", name="Cancel the order").click()
    expect(page.locator(".messagelist .success")).to_contain_text("is cancelled.")
