"""The admin in a browser."""

from playwright.sync_api import expect

from products.management.demo import drawing
from tests.browser.shop import Shop
from tests.browser.visitor import Visitor
from tests.waiting import wait_for


def test_a_product_is_made_with_its_picture_and_found(staff: Visitor) -> None:
    picture = drawing.picture("kettle", (178, 34, 52))
    page = staff.open("/admin/products/product/add/")
    page.get_by_label("Name:").fill("Tide Kettle, Crimson")
    page.get_by_label("Brand:").fill("Merrow")
    page.locator(".field-category .select2").click()
    page.locator(".select2-search__field").fill("kett")
    page.locator(".select2-results__option", has_text=" > Kettles").click()
    page.get_by_label("Description:").fill("Boils a litre in two minutes, and whistles when it has.")
    page.get_by_label("Price in EUR:").fill("39.90")
    page.get_by_label("Pieces in stock:").fill("12")
    page.locator("#id_new_pictures").set_input_files(
        {"name": "kettle.jpg", "mimeType": "image/jpeg", "buffer": picture}
    )
    staff.screenshot("admin-product-form")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".messagelist .success").first).to_contain_text("Tide Kettle, Crimson")

    page.locator("#searchbar").fill("crimson kettle")
    page.get_by_role("button", name="Search").click()
    row = page.locator("#result_list tbody tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("Tide Kettle, Crimson")

    def is_shown() -> bool:
        """Whether the worker has created the renditions, and the browser shows one."""
        page.reload()
        thumb = row.locator("img.preview")
        return thumb.count() == 1 and bool(thumb.evaluate("image => image.decode().then(() => image.naturalWidth > 0)"))

    wait_for(is_shown, seconds=30)
    staff.screenshot("admin-product-found")
    row.get_by_role("link", name="Tide Kettle, Crimson").click()
    preview = page.locator(".field-preview img.preview")
    preview.scroll_into_view_if_needed()
    page.locator("#id_images-0-alt_text").fill("A red kettle")
    page.get_by_role("button", name="Save and continue editing").click()
    expect(preview).to_have_attribute("alt", "A red kettle")
    page.locator(".submit-row").scroll_into_view_if_needed()
    staff.screenshot("admin-product", height=960)


def test_a_category_is_added_in_a_window_of_its_own(staff: Visitor) -> None:
    page = staff.open("/admin/products/product/add/")
    with page.expect_popup() as opened:
        page.locator("#add_id_category").click()
    opened.value.get_by_label("Name:").fill("Music Boxes")
    opened.value.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".field-category .select2-selection__rendered")).to_contain_text("Music Boxes")


def test_a_cart_marked_completed_becomes_an_order(staff: Visitor, shop: Shop) -> None:
    product = shop.product(name="Harbour Desk Lamp, Brass", price="64.50", quantity=9)
    other = shop.product(name="Tarn Flask, Moss", price="24.90")
    shop.cart("carla", (product["id"], 4), (other["id"], 1))
    page = staff.open("/admin/carts/cart/?q=carla")
    page.locator("#result_list").get_by_role("link", name="carla").click()
    page.get_by_label("Completed").check()
    staff.screenshot("admin-cart")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".messagelist .success")).to_contain_text("The cart became order")
    expect(page.locator(".field-status .readonly")).to_have_text("Paid")
    staff.screenshot("admin-order", height=1000)
    assert shop.quantity(product["id"]) == 5


def test_a_cancelled_order_is_back_in_stock(staff: Visitor, shop: Shop) -> None:
    product = shop.product(quantity=9)
    number = shop.order("otto", (product["id"], 4))
    assert shop.quantity(product["id"]) == 5
    page = staff.open(f"/admin/orders/order/?q={number}")
    page.locator("#result_list tbody input.action-select").check()
    page.get_by_label("Action:").select_option(label="Cancel the selected orders, and restock")
    staff.screenshot("admin-order-to-cancel")
    page.get_by_role("button", name="Go").click()
    expect(page.get_by_text("1 order will be cancelled")).to_be_visible()
    staff.screenshot("admin-order-cancel-confirmation")
    assert shop.quantity(product["id"]) == 5
    page.get_by_role("button", name="Yes, I’m sure").click()
    expect(page.locator(".messagelist .info")).to_contain_text("One order is cancelled.")
    page.locator("#result_list").get_by_role("link", name=number).click()
    expect(page.locator(".field-status .readonly").first).to_have_text("Cancelled")
    staff.screenshot("admin-order-cancelled")
    assert shop.quantity(product["id"]) == 9
