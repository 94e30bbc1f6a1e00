"""Swagger UI: authorize with a token and try out operations."""

import json
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.browser.shop import Shop
from tests.browser.visitor import Visitor


def authorize(page: Page, token: str) -> None:
    page.locator(".auth-wrapper .authorize").click()
    scheme = page.locator(".dialog-ux .auth-container", has_text="(http, Bearer)")
    scheme.locator("input").fill(token)
    scheme.locator(".authorize").click()
    scheme.locator(".btn-done").click()


def operation(page: Page, method: str, path: str) -> Locator:
    """Open an operation and click "Try it out"."""
    box = page.locator(f".opblock-{method.lower()}", has=page.locator(f'.opblock-summary-path[data-path="{path}"]'))
    box.locator(".opblock-summary-control").click()
    box.get_by_role("button", name="Try it out").click()
    return box


def execute(box: Locator, status: int) -> Any:
    """Execute the operation; return the response that the page shows."""
    box.get_by_role("button", name="Execute").click()
    live = box.locator(".live-responses-table tbody")
    expect(live.locator(".response-col_status")).to_contain_text(str(status))
    text = live.locator(".highlight-code code").first.inner_text()
    live.scroll_into_view_if_needed()
    return json.loads(text)


def test_a_product_is_created_and_bought_from_the_documentation(anyone: Visitor, shop: Shop) -> None:
    page = anyone.open("/api-docs/")
    page.locator(".opblock").first.wait_for()
    anyone.screenshot("docs")
    authorize(page, shop.token)

    create = operation(page, "POST", "/products/")
    wanted = {"name": "Field Lamp", "brand": "Iverna", "description": "Burns for thirty hours.", "price": "49.90"}
    create.locator("textarea.body-param__text").fill(json.dumps({**wanted, "quantity": 7}, indent=2))
    product = execute(create, 201)
    # Shrink the field, so that the request and its response fit into one screenshot.
    create.locator("textarea.body-param__text").evaluate("it => it.style.minHeight = it.style.height = '140px'")
    create.locator(".opblock-section-request-body").evaluate("it => it.scrollIntoView()")
    anyone.screenshot("docs-product", height=1130)
    assert (product["name"], product["quantity"]) == ("Field Lamp", 7)

    add = operation(page, "POST", "/cart-items/")
    add.locator("textarea.body-param__text").fill(json.dumps({"product": product["id"], "quantity": 2}))
    item = execute(add, 201)
    anyone.screenshot("docs-cart-item")

    checkout = operation(page, "POST", "/carts/{id}/checkout/")
    checkout.locator('tr[data-param-name="id"] input').fill(str(item["cart"]))
    checkout.locator('tr[data-param-name="Idempotency-Key"] input').fill("from-the-documentation")
    order = execute(checkout, 201)
    anyone.screenshot("docs-checkout")
    assert order["status"] == "paid"
    assert [line["line_total"] for line in order["items"] if line["product"] == product["id"]] == ["99.80"]
    assert shop.quantity(product["id"]) == 5
