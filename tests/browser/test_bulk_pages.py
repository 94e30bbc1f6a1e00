"""Bulk work on products in a browser, and the pictures on a product's page, wide and narrow."""

from typing import Any

import pytest
from playwright.sync_api import FilePayload, Page, expect

from products.management.demo import drawing
from tests.browser.shop import Shop
from tests.browser.test_order_pages import in_each_width
from tests.browser.visitor import Visitor
from tests.products import pictures


def select(page: Page, action: str) -> None:
    """Choose an action for all products on the page."""
    page.locator("#action-toggle").check()
    page.get_by_label("Action:").select_option(label=action)
    page.get_by_role("button", name="Go").click()


def test_prices_are_changed_with_a_preview(staff: Visitor, shop: Shop) -> None:
    long = "Fjord candle holder with room for " + ", ".join(["a candle of any size that the shop has"] * 4)
    for name, price in [("Fjord lamp, brass", "1999.95"), ("Fjord match", "0.99"), (long, "12.50")]:
        shop.product(name=name, price=price)
    page = staff.open("/admin/products/product/?q=fjord")
    in_each_width(staff, "bulk-list")
    select(page, "Change prices")
    expect(page.get_by_text("3 products are selected.")).to_be_visible()
    page.get_by_label("An amount in EUR").check()
    page.get_by_label("How much").fill("-1.50")
    in_each_width(staff, "bulk-prices")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("it cannot be below zero")).to_be_visible()
    in_each_width(staff, "bulk-refused")
    page.get_by_role("link", name="All 3").click()
    expect(page.get_by_role("row", name="Fjord lamp")).to_contain_text("1,998.45 EUR")
    in_each_width(staff, "bulk-preview")
    page.get_by_role("button", name="Change 2 products").click()
    expect(page.get_by_text("It is done.")).to_be_visible()
    page.get_by_role("link", name="2 changed").click()
    in_each_width(staff, "bulk-result")
    staff.open("/admin/backoffice/bulkchange/")
    in_each_width(staff, "bulk-changes")


def test_products_move_to_a_category_that_is_found_by_its_path(staff: Visitor, shop: Shop) -> None:
    shop.product(name="Moving kettle")
    page = staff.open("/admin/products/product/?q=moving")
    select(page, "Move to another category")
    page.locator(".select2").click()
    page.locator(".select2-search__field").fill("kett")
    page.locator(".select2-results__option", has_text=" > Kettles").click()
    in_each_width(staff, "bulk-category")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("cell", name=" > Kettles")).to_be_visible()
    page.get_by_role("button", name="Change 1 product").click()
    expect(page.get_by_text("It is done.")).to_be_visible()


def test_what_was_received_is_in_the_stock_movements(staff: Visitor, shop: Shop) -> None:
    product = shop.product(name="Received tray", quantity=2)
    page = staff.open("/admin/products/product/?q=received")
    select(page, "Receive or correct stock")
    page.get_by_label("Pieces of each product").fill("40")
    page.get_by_label("Note").fill("Delivery note 4711 / 2026")
    in_each_width(staff, "bulk-stock")
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name="Change 1 product").click()
    expect(page.get_by_text("It is done.")).to_be_visible()
    assert shop.quantity(product["id"]) == 42
    page = staff.open(f"/admin/products/stockmovement/?q={product['sku']}")
    expect(page.get_by_text("Delivery note 4711 / 2026")).to_be_visible()
    in_each_width(staff, "stock-movements")
    page = staff.open("/admin/products/product/?q=received")
    select(page, "Show or hide in the shop")
    in_each_width(staff, "bulk-visibility")


def order_of(page: Page) -> list[str]:
    """The texts of the pictures, in the order of the page; they have the positions from 0."""
    rows = page.locator("#images-group tr.has_original")
    positions = [rows.nth(n).locator("input[name$='-position']").input_value() for n in range(rows.count())]
    assert positions == [str(n) for n in range(rows.count())]
    return [rows.nth(n).locator("input[name$='-alt_text']").input_value() for n in range(rows.count())]


def files() -> list[FilePayload]:
    colours = ((178, 34, 52), (30, 90, 160), (40, 140, 80))
    kinds = ("kettle", "kettle", "kettle")
    given: list[FilePayload] = [
        {"name": f"{n}.jpg", "mimeType": "image/jpeg", "buffer": drawing.picture(kind, colour)}
        for n, (kind, colour) in enumerate(zip(kinds, colours, strict=True))
    ]
    given.insert(1, {"name": "order.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7"})
    return given


@pytest.mark.parametrize("width", [1440, 390])
def test_pictures_are_added_together_and_dragged_into_their_order(staff: Visitor, shop: Shop, width: int) -> None:
    product = shop.product(name=f"Pictured kettle {width}")
    url = f"/admin/products/product/{product['id']}/change/"
    page = staff.open(url)
    page.locator("#id_brand").fill("Merrow")
    page.locator("#id_new_pictures").set_input_files(files())
    in_each_width(staff, f"pictures-chosen-{width}")
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.locator(".messagelist .error")).to_contain_text("order.pdf was not added.")
    expect(page.locator(".messagelist")).to_contain_text("3 pictures were added.")
    expect(page.locator("#id_brand")).to_have_value("Merrow")
    wait_for_previews(page)
    for number, text in enumerate(("red", "blue", "green")):
        page.locator(f"#id_images-{number}-alt_text").fill(text)
    page.get_by_role("button", name="Save and continue editing").click()
    page.set_viewport_size({"width": width, "height": 900})
    assert order_of(page) == ["red", "blue", "green"]
    handles = page.get_by_role("button", name="Move this picture")
    drag(page, handles.nth(2), handles.nth(0))
    assert order_of(page) == ["green", "red", "blue"]
    drag(page, handles.nth(0), handles.nth(2))
    assert order_of(page) == ["red", "blue", "green"]
    handles.nth(2).press("ArrowUp")
    assert order_of(page) == ["red", "green", "blue"]
    handles.nth(0).press("ArrowDown")
    assert order_of(page) == ["green", "red", "blue"]
    handles.nth(1).press("ArrowDown")
    assert order_of(page) == ["green", "blue", "red"]
    in_each_width(staff, f"pictures-dragged-{width}")
    page.get_by_role("button", name="Save and continue editing").click()
    assert order_of(page) == ["green", "blue", "red"]


def test_too_many_bytes_are_refused_before_they_are_sent(staff: Visitor, shop: Shop) -> None:
    page = staff.open(f"/admin/products/product/{shop.product()['id']}/change/")
    chosen = page.locator("#id_new_pictures")
    many: list[FilePayload] = [{"name": f"{n}.jpg", "mimeType": "image/jpeg", "buffer": b"x"} for n in range(51)]
    chosen.set_input_files(many)
    assert "50 files at most" in str(chosen.evaluate("input => input.validationMessage"))
    chosen.set_input_files({"name": "x.jpg", "mimeType": "image/jpeg", "buffer": pictures.jpeg(20, 20)})
    assert chosen.evaluate("input => input.validationMessage") == ""


def wait_for_previews(page: Page) -> None:
    for _ in range(60):
        if page.locator("#images-group img.preview").count() == 3:
            return
        page.wait_for_timeout(500)
        page.reload()
    raise AssertionError("no previews")


def drag(page: Page, handle: Any, target: Any) -> None:
    handle.scroll_into_view_if_needed()
    begin, end = handle.bounding_box(), target.bounding_box()
    page.mouse.move(begin["x"] + 10, begin["y"] + 10)
    page.mouse.down()
    past = 5 if end["y"] < begin["y"] else 60  # the middle of the last row
    page.mouse.move(end["x"] + 10, end["y"] + past, steps=25)
    page.mouse.up()
