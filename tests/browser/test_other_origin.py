"""A front end on another origin, in a browser: the shop of docs/howto/front-end.md."""

import shutil
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page

from tests.browser.shop import Shop
from tests.products import pictures
from tests.setup.service import PASSWORD, Service

CODE = Path(settings.BASE_DIR, "tests", "clients", "typescript")


class Files(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def front_end(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The compiled shop at an origin of its own, of another host name and port."""
    folder = tmp_path_factory.mktemp("front-end") / "shop"
    shutil.copytree(CODE, folder, symlinks=True)
    document = folder / "openapi.json"
    document.write_text(service.request("GET", "/api-schema/?format=json").text)
    tools = folder / "node_modules" / ".bin"
    commands: list[list[str | Path]] = [
        [tools / "openapi-typescript", document, "--output", "schema.d.ts"],
        [tools / "tsc"],
    ]
    for command in commands:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()


@pytest.fixture
def page(
    service: Service, front_end: str, browser: Browser, screenshots: Path, request: pytest.FixtureRequest
) -> Iterator[Page]:
    """The front end's home page; at teardown its console was silent."""
    context = browser.new_context(viewport={"width": 390, "height": 844})
    context.set_default_timeout(15_000)
    faults: list[str] = []
    # The browser logs each response with an error status, also one that the page handles.
    context.on("console", lambda message: faults.append(message.text) if "status of 409" not in message.text else None)
    context.on("weberror", lambda error: faults.append(str(error.error)))
    page = context.new_page()
    page.goto(f"{front_end}/?api={service.url}")
    yield page
    page.screenshot(path=screenshots / f"{request.node.name}.png")
    context.close()
    assert faults == []


def search(page: Page, name: str) -> None:
    page.get_by_label("Search").fill(name)
    page.get_by_role("button", name="Search").click()
    page.get_by_role("button", name=f"Add {name}").wait_for()
    page.wait_for_function("document.querySelectorAll('article').length === 1")


def add(page: Page, name: str, line: str) -> None:
    search(page, name)
    page.get_by_role("button", name=f"Add {name}").click()
    page.get_by_text(line).wait_for()


def check_out(page: Page) -> str:
    page.get_by_role("button", name="Check out").click()
    message = page.get_by_text("Thank you.")
    message.wait_for()
    return str(message.text_content()).split("Your order is ")[1].split(":")[0]


def test_a_guest_buys(page: Page, shop: Shop, service: Service) -> None:
    product = shop.product(name="Quartz clock", price="40.00", quantity=5)
    page.get_by_role("button", name="Add").first.wait_for()  # the home page
    add(page, "Quartz clock", "1 × Quartz clock: 40.00")
    add(page, "Quartz clock", "2 × Quartz clock: 80.00")
    page.get_by_label("E-mail").fill("gast@example.com")
    number = check_out(page)
    assert shop.quantity(product["id"]) == 3
    order = service.request("GET", f"/orders/{number}/", token=shop.token).json()
    assert (order["email"], order["customer"], order["total"]) == ("gast@example.com", None, "80.00")


def test_a_guest_signs_in_and_buys_with_the_merged_cart(page: Page, shop: Shop, service: Service) -> None:
    first, _ = [shop.product(name=f"{name} vase", price="10.00", quantity=5) for name in ("Amber", "Indigo")]
    shop.cart("vera", (first["id"], 1))
    add(page, "Amber vase", "1 × Amber vase: 10.00")
    add(page, "Indigo vase", "1 × Indigo vase: 10.00")
    page.get_by_label("Name").fill("vera")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_text("Total: 30.00 EUR").wait_for()
    number = check_out(page)
    order = service.request("GET", f"/orders/{number}/", token=service.token("vera")).json()
    assert [(item["name"], item["quantity"]) for item in order["items"]] == [("Amber vase", 2), ("Indigo vase", 1)]


def test_a_link_with_a_former_slug_leads_to_the_product_and_its_picture(
    page: Page, front_end: str, shop: Shop, service: Service
) -> None:
    product = shop.product(name="Felt hat", slug="felt-hat")
    shop.picture(product["id"], pictures.jpeg())
    path = f"/products/{product['id']}/"
    service.request("PATCH", path, json={"slug": "hat-of-felt"}, token=shop.token).raise_for_status()
    page.goto(f"{front_end}/?api={service.url}&product=felt-hat")
    page.get_by_role("button", name="Add Felt hat").click()
    page.get_by_text("1 × Felt hat").wait_for()
    for where in ("#products", "#cart"):
        page.wait_for_function("(image) => image.naturalWidth > 0", arg=page.locator(f"{where} img").element_handle())


def test_a_refusal_is_shown_in_words(page: Page, shop: Shop) -> None:
    shop.product(name="Single spoon", quantity=1)
    add(page, "Single spoon", "1 × Single spoon")
    page.get_by_role("button", name="Add Single spoon").click()
    page.get_by_text("not enough in stock").wait_for()


def test_preflights_are_few_and_reading_needs_none(page: Page, shop: Shop, service: Service) -> None:
    """The browser keeps the answers to preflights: it asks once for each address that is written to."""
    shop.product(name="Cork mat", quantity=9)
    before = len(service.log)
    search(page, "Cork mat")
    for line in ("1 × Cork mat", "2 × Cork mat", "3 × Cork mat"):
        add(page, "Cork mat", line)
    log = service.log[before:]
    assert log.count("POST /cart-items/ 2") == 3
    assert log.count("OPTIONS /cart-items/ 200") == 1
    assert "OPTIONS /products/" not in log
