"""The history of an object, and the list of all changes, in a browser, wide and narrow."""

from typing import Any

from playwright.sync_api import expect

from tests.browser.shop import Shop
from tests.browser.test_order_pages import in_each_width
from tests.browser.visitor import Visitor

ODD = {"name": "W" * 200, "brand": "شارع الملك فهد", "description": "A long text. " * 300, "sku": "S" * 60}


def change(shop: Shop, product: int, **fields: Any) -> None:
    answer = shop.service.request("PATCH", f"/products/{product}/", json=fields, token=shop.token)
    assert answer.ok, answer.text


def test_who_changed_a_product_is_seen_on_its_page_and_in_the_list(staff: Visitor, shop: Shop) -> None:
    product = shop.product(name="Walking boot")["id"]
    change(shop, product, price="17.50", is_active=False)
    page = staff.open(f"/admin/products/product/{product}/change/")
    page.locator("#id_brand").fill("Merrow")
    page.get_by_role("button", name="Save", exact=True).click()
    page = staff.open(f"/admin/products/product/{product}/change/")
    page.get_by_role("link", name="History").click()
    expect(page.locator("#recorded-changes")).to_contain_text("price 18.50 → 17.50")
    in_each_width(staff, "history-object")
    change(shop, product, **ODD)
    page.reload()
    expect(page.locator("#recorded-changes")).to_contain_text("شارع الملك فهد")
    in_each_width(staff, "history-object-odd")
    page.get_by_role("link", name="List of these changes").click()
    expect(page.locator("#result_list")).to_contain_text("price 18.50 → 17.50")
    in_each_width(staff, "history-list-of-object")
    page = staff.open("/admin/backoffice/change/")
    expect(page.locator("#result_list")).to_contain_text("Merrow")
    in_each_width(staff, "history-list")
    page.locator("#result_list tbody tr").first.get_by_role("link").first.click()
    expect(page.locator(".field-values")).to_contain_text("A long text.")
    in_each_width(staff, "history-change")
