"""The pages of an order in a browser, wide and narrow, and on paper."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.shop import Shop
from tests.browser.visitor import HEIGHT, WIDTH, Visitor

WIDTHS = (1440, 390)
PLAIN = {
    "name": "Carla Coe",
    "company": "Example GmbH",
    "line1": "Hauptstraße 1",
    "postal_code": "10115",
    "city": "Berlin",
    "country": "DE",
    "phone": "+49 30 901820",
}
ODD = {"name": "W" * 200, "line1": "شارع الملك فهد ١٢", "line2": "👩‍👩‍👧 " * 25, "city": "مدينة " * 30, "country": "SA"}


def order(shop: Shop, customer: str, address: dict[str, str], names: list[str], **details: Any) -> str:
    """Place an order with these addresses and products; return its number."""
    products = [shop.product(name=name) for name in names]
    cart = shop.cart(customer, *((product["id"], 2) for product in products))
    token = shop.service.token(customer)
    given = {"shipping_address": address, **details}
    assert shop.service.request("PATCH", f"/carts/{cart}/", json=given, token=token).ok
    answer = shop.service.request("POST", f"/carts/{cart}/checkout/", token=token)
    assert answer.ok, answer.text
    return str(answer.json()["number"])


def in_each_width(visitor: Visitor, name: str) -> None:
    """Save a screenshot of the whole page in each width; assert that none is wider than its window."""
    for width in WIDTHS:
        visitor.page.set_viewport_size({"width": width, "height": HEIGHT})
        visitor.page.screenshot(path=visitor.screenshots / f"{name}-{width}.png", full_page=True)
        wide = visitor.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, (name, width)
    visitor.page.set_viewport_size({"width": WIDTH, "height": HEIGHT})


def open_order(staff: Visitor, number: str) -> Page:
    page = staff.open(f"/admin/orders/order/?q={number}")
    page.locator("#result_list").get_by_role("link", name=number).click()
    expect(page.get_by_role("link", name="Packing slip")).to_be_visible()
    return page


def test_an_order_is_packed_and_sent(staff: Visitor, shop: Shop) -> None:
    number = order(shop, "pauline", PLAIN, ["Walking boot", "Travel mug, blue"], phone="+49 30 1", note="Ring twice.")
    page = open_order(staff, number)
    in_each_width(staff, "order-page")
    page.get_by_role("link", name="Fulfil").click()
    page.get_by_label("Tracking carrier").fill("Example Post")
    page.get_by_label("Tracking number").fill("JD0140600")
    page.get_by_label("Tracking url").fill("javascript:alert(1)")
    page.get_by_role("button", name="Fulfil the order").click()
    expect(page.get_by_text("Enter a URL that begins with https:// or http://")).to_be_visible()
    page.get_by_label("Tracking url").fill("https://post.example.com/JD0140600")
    in_each_width(staff, "order-fulfil")
    page.get_by_role("button", name="Fulfil the order").click()
    expect(page.locator(".messagelist .success")).to_contain_text(f"Order {number} is fulfilled.")
    expect(page.locator(".field-tracking")).to_contain_text("JD0140600")
    in_each_width(staff, "order-fulfilled")


def test_an_order_is_cancelled_from_its_page(staff: Visitor, shop: Shop) -> None:
    page = open_order(staff, order(shop, "konrad", PLAIN, ["Lantern"]))
    page.get_by_role("link", name="Add a note").click()
    page.get_by_label("Note").fill("Konrad called: he found it elsewhere.\nHe wants to cancel.")
    in_each_width(staff, "order-note")
    page.get_by_role("button", name="Add the note").click()
    expect(page.locator("#notes-group")).to_contain_text("He wants to cancel.")
    in_each_width(staff, "order-noted")
    page.get_by_role("link", name="Cancel").click()
    in_each_width(staff, "order-cancel")
    page.get_by_role("button", name="Cancel the order").click()
    expect(page.locator(".messagelist .success")).to_contain_text("is cancelled.")


@pytest.mark.parametrize("which", ["plain", "odd"])
def test_a_packing_slip_on_the_screen_and_on_paper(staff: Visitor, shop: Shop, which: str) -> None:
    if which == "plain":
        billing, note = PLAIN | {"name": "Coe GmbH"}, "Ring twice.\nThe red door."
        number = order(shop, "selma", PLAIN, ["Scarf", "Hat"], billing_address=billing, note=note)
    else:
        names = ["Product " + "W" * 190, "حذاء المشي الأحمر", "👟 shoe 👩‍👩‍👧", *(f"Thing {n}" for n in range(40))]
        number = order(shop, "omar", ODD, names, note="ملاحظة " * 100)
    page = open_order(staff, number)
    page.get_by_role("link", name="Packing slip").click()
    expect(page.get_by_role("heading", name="Packing slip")).to_be_visible()
    in_each_width(staff, f"slip-{which}")
    page.pdf(path=staff.screenshots / f"slip-{which}.pdf", format="A4")
    page.emulate_media(media="print")
    page.screenshot(path=staff.screenshots / f"slip-{which}-print.png", full_page=True)


def test_mails_are_previewed_with_their_styles(staff: Visitor, shop: Shop) -> None:
    number = order(shop, "greta", PLAIN, ["Kite"])
    page = staff.open("/admin/orders/order/")
    page.get_by_role("link", name="Preview mails").click()
    page.get_by_label("Mail").select_option(label="Order sent")
    page.get_by_role("button", name="Show").click()
    frame = page.frame_locator("iframe.mail-html")
    expect(frame.get_by_text("Walking boot")).to_be_visible()
    assert frame.locator("table").evaluate("table => getComputedStyle(table).borderCollapse") == "collapse"
    in_each_width(staff, "mail-preview")
    page.get_by_label("Order:", exact=True).fill(number)
    page.get_by_role("button", name="Show").click()
    expect(frame.get_by_text("Kite", exact=True)).to_be_visible()
    expect(page.locator(".mail-text")).to_contain_text("Kite")
