"""The work of staff on the stack: imports, exports and feeds, which web takes and workers do. And payments."""

import re
from typing import Any

import requests

from tests.containers.life import check_picture
from tests.containers.provider import provider
from tests.containers.shoppers import new_product, register
from tests.containers.stack import (
    CHECKOUT,
    SETTINGS,
    command,
    compose,
    containers,
    expect,
    log,
    manage,
    request,
    say,
    token,
)
from tests.waiting import wait_for

FILE = "sku,name,quantity,price\nSTACK-1,Stacked lamp,5,19.90\nSTACK-2,Stacked chair,2,49.00\n"


def work() -> None:
    check_picture(token())  # for the feed
    check_import()
    check_export()
    check_commands()
    check_feeds()


def check_import() -> None:
    """A worker has only the database in common with the web container that took the file."""
    staff = token()
    answer = request(
        "POST", "/imports/", token=staff, data={"kind": "products"}, files={"file": ("products.csv", FILE)}
    )
    expect(answer.status_code == 201, f"/imports/: {answer.status_code} {answer.text[:300]}")
    path = f"/imports/{answer.json()['id']}/"
    follow(path, "checked", staff)
    answer = request("POST", f"{path}run/", token=staff)
    expect(answer.status_code in (200, 202), f"{path}run/: {answer.status_code} {answer.text[:300]}")
    row = follow(path, "done", staff)
    expect((row["created"], row["refused"]) == (2, 0), f"the import: {row}")
    say("import: web took a file, and a worker has created its two products")


def follow(path: str, wanted: str, staff: str) -> Any:
    def has_become() -> Any:
        row = request("GET", path, token=staff).json()
        return row if row["status"] == wanted else None

    return wait_for(has_become, seconds=60, every=0.5, name=f"{path} {wanted}")


def check_export() -> None:
    answer = request("GET", "/exports/products/", token=token())
    expect(answer.status_code == 200 and "STACK-1" in answer.text, f"the export: {answer.status_code}")
    answer = request("GET", "/exports/orders/?format=xlsx", token=token())
    expect(answer.status_code == 200 and answer.content[:2] == b"PK", f"the export of orders: {answer.status_code}")
    say("export: products as CSV and orders as XLSX through the proxy")


def check_commands() -> None:
    """The commands of docs/howto/imports.md and exports.md, in a folder of the operator."""
    folder = CHECKOUT / "files"
    folder.mkdir()
    for name in ("exports", "imports"):
        text = (CHECKOUT / f"docs/howto/{name}.md").read_text()
        found = re.search(rf"^docker compose .*{name[:-1]}_products.*$", text, re.MULTILINE)
        expect(found, f"docs/howto/{name}.md has no command for the stack")
        done = command("bash", "-c", f"cd files && {found[0]}" if found else "")
        expect(not done.returncode, f"the command of docs/howto/{name}.md: {done}")
    expect("STACK-1" in (folder / "products.csv").read_text(), "the command has exported no product")
    say("commands: those of the documentation export to a file of the operator, and check it")


def check_feeds() -> None:
    """A worker writes the files, which web serves."""
    expect(request("GET", "/sitemap.xml").status_code == 404, "there is a sitemap before SHOP_PRODUCT_URL is set")
    SETTINGS["SHOP_PRODUCT_URL"] = "https://shop.example/p/{slug}"
    compose("up", "--detach", "--wait")

    def written() -> bool:
        return request("GET", "/feeds/google.xml").status_code == 200

    wait_for(written, seconds=150, every=1, name="the feed")
    part = request("GET", "/sitemap-1.xml")
    expect("https://shop.example/p/stacked-lamp" in part.text, f"the sitemap: {part.status_code} {part.text[:300]}")
    feed = request("GET", "/feeds/google.xml").text
    picture = re.search(r"<g:image_link>[^<]*(/media/[^<]*)</g:image_link>", feed)
    expect(picture and request("GET", picture[1]).status_code == 200, f"the feed has no picture: {feed[:500]}")
    makers = sum("backoffice.tasks.continue_feeds" in log(each) for each in containers("worker"))
    expect(makers, "no worker has written the feed")
    say("feeds: a worker has written the sitemap and the feed, and web serves them")


def pay() -> None:
    """A customer pays at the test provider, and the shop hears of it."""
    with provider():
        access, product = register("payer"), new_product("Paid", 1)
        cart = request("POST", "/cart-items/", token=access, json={"product": product, "quantity": 1}).json()["cart"]
        order = request("POST", f"/carts/{cart}/checkout/", token=access).json()
        expect(order["status"] == "pending", f"an order that waits for money: {order}")
        path = f"/orders/{order['number']}/"
        body = {"method": "test", "return_url": "http://localhost:5173/"}
        payment = request("POST", f"{path}payments/", token=access, json=body).json()
        expect("redirect_url" in payment, f"the payment: {payment}")
        page = requests.post(payment["redirect_url"], data={"course": "pays"}, timeout=30, allow_redirects=False)
        expect(page.status_code == 303, f"the provider's page: {page.status_code}")

        def is_paid() -> bool:
            return bool(request("GET", path, token=access).json()["status"] == "paid")

        # Nobody asks about the payment: the provider's event reaches web, and a worker asks the provider.
        wait_for(is_paid, seconds=60, every=0.5, name="the paid order")
        expect("bad" not in manage("verify"), "manage.py verify finds something")
        say("payments: a customer pays at the test provider, and its event makes the order paid")
