"""The pages of the test provider in a browser: a customer pays, and a developer sees what became of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_order_pages import in_each_width
from tests.browser.visitor import Visitor
from tests.payments.test_provider.running import Running, Shop

RETURN = "http://localhost:5173/paid"


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[Running]:
    shop = Shop()
    provider = Running(tmp_path, shop).start()
    yield provider
    provider.stop()
    shop.close()


@pytest.fixture
def customer(provider: Running, browser: Browser, screenshots: Path) -> Iterator[Visitor]:
    """A window on the provider; the shop's page to which it returns is a stand-in on another origin."""
    visitor = Visitor(browser, provider.url, screenshots)
    page = {"body": "<title>The shop</title>Thank you", "headers": {"Content-Security-Policy": "default-src 'self'"}}
    visitor.context.route(f"{RETURN}*", lambda route: route.fulfill(content_type="text/html", **page))
    yield visitor
    visitor.context.close()
    assert [fault for fault in visitor.faults if f"another host: {RETURN}" not in fault] == []


def open_payment(customer: Visitor, provider: Running) -> Page:
    return customer.open(f"/pay/{provider.new(return_url=RETURN, order_number='SMT2-3GPF-YXX7')}")


def test_a_customer_chooses_a_course_by_its_button_and_returns_to_the_shop(
    customer: Visitor, provider: Running
) -> None:
    page = open_payment(customer, provider)
    expect(page.get_by_role("heading", name="19.90 EUR")).to_be_visible()
    expect(page.get_by_text("SMT2-3GPF-YXX7")).to_be_visible()
    in_each_width(customer, "payment")
    page.get_by_role("button", name="Pay, and lose the event").click()
    page.wait_for_url(RETURN)
    expect(page.get_by_text("Thank you")).to_be_visible()


def test_a_card_number_chooses_and_a_real_one_is_refused(customer: Visitor, provider: Running) -> None:
    page = open_payment(customer, provider)
    address = page.url
    page.get_by_label("Card number").fill("4242 4242 4242 4242")
    customer.expected_status = 400
    page.get_by_role("button", name="Pay 19.90 EUR").click()
    expect(page.get_by_role("alert")).to_contain_text("not in the table")
    in_each_width(customer, "payment-refused-card")
    page.get_by_label("Card number").fill("1000 0000 0000 0001")
    page.get_by_role("button", name="Pay 19.90 EUR").click()
    page.wait_for_url(RETURN)
    customer.open(address)
    expect(page.get_by_text("Declined: The card was declined.")).to_be_visible()


def test_a_developer_refunds_from_outside_and_charges_back(customer: Visitor, provider: Running) -> None:
    reference = provider.paid()
    page = customer.open(f"/pay/{reference}")
    page.get_by_label("Amount").fill("5.00")
    page.get_by_role("button", name="Refund at the provider's site").click()
    expect(page.locator(".movements")).to_contain_text("Refunded")
    page.get_by_role("button", name="Charge back", exact=True).click()
    expect(page.locator(".movements")).to_contain_text("14.90 EUR")
    page.get_by_role("button", name="Reverse the chargeback").click()
    expect(page.locator(".movements")).to_contain_text("Chargeback reversed")
    in_each_width(customer, "payment-paid")
    assert len(provider.client.fetch(reference).chargeback_reversals) == 1


def test_the_start_page_lists_payments_and_sets_the_next_fault(customer: Visitor, provider: Running) -> None:
    customer.open("/")
    customer.page.get_by_text("There are none yet").wait_for()
    for number, course in enumerate(("pays", "fails", "pays_late")):
        provider.paid(course, key=str(number))
    page = customer.open("/")
    page.get_by_label("The next refund of the shop", exact=True).select_option("times_out")
    page.get_by_role("button", name="Set: The next refund of the shop").click()
    expect(page.get_by_label("The next refund of the shop", exact=True)).to_have_value("times_out")
    assert provider.server.injector.faults.next_refund == "times_out"
    in_each_width(customer, "payments")
    page.get_by_role("link", name="A-1").first.click()
    expect(page.get_by_text("The money is on its way")).to_be_visible()


def test_pages_that_are_not_there(customer: Visitor) -> None:
    customer.open("/nothing", status=404)
    expect(customer.page.get_by_role("heading", name="Not found")).to_be_visible()


def test_everything_works_with_the_keyboard_and_without_scripts(browser: Browser, provider: Running) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{provider.url}/pay/{provider.new(return_url='')}")
    page.get_by_role("button", name="Pay late", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("The money is on its way")).to_be_visible()
    context.close()
