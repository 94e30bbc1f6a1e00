"""The wizard of imports in a browser, wide and narrow."""

from playwright.sync_api import expect

from tests.browser.test_order_pages import in_each_width
from tests.browser.visitor import Visitor


def test_a_file_is_imported(staff: Visitor) -> None:
    page = staff.open("/admin/products/product/")
    page.get_by_role("link", name="Import", exact=True).click()
    page.locator("#id_kind").select_option("stock")
    page.get_by_label("Row by row").check()
    in_each_width(staff, "import-upload")
    content = b"sku;quantity\nDEMO-0000001;41\nNO-SUCH-SKU;1\n"
    page.locator("#id_file").set_input_files({"name": "stock.csv", "mimeType": "text/csv", "buffer": content})
    page.get_by_role("button", name="Upload and check").click()
    expect(page.get_by_text("The check is complete")).to_be_visible()  # the page refreshes itself
    expect(page.get_by_text("There is no product with this SKU.")).to_be_visible()
    in_each_width(staff, "import-check")
    page.get_by_role("button", name="Run the import").click()
    expect(page.get_by_text("The import is done")).to_be_visible()
    page.get_by_role("link", name="All rows").click()
    in_each_width(staff, "import-result")
    staff.open("/admin/backoffice/import/")
    in_each_width(staff, "imports")
