"""Simulated users for Locust, started by `benchmarks.crowd`. It needs Locust, and does not import the service.

A visit has about twenty steps with a pause after each. All users browse by Zipf's law; one in five signs in or
registers and fills a cart, and most of these check out.
"""

import itertools
import json
import os
import random
import secrets
from typing import Any

from locust import FastHttpUser, between, task

DATA = json.loads(os.environ["CROWD_PLACES"])  # {"products": [ids], "categories": [ids], "words": [...]}
PASSWORD = os.environ["CROWD_PASSWORD"]
# Round robin, so that no two users are the same customer at the same time.
CUSTOMERS = itertools.cycle(range(int(os.environ["CROWD_CUSTOMERS"])))
ORDERINGS = ["price", "-price", "-rating", "name", "-created_at"]


def popular(items: list[Any]) -> Any:
    """One item by Zipf's law: the first as often as the next two, and so on."""
    return items[int(len(items) ** random.random()) - 1]


class Visitor(FastHttpUser):
    wait_time = between(1, 5)
    network_timeout = connection_timeout = 30

    def on_start(self) -> None:
        self.arrive()

    def arrive(self) -> None:
        """Begin the visit of another user."""
        self.steps = random.randint(10, 30)
        self.token, self.has_cart, self.next = "", False, ""
        self.client.client.clientpool.close()
        draw = random.random()
        self.goal = "buy" if draw < 0.15 else "register" if draw < 0.2 else "look"

    def next_step(self) -> None:
        self.steps -= 1
        if self.steps < 0:
            self.arrive()

    def ask(self, method: str, path: str, name: str, body: Any = None, also: tuple[int, ...] = ()) -> Any:
        """The response's JSON; None after a failure, or after one of the accepted errors in `also`."""
        headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {self.token}"} if self.token else {})
        if name == "check out":
            headers["Idempotency-Key"] = secrets.token_hex(8)
        with self.client.request(method, path, name=name, json=body, headers=headers, catch_response=True) as response:
            if response.status_code in also:
                response.success()
                return None
            if not response.ok:
                response.failure(f"{response.status_code} {response.text[:200]}")
                return None
            return response.json()

    @task(28)
    def browse(self) -> None:
        path = f"/products/?category={popular(DATA['categories'])}"
        if random.random() < 0.3:
            path += f"&ordering={random.choice(ORDERINGS)}"
        if random.random() < 0.2:
            path += "&in_stock=true"
        if random.random() < 0.2:
            path = "/products/"
        page = self.ask("GET", path, "list")
        self.next = (page or {}).get("next") or ""
        self.next_step()

    @task(10)
    def next_page(self) -> None:
        if not self.next:
            self.browse()
            return
        page = self.ask("GET", self.next.partition(self.host)[2], "list, a further page")
        self.next = (page or {}).get("next") or ""
        self.next_step()

    @task(40)
    def view_product(self) -> None:
        self.ask("GET", f"/products/{popular(DATA['products'])}/", "product")
        self.next_step()

    @task(10)
    def search(self) -> None:
        words = popular(DATA["words"])
        self.ask("GET", f"/products/?search={words}", "search")
        if random.random() < 0.5:
            self.ask("GET", f"/products/facets/?search={words}", "facets")
        self.next_step()

    @task(4)
    def list_categories(self) -> None:
        self.ask("GET", "/categories/?limit=100", "categories")
        self.next_step()

    @task(12)
    def buy(self) -> None:
        """One step of a purchase: sign in, then add an item to the cart, or check out."""
        if self.goal == "look":
            self.view_product()
            return
        if not self.token:
            self.sign_in()
        elif not self.has_cart or random.random() < 0.5:
            item = {"product": popular(DATA["products"]), "quantity": random.choice([1, 1, 1, 2])}
            added = self.ask("POST", "/cart-items/", "put into the cart", item, also=(409,))  # sold out
            self.has_cart = self.has_cart or added is not None
        else:
            self.check_out()
        self.next_step()

    def sign_in(self) -> None:
        if self.goal == "register":
            name = f"new{secrets.token_hex(6)}"
            account = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
            self.ask("POST", "/register/", "register", account | {"repeat_password": PASSWORD})
        else:
            name = f"crowd{next(CUSTOMERS)}"
        tokens = self.ask("POST", "/token/", "sign in", {"username": name, "password": PASSWORD})
        self.token = tokens["access"] if tokens else ""

    def check_out(self) -> None:
        carts = self.ask("GET", "/carts/", "cart")
        if random.random() < 0.6 and carts and carts["results"]:
            cart = carts["results"][0]["id"]
            self.ask("POST", f"/carts/{cart}/checkout/", "check out", also=(409,))
            self.ask("GET", "/orders/", "orders")
            self.has_cart = False
