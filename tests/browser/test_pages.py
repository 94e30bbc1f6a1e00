"""Every page opens without errors, under the content security policy, without requests to other hosts."""

from collections.abc import Callable

import pytest

from tests.browser.shop import Shop
from tests.browser.visitor import Visitor

OPEN = ["/", "/products/", "/products/?search=shoe", "/categories/", "/problems/", "/problems/insufficient-stock"]
OPEN += ["/email/confirm/?token=x", "/password-reset/confirm/?uid=x&token=y", "/health/ready/", "/admin/"]
OF_STAFF = ["/", "/products/", "/carts/", "/cart-items/", "/orders/", "/account/", "/problems/validation-error"]
MODELS = ["accounts/user", "auth/group", "products/category", "products/product", "products/stockmovement"]
MODELS += ["carts/cart", "orders/order", "outbox/mail"]
MODELS += [f"django_celery_beat/{name}" for name in ("periodictask", "crontabschedule", "intervalschedule")]


def test_pages_that_anyone_may_see(anyone: Visitor, shop: Shop) -> None:
    product = shop.product()
    for path in [*OPEN, f"/products/{product['id']}/", f"/products/{product['id']}/images/"]:
        anyone.open(path)
    anyone.open("/problems/insufficient-stock")
    anyone.page.get_by_role("heading", name="There is not enough in stock").wait_for()
    anyone.screenshot("problem")


@pytest.mark.parametrize(
    ("path", "status"), [("/nowhere/", 404), ("/account/", 401), ("/register/", 405), ("/media/nothing", 404)]
)
def test_error_pages(anyone: Visitor, path: str, status: int) -> None:
    anyone.open(path, status=status)
    anyone.screenshot(f"error-{status}")


def test_the_links_of_mails_open_pages(anyone: Visitor) -> None:
    anyone.open("/email/confirm/?token=x")
    anyone.expected_status = 400
    anyone.page.get_by_role("button", name="Verify").click()
    anyone.page.get_by_role("heading", name="The link is no longer valid").wait_for()
    anyone.screenshot("confirm-refused")
    anyone.page.get_by_role("link", name="What this means").click()
    anyone.page.get_by_role("heading", name="What to do").wait_for()


def test_the_browsable_pages_of_staff(staff: Visitor, shop: Shop) -> None:
    number = shop.order("berta", (shop.product()["id"], 1))
    for path in [*OF_STAFF, f"/orders/{number}/"]:
        staff.open(path)


@pytest.mark.parametrize("model", MODELS)
def test_the_admins_lists_and_forms(staff: Visitor, shop: Shop, model: str) -> None:
    page = staff.open(f"/admin/{model}/")
    if (row := page.locator("#result_list tbody th a").first).count():
        row.click()
        page.locator("#content .form-row").first.wait_for()
        page.go_back()
    if (add := page.locator(".object-tools .addlink")).count():
        add.click()
        page.get_by_role("button", name="Save", exact=True).wait_for()


def test_a_window_reports_faults(visit: Callable[..., Visitor]) -> None:
    """The control: a window reports each kind of fault."""
    visitor: Visitor = visit()
    page = '<img src="http://elsewhere.example/x.png"><script>console.error("ouch"); throw Error("broken")</script>'
    visitor.context.route("**/evil/", lambda route: route.fulfill(body=page, content_type="text/html"))
    visitor.open("/evil/")
    faults = " ".join(visitor.faults)
    for fault in ("another host: http://elsewhere.example/x.png", "ouch", "broken", "no content security policy"):
        assert fault in faults
    visitor.faults.clear()
