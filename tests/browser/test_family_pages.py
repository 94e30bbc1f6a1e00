"""A family in a browser, wide and narrow: a T-shirt in 5 sizes and 4 colours, from nothing to prices and pictures."""

import re
import time
from typing import Literal

import pytest
from playwright.sync_api import FilePayload, Locator, Page, expect

from products.management.demo import drawing
from tests.browser.shop import Shop
from tests.browser.test_accessibility import check
from tests.browser.test_order_pages import in_each_width
from tests.browser.visitor import HEIGHT, Visitor

SIZES, COLOURS = ("XS", "S", "M", "L", "XL"), ("Black", "White", "Red", "Blue")
CLICKS_MAX = 7
SECONDS_MAX = 60


class Hand:
    """Clicks and types on a page, and counts the clicks."""

    def __init__(self, page: Page) -> None:
        self.page, self.clicks = page, 0

    def click(self, role: Literal["button", "link"], name: str | re.Pattern[str]) -> None:
        self.page.get_by_role(role, name=name, exact=True).first.click()
        self.clicks += 1


def picture(name: str, colour: tuple[int, int, int]) -> FilePayload:
    return {"name": name, "mimeType": "image/jpeg", "buffer": drawing.picture("kettle", colour)}


def cell(page: Page, product: str, column: str) -> Locator:
    return page.locator("#grid").get_by_label(f"{column}: {product}", exact=True)


def make_shirts(hand: Hand, name: str, *, is_narrow: bool) -> None:
    """From the home page to the grid of 20 products."""
    page = hand.page
    if is_narrow:
        hand.click("button", "Menu")
    hand.click("link", "Families")
    hand.click("link", re.compile("Add family"))
    page.get_by_label("Name:").fill(name)
    page.get_by_label("Axes:").fill("Size\nColour")
    hand.click("button", "Save")
    page.get_by_label("Size:").fill(", ".join(SIZES))
    page.get_by_label("Colour:").fill(", ".join(COLOURS))
    page.get_by_label("Price in EUR:").fill("19.90")
    page.get_by_label("Pieces in stock of each:").fill("12")
    hand.click("button", "Preview")
    expect(page.get_by_text("20 products will be made")).to_be_visible()
    hand.click("button", "Make 20 products")
    expect(page.locator(".messagelist")).to_contain_text("20 products were made.")
    expect(page.locator("#grid tbody tr")).to_have_count(20)


@pytest.mark.parametrize(("width", "name"), [(1440, "T-shirt"), (390, "Sweatshirt")])
def test_a_t_shirt_in_5_sizes_and_4_colours(staff: Visitor, shop: Shop, width: int, name: str) -> None:
    page = staff.open("/admin/")
    page.set_viewport_size({"width": width, "height": HEIGHT})
    hand, began = Hand(page), time.monotonic()
    make_shirts(hand, name, is_narrow=width == 390)
    seconds = time.monotonic() - began
    print(f"\n20 products at {width} pixels: {hand.clicks} clicks, {seconds:.1f} s")  # noqa: T201
    assert hand.clicks <= CLICKS_MAX
    assert seconds < SECONDS_MAX

    red = f"{name}, M, Red"
    cell(page, red, "Price in EUR").fill("24.90")
    cell(page, f"{name}, XL, Red", "Price in EUR").fill("26.90")
    cell(page, f"{name}, XS, Blue", "In stock").fill("3")
    cell(page, f"{name}, XS, Black", "Visible").uncheck()
    cell(page, f"{name}, L, White", "Take out").check()
    cell(page, red, "Add a picture").set_input_files(picture("red.jpg", (178, 34, 52)))
    cell(page, f"{name}, M, Blue", "Add a picture").set_input_files(picture("blue.jpg", (30, 90, 160)))
    hand.click("button", "Save and continue editing")
    expect(page.locator(".messagelist")).to_contain_text("6 products changed.")
    expect(page.locator(".messagelist")).to_contain_text("2 pictures were added.")
    expect(page.locator("#grid tbody tr")).to_have_count(19)
    expect(cell(page, red, "Price in EUR")).to_have_value("24.90")
    expect(cell(page, f"{name}, XS, Blue", "In stock")).to_have_value("3")
    expect(cell(page, f"{name}, XS, Black", "Visible")).not_to_be_checked()
    wait_for_pictures(page)
    found = shop.service.request("GET", "/products/", params={"search": name, "option": "Colour:Red"}).json()
    assert {product["price"] for product in found["results"]} == {"19.90", "24.90", "26.90"}
    in_each_width(staff, f"grid-{width}")
    page.set_viewport_size({"width": width, "height": 4_000})  # so that the buttons do not cover rows
    page.locator("#grid").screenshot(path=staff.screenshots / f"grid-rows-{width}.png")
    assert check(staff, "grid") == []


def wait_for_pictures(page: Page) -> None:
    for _ in range(60):
        if page.locator("#grid img.preview").count() == 2:
            return
        page.wait_for_timeout(500)
        page.reload()
    raise AssertionError("no pictures")


def test_a_bad_value_is_said_at_its_row(staff: Visitor) -> None:
    hand = Hand(staff.open("/admin/"))
    make_shirts(hand, "Polo shirt", is_narrow=False)
    page = hand.page
    cell(page, "Polo shirt, M, Red", "SKU").fill("POLO-SHIRT-M-BLUE")
    cell(page, "Polo shirt, S, Red", "Price in EUR").fill("-3")
    cell(page, "Polo shirt, L, Red", "Price in EUR").fill("31.45")
    hand.click("button", "Save")
    expect(page.get_by_text("Polo shirt, M, Blue has this SKU.")).to_be_visible()
    expect(cell(page, "Polo shirt, L, Red", "Price in EUR")).to_have_value("31.45")
    in_each_width(staff, "grid-refused")
    assert check(staff, "refused") == []


def test_the_steps_of_making_variants(staff: Visitor, shop: Shop) -> None:
    family = shop.family("Mug", ["Size", "Colour"])
    shop.product(name="Mug, small and red", family=family, options={"Size": "small", "Colour": "Red"})
    page = staff.open(f"/admin/products/family/{family}/change/")
    page.get_by_role("link", name="Make variants").click()
    page.get_by_label("Size:").fill("small\nlarge")
    page.get_by_label("Colour:").fill("Red\nBlue\n" + "Colour of the sea in the morning " * 3)
    page.get_by_label("Price in EUR:").fill("8")
    in_each_width(staff, "variants-values")
    found = check(staff, "values")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("1 combination exists already")).to_contain_text("Mug, small and red")
    in_each_width(staff, "variants-preview")
    assert found + check(staff, "preview") == []
    page.get_by_role("button", name="Change the values").click()
    expect(page.get_by_label("Size:")).to_have_value("small\nlarge")


def test_a_family_is_made_of_chosen_products(staff: Visitor, shop: Shop) -> None:
    for size in ("small", "large"):
        shop.product(name=f"Gathered bowl, {size}")
    page = staff.open("/admin/products/product/?q=gathered")
    page.locator("#action-toggle").check()
    page.get_by_label("Action:").select_option(label="Make a family of them")
    page.get_by_role("button", name="Go").click()
    page.get_by_label("Name of the family").fill("Gathered bowl")
    page.get_by_label("First axis:", exact=True).fill("Size")
    page.get_by_label("First axis: Gathered bowl, small").fill("S")
    page.get_by_label("First axis: Gathered bowl, large").fill("s")
    page.get_by_role("button", name="Make the family").click()
    expect(page.get_by_text("Another product of the family has these options.")).to_have_count(2)
    in_each_width(staff, "gather")
    assert check(staff, "gather") == []
    page.get_by_label("First axis: Gathered bowl, large").fill("L")
    page.get_by_role("button", name="Make the family").click()
    expect(page.locator(".messagelist")).to_contain_text("The family Gathered bowl has 2 products.")
    expect(page.locator("#grid tbody tr")).to_have_count(2)
