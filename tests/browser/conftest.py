"""One service and one browser for all tests; each test has a window of its own."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.shop import Shop
from tests.browser.visitor import Visitor
from tests.setup.service import PASSWORD, Service


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """As `make run` starts it, with a small part of the demo's catalogue."""
    rates = dict.fromkeys(("THROTTLE_REGISTER", "THROTTLE_TOKEN"), "100000/min")
    data = tmp_path_factory.mktemp("service") / "var"
    service = Service(data, has_demo=False, SHOP_NAME="Product Backend", CURRENCY="EUR", **rates)
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
        # No name but the service's own has an address: what asks for another host fails.
        rules = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=[rules])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where each step leaves a picture: the folder SCREENSHOTS."""
    given = os.environ.get("SCREENSHOTS")
    folder = Path(given) if given else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def session_of_staff(
    service: Service, browser: Browser, screenshots: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The cookies of the superuser, signed in at the admin's page."""
    cookies = tmp_path_factory.mktemp("session") / "cookies.json"
    visitor = Visitor(browser, service.url, screenshots)
    page = visitor.open("/admin/")
    visitor.shoot("admin-sign-in")
    page.get_by_label("Username").fill("boss")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("heading", name="Administration").wait_for()
    visitor.shoot("admin")
    page.evaluate("localStorage.setItem('django.admin.navSidebarIsOpen', 'false')")  # the tables need the room
    visitor.context.storage_state(path=cookies)
    visitor.context.close()
    assert visitor.faults == []
    return cookies


@pytest.fixture
def visit(
    service: Service, browser: Browser, screenshots: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Visitor]]:
    """Opens a window; in the end nothing may have gone wrong in it."""
    visitors: list[Visitor] = []

    def open_window(cookies: Path | None = None) -> Visitor:
        visitors.append(Visitor(browser, service.url, screenshots, cookies))
        return visitors[-1]

    yield open_window
    for visitor in visitors:
        visitor.shoot(f"end-of-{request.node.name}".replace("/", "_"))
        visitor.context.close()
        assert visitor.pages_seen
        assert visitor.faults == []


@pytest.fixture
def anyone(visit: Callable[..., Visitor]) -> Visitor:
    return visit()


@pytest.fixture
def staff(visit: Callable[..., Visitor], session_of_staff: Path) -> Visitor:
    return visit(session_of_staff)
