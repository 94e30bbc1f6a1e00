"""The browsable API: its forms and its menus."""

import json

from playwright.sync_api import expect

from tests.browser.shop import Shop
from tests.browser.visitor import Visitor


def test_an_item_is_put_into_the_cart_by_the_form(staff: Visitor, shop: Shop) -> None:
    product = shop.product(name="Desk Lamp, Sand")
    page = staff.open("/cart-items/")
    page.locator("textarea[name=_content]").fill(json.dumps({"product": product["id"], "quantity": 3}, indent=4))
    staff.screenshot("browsable-form")
    page.get_by_role("button", name="POST").click()
    answer = page.locator(".response-info")
    expect(answer).to_contain_text("HTTP 201 Created")
    expect(answer).to_contain_text('"product_name": "Desk Lamp, Sand"')
    answer.locator(".str").first.wait_for()  # the script has highlighted it
    staff.screenshot("browsable", height=960)


def test_its_menus_open(staff: Visitor) -> None:
    page = staff.open("/products/")
    page.get_by_role("button", name="Extra Actions").click()
    page.get_by_role("link", name="Facets").wait_for()
    staff.screenshot("browsable-menu")
    page.get_by_role("link", name="Facets").click()
    expect(page.locator(".response-info")).to_contain_text('"brands"')
    page.go_back()
    page.get_by_role("button", name="Filters").click()
    dialog = page.locator("#filtersModal")
    dialog.locator("[name=name_contains]").fill("shoe")
    staff.screenshot("browsable-filters")
    dialog.locator("button[type=submit]").click()
    expect(page.locator(".request-info")).to_contain_text("name_contains=shoe")


def test_a_product_is_deleted_by_its_button(staff: Visitor, shop: Shop) -> None:
    page = staff.open(f"/products/{shop.product()['id']}/")
    page.get_by_role("button", name="DELETE", exact=True).click()
    staff.screenshot("browsable-delete")
    page.locator("#deleteModal .btn-danger").click()
    expect(page.locator(".response-info")).to_contain_text("HTTP 204 No Content")
