"""One service and one browser for all tests; each test has its own window."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.shop import Shop
from tests.browser.visitor import Visitor
from tests.passwords import PASSWORD
from tests.setup.service import Service


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service as `make run` starts it, with a small part of the demo catalogue."""
    rates = dict.fromkeys(("THROTTLE_REGISTER", "THROTTLE_TOKEN", "THROTTLE_CHECKOUT"), "100000/min")
    data = tmp_path_factory.mktemp("service") / "var"
    service = Service(data, has_demo=False, SHOP_NAME="Product Backend", CURRENCY="EUR", GUEST_CHECKOUT="true", **rates)
    try:
        service.start()
        service.load_demo(products=6, pictures=2)
        yield service
    finally:
        service.stop()


@pytest.fixture(scope="session")
def shop(service: Service) -> Shop:
    return Shop(service)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # Only the hosts of the tests resolve: requests to other hosts fail.
        rules = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=[rules])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of screenshots, SCREENSHOTS."""
    given = os.environ.get("SCREENSHOTS")
    folder = Path(given) if given else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def session_of_staff(
    service: Service, browser: Browser, screenshots: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The cookies of the superuser after signing in to the admin."""
    cookies = tmp_path_factory.mktemp("session") / "cookies.json"
    visitor = Visitor(browser, service.url, screenshots)
    page = visitor.open("/admin/")
    visitor.screenshot("admin-sign-in")
    page.get_by_label("Username").fill("boss")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("heading", name="Administration").wait_for()
    visitor.screenshot("admin")
    page.evaluate("localStorage.setItem('django.admin.navSidebarIsOpen', 'false')")  # the tables need the width
    visitor.context.storage_state(path=cookies)
    visitor.context.close()
    assert visitor.faults == []
    return cookies


@pytest.fixture
def visit(
    service: Service, browser: Browser, screenshots: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Visitor]]:
    """Open windows; at teardown assert that they had no faults."""
    visitors: list[Visitor] = []

    def open_window(cookies: Path | None = None) -> Visitor:
        visitors.append(Visitor(browser, service.url, screenshots, cookies))
        return visitors[-1]

    yield open_window
    for visitor in visitors:
        visitor.screenshot(f"end-of-{request.node.name}".replace("/", "_"))
        visitor.context.close()
        assert visitor.pages_seen
        assert visitor.faults == []


@pytest.fixture
def anyone(visit: Callable[..., Visitor]) -> Visitor:
    return visit()


@pytest.fixture
def staff(visit: Callable[..., Visitor], session_of_staff: Path) -> Visitor:
    return visit(session_of_staff)
