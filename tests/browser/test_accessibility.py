"""Accessibility of the admin's main pages, checked by axe-core: wide and narrow, light and dark."""

import pytest
from playwright.sync_api import expect

from tests.browser.axe import findings
from tests.browser.shop import Shop
from tests.browser.test_order_pages import PLAIN, WIDTHS, open_order, order
from tests.browser.visitor import HEIGHT, Visitor


def check(visitor: Visitor, name: str) -> list[str]:
    """What is found on the present page, in each width and colour scheme."""
    found = []
    for width in WIDTHS:
        visitor.page.set_viewport_size({"width": width, "height": HEIGHT})
        for scheme in ("dark", "light"):
            visitor.page.emulate_media(color_scheme=scheme)
            found += [f"{name}, {width}, {scheme}: {each}" for each in findings(visitor.page)]
    return found


def test_an_input_without_a_label_is_found(anyone: Visitor) -> None:
    page = anyone.open("/admin/login/")
    assert check(anyone, "log-in") == []
    page.evaluate("document.querySelector('label[for=id_username]').remove()")
    assert [each.split(": ")[1] for each in check(anyone, "log-in")] == ["label (critical)"] * 4


@pytest.mark.parametrize(
    "path",
    [
        "/admin/",
        "/admin/products/product/",
        "/admin/products/product/add/",
        "/admin/products/category/",
        "/admin/orders/order/",
        "/admin/delivery/deliverymethod/add/",
        "/admin/accounts/user/",
        "/admin/accounts/user/1/change/",
        "/admin/auth/group/add/",
        "/admin/backoffice/change/",
        "/admin/backoffice/import/",
        "/admin/password_change/",
    ],
)
def test_a_page(staff: Visitor, path: str) -> None:
    staff.open(path)
    assert check(staff, path) == []


def test_the_pages_of_a_product(staff: Visitor, shop: Shop) -> None:
    product = shop.product(name="Walking boot")["id"]
    staff.open(f"/admin/products/product/{product}/change/")
    found = check(staff, "product")
    staff.open(f"/admin/products/product/{product}/history/")
    found += check(staff, "history")
    staff.open(f"/admin/products/product/{product}/delete/")
    assert found + check(staff, "delete") == []


def test_the_pages_of_an_order(staff: Visitor, shop: Shop) -> None:
    page = open_order(staff, order(shop, "agnes", PLAIN, ["Lantern"]))
    found = check(staff, "order")
    page.get_by_role("link", name="Fulfil").click()
    assert found + check(staff, "fulfil") == []


def test_each_step_of_an_import(staff: Visitor) -> None:
    page = staff.open("/admin/backoffice/import/add/")
    found = check(staff, "upload")
    page.locator("#id_kind").select_option("stock")
    page.get_by_label("Row by row").check()
    content = b"sku;quantity\nDEMO-0000001;41\nNO-SUCH-SKU;1\n"
    page.locator("#id_file").set_input_files({"name": "stock.csv", "mimeType": "text/csv", "buffer": content})
    page.get_by_role("button", name="Upload and check").click()
    expect(page.get_by_text("The check is complete")).to_be_visible()
    found += check(staff, "check")
    page.get_by_role("button", name="Run the import").click()
    expect(page.get_by_text("The import is done")).to_be_visible()
    assert found + check(staff, "result") == []


def test_the_menu_of_a_narrow_window(staff: Visitor) -> None:
    page = staff.open("/admin/")
    page.set_viewport_size({"width": 390, "height": HEIGHT})
    link = page.locator("#shop-nav").get_by_text("Accounts", exact=True)
    expect(link).not_to_be_visible()
    page.get_by_role("button", name="Menu").click()
    expect(link).to_be_visible()
    assert findings(page) == []
    link.click()
    expect(page.get_by_role("heading", name="Accounts", exact=True)).to_be_visible()
