"""The second factor in a browser, on a laptop and on a phone: set-up, recovery codes, the log-in, turning it off."""

import base64
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.accounts.phones import Phone
from tests.browser.visitor import Visitor
from tests.passwords import PASSWORD

SIZES = {"1440": (1440, 900), "390": (390, 844)}


def add_staff(staff: Visitor, name: str) -> None:
    page = staff.open("/admin/accounts/user/add/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password:").fill(PASSWORD)
    page.get_by_label("Password confirmation:").fill(PASSWORD)
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_label("Staff status").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".messagelist .success")).to_contain_text(name)


def photograph(visitor: Visitor, name: str) -> None:
    """Save the whole page at each width; no page is wider than the window."""
    for size, (width, height) in SIZES.items():
        visitor.page.set_viewport_size({"width": width, "height": height})
        assert visitor.page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} at {size}"
        visitor.page.screenshot(path=visitor.screenshots / f"{name}-{size}.png", animations="disabled", full_page=True)


def type_password(visitor: Visitor, name: str) -> Page:
    page = visitor.open("/admin/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    return page


def set_up(anyone: Visitor) -> tuple[Phone, list[str]]:
    """The app and the recovery codes, after setting it up."""
    page = type_password(anyone, "factor")
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("link", name="Second factor").click()
    expect(page.locator(".qr svg")).to_be_visible()
    photograph(anyone, "two-factor-set-up")
    key = page.locator("code.key").inner_text().replace("-", "")
    phone = Phone(base64.b32decode(key).hex())
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Code that the app shows").fill(phone.wrong())
    page.get_by_role("button", name="Set up").click()
    expect(page.locator(".errornote")).to_be_visible()
    photograph(anyone, "two-factor-set-up-wrong")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Code that the app shows").fill(phone.code())
    page.get_by_role("button", name="Set up").click()
    expect(page.locator(".recovery-codes li")).to_have_count(10)
    photograph(anyone, "two-factor-codes")
    codes = page.locator(".recovery-codes code").all_inner_texts()
    page.get_by_role("link", name="I have kept them").click()
    page.get_by_role("heading", name="Administration").wait_for()
    return phone, codes


def test_the_second_factor_from_set_up_to_turning_off(
    staff: Visitor, anyone: Visitor, visit: Callable[..., Visitor]
) -> None:
    add_staff(staff, "factor")
    phone, codes = set_up(anyone)
    other = visit()
    page = type_password(other, "factor")
    page.get_by_label("Code of your authenticator app").wait_for()
    photograph(other, "two-factor-code")
    page.get_by_label("Code of your authenticator app").fill(phone.wrong())
    page.get_by_role("button", name="Log in").click()
    expect(page.locator(".errornote")).to_contain_text("This code is wrong")
    photograph(other, "two-factor-code-wrong")
    page.get_by_label("Code of your authenticator app").fill(codes[0])
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("link", name="Second factor").click()
    expect(page.locator("#content-main")).to_contain_text("9 unused recovery codes")
    photograph(other, "two-factor-manage")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Code").fill(codes[1])
    page.get_by_role("button", name="Turn off").click()
    expect(page.locator(".messagelist .success")).to_contain_text("was turned off")
