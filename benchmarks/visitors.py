"""Visitors of a shop, as Locust lets them in; `benchmarks.crowd` starts it. It needs Locust and nothing of the service.

A visit is some twenty steps with a pause for thought after each. Everyone browses by Zipf's law; one in five signs in
or registers, fills a cart, and most of these check out.
"""

import itertools
import json
import os
import random
import secrets
from typing import Any

from locust import FastHttpUser, between, task

PLACES = json.loads(os.environ["CROWD_PLACES"])  # {"products": [ids], "categories": [ids], "words": [...]}
PASSWORD = os.environ["CROWD_PASSWORD"]
# Each in turn, so that no two visitors are the same customer at a time.
CUSTOMERS = itertools.cycle(range(int(os.environ["CROWD_CUSTOMERS"])))
ORDERINGS = ["price", "-price", "-rating", "name", "-created_at"]


def popular(things: list[Any]) -> Any:
    """One of them: the first as often as the next two, and so on."""
    return things[int(len(things) ** random.random()) - 1]


class Visitor(FastHttpUser):
    wait_time = between(1, 5)
    network_timeout = connection_timeout = 30

    def on_start(self) -> None:
        self.arrive()

    def arrive(self) -> None:
        """Someone else comes."""
        self.steps = random.randint(10, 30)
        self.token, self.has_cart, self.next = "", False, ""
        self.client.client.clientpool.close()
        chance = random.random()
        self.will = "buy" if chance < 0.15 else "register" if chance < 0.2 else "look"

    def leave_when_done(self) -> None:
        self.steps -= 1
        if self.steps < 0:
            self.arrive()

    def ask(self, method: str, path: str, name: str, body: Any = None, also: tuple[int, ...] = ()) -> Any:
        """The answer's JSON; None where it was a failure, or one of the refusals in `also`."""
        headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {self.token}"} if self.token else {})
        if name == "check out":
            headers["Idempotency-Key"] = secrets.token_hex(8)
        with self.client.request(method, path, name=name, json=body, headers=headers, catch_response=True) as answer:
            if answer.status_code in also:
                answer.success()
                return None
            if not answer.ok:
                answer.failure(f"{answer.status_code} {answer.text[:200]}")
                return None
            return answer.json()

    @task(28)
    def look_around(self) -> None:
        path = f"/products/?category={popular(PLACES['categories'])}"
        if random.random() < 0.3:
            path += f"&ordering={random.choice(ORDERINGS)}"
        if random.random() < 0.2:
            path += "&in_stock=true"
        if random.random() < 0.2:
            path = "/products/"
        page = self.ask("GET", path, "list")
        self.next = (page or {}).get("next") or ""
        self.leave_when_done()

    @task(10)
    def turn_the_page(self) -> None:
        if not self.next:
            self.look_around()
            return
        page = self.ask("GET", self.next.partition(self.host)[2], "list, a further page")
        self.next = (page or {}).get("next") or ""
        self.leave_when_done()

    @task(40)
    def look_at_one(self) -> None:
        self.ask("GET", f"/products/{popular(PLACES['products'])}/", "product")
        self.leave_when_done()

    @task(10)
    def search(self) -> None:
        words = popular(PLACES["words"])
        self.ask("GET", f"/products/?search={words}", "search")
        if random.random() < 0.5:
            self.ask("GET", f"/products/facets/?search={words}", "facets")
        self.leave_when_done()

    @task(4)
    def see_the_tree(self) -> None:
        self.ask("GET", "/categories/?limit=100", "categories")
        self.leave_when_done()

    @task(12)
    def buy(self) -> None:
        """One step of it: sign in, then put something into the cart, or check out what is there."""
        if self.will == "look":
            self.look_at_one()
            return
        if not self.token:
            self.sign_in()
        elif not self.has_cart or random.random() < 0.5:
            item = {"product": popular(PLACES["products"]), "quantity": random.choice([1, 1, 1, 2])}
            made = self.ask("POST", "/cart-items/", "put into the cart", item, also=(409,))  # sold out
            self.has_cart = self.has_cart or made is not None
        else:
            self.check_out()
        self.leave_when_done()

    def sign_in(self) -> None:
        if self.will == "register":
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
