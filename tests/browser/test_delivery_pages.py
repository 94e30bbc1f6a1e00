"""The admin's pages of delivery methods and tax rates in a browser, wide and narrow."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.test_order_pages import in_each_width
from tests.browser.visitor import Visitor


@pytest.fixture
def removes_what_it_adds(staff: Visitor) -> Iterator[None]:
    """Delete every method and rate afterwards: the other tests check out at a shop that has none."""
    yield
    for table in ("delivery/deliverymethod", "taxes/taxrate"):
        page = staff.open(f"/admin/{table}/")
        page.locator("#action-toggle").check()
        page.locator("select[name=action]").select_option("delete_selected")
        page.get_by_role("button", name="Go").click()
        page.get_by_role("button", name="Yes, I’m sure").click()
        expect(page.locator(".messagelist .success")).to_contain_text("Successfully deleted")


@pytest.mark.usefixtures("removes_what_it_adds")
def test_a_method_and_a_rate_are_set_up(staff: Visitor) -> None:
    page = staff.open("/admin/delivery/deliverymethod/add/")
    page.locator("#id_code").fill("parcel")
    page.locator("#id_name").fill("Parcel")
    page.locator("#id_price").fill("4.90")
    page.locator("#id_free_from").fill("50.00")
    in_each_width(staff, "delivery-method")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".messagelist .success")).to_contain_text("Parcel")
    in_each_width(staff, "delivery-methods")
    page = staff.open("/admin/delivery/deliverymethod/prices/")
    expect(page.get_by_text("4.90").first).to_be_visible()
    in_each_width(staff, "delivery-prices")
    page = staff.open("/admin/taxes/taxrate/add/")
    page.locator("#id_country").select_option("DE")
    page.locator("#id_rate").fill("19")
    in_each_width(staff, "tax-rate")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".messagelist .success")).to_contain_text("19 %")
    in_each_width(staff, "tax-rates")
