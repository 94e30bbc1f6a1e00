"""The admin's home page in a browser, wide and narrow: each figure leads to its list."""

from playwright.sync_api import expect

from tests.browser.shop import Shop
from tests.browser.test_order_pages import in_each_width
from tests.browser.visitor import Visitor


def test_the_home_page_shows_what_waits_and_what_was_sold(staff: Visitor, shop: Shop) -> None:
    mug = shop.product(name="Steel thermos", price="25.00", quantity=6)
    number = shop.order("hedwig", (mug["id"], 2))
    page = staff.open("/admin/")
    expect(page.get_by_text("Steel thermos").first).to_be_visible()
    in_each_width(staff, "home")
    page.get_by_role("link", name="Orders to send").click()
    expect(page.locator("#result_list")).to_contain_text(number)
    page = staff.open("/admin/")
    page.get_by_role("link", name="All products that run out").click()
    expect(page.locator("#result_list")).to_contain_text("Steel thermos")
